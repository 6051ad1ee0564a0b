/** The payload index against the plain evaluation of filters: any filter, any payloads, any declared fields, any history. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { PAYLOAD_INDEX_TYPES, type PayloadIndexSpec } from '../../src/model/collection.js';
import type { Condition, Filter } from '../../src/model/filter.js';
import type { PointId } from '../../src/model/point.js';
import { filters, payloads } from '../support/filter-cases.js';
import { type Change, ModelledIndex } from '../support/payload-model.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/payload-index', { deadlineMs: 120_000 });

const LABELS = [0, 1, 2, 3, 31, 32, 255, 256, 65_535, 65_536, 300_000, 1_000_000, 1_000_001];
const IDS: readonly PointId[] = [1, 2, '1', '7', 7];
const idOf = (label: number): PointId => IDS[LABELS.indexOf(label)] ?? `point ${label}`;

const keyName = fc.constantFrom('a', 'b', 'c');
const paths = fc.array(keyName, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.'));
const specs: fc.Arbitrary<PayloadIndexSpec[]> = fc.array(
  fc.record({ path: paths, type: fc.constantFrom(...PAYLOAD_INDEX_TYPES) }),
  { maxLength: 8 },
);
const EVERYTHING: readonly PayloadIndexSpec[] = ['a', 'b', 'c']
  .flatMap((first) => [first, ...['a', 'b', 'c'].map((second) => `${first}.${second}`)])
  .flatMap((path) => [path, ...['a', 'b', 'c'].map((last) => `${path}.${last}`)])
  .filter((path, place, all) => all.indexOf(path) === place)
  .flatMap((path) => (['keyword', 'float', 'datetime', 'geo'] as const).map((type) => ({ path, type })));
const change: fc.Arbitrary<Change> = fc.record({
  label: fc.constantFrom(...LABELS),
  payload: fc.option(payloads, { freq: 6 }),
});
const history = fc.array(change, { minLength: 5, maxLength: 40, size: 'max' });

/** Conditions that no index can answer for sure, wherever they stand. */
function isBeyondIndexes(filter: Filter): boolean {
  const beyond = (condition: Condition): boolean =>
    condition.kind === 'nested' ||
    condition.kind === 'match_text' ||
    ('steps' in condition && condition.steps?.every((step) => typeof step === 'string') === false) ||
    (condition.kind === 'filter' && isBeyondIndexes(condition.filter));
  const { must = [], should = [], mustNot = [], minShould } = filter;
  return [...must, ...should, ...mustNot, ...(minShould?.conditions ?? [])].some(beyond);
}

test('any filter over any declared fields is answered exactly, or with more labels and the reason, after any history', () => {
  let exact = 0;
  let matched = 0;
  let cases = 0;
  fc.assert(
    fc.property(specs, history, fc.array(filters(3), { minLength: 1, maxLength: 6 }), (declared, changes, asked) => {
      const model = new ModelledIndex(declared, LABELS, idOf);
      const half = changes.length / 2;
      for (const [place, one] of changes.entries()) {
        model.change(one);
        const filter = asked[0];
        // In the middle of things as well, and a second time, so that an answer that was kept is seen to be forgotten.
        if (place >= half && filter !== undefined) model.check(filter);
      }
      for (const filter of [...asked, ...asked]) {
        const answer = model.check(filter);
        cases += 1;
        if (answer.exact) exact += 1;
        if (answer.matched > 0) matched += 1;
      }
    }),
    { numRuns: 800 },
  );
  assert.ok(exact > cases / 10 && exact < (cases * 9) / 10, `${exact} of ${cases} were exact: the cases say too little`);
  assert.ok(matched > cases / 10 && matched < (cases * 9) / 10, `${matched} of ${cases} matched something`);
});

test('where every path is declared with every type, all but text and nested filters are exact', () => {
  let nested = 0;
  let exact = 0;
  fc.assert(
    fc.property(history, fc.array(filters(3), { minLength: 10, maxLength: 20 }), (changes, asked) => {
      const model = new ModelledIndex(EVERYTHING, LABELS, idOf);
      for (const one of changes) model.change(one);
      for (const filter of asked) {
        const answer = model.check(filter);
        if (!isBeyondIndexes(filter)) assert.is(answer.exact, true, JSON.stringify(filter));
        else nested += 1;
        if (answer.exact) exact += 1;
      }
    }),
    { numRuns: 100 },
  );
  assert.ok(nested > 100 && exact > 100);
});

test('facets count the points that have each value, as a plain count does', () => {
  let exact = 0;
  fc.assert(
    fc.property(specs, history, fc.option(filters(2)), fc.nat(6), (declared, changes, filter, limit) => {
      const model = new ModelledIndex(declared, LABELS, idOf);
      for (const one of changes) model.change(one);
      for (const { path } of declared) if (model.checkFacet(path, filter, limit)) exact += 1;
      assert.is(model.index.facet('nowhere', null, limit), null);
    }),
    { numRuns: 500 },
  );
  assert.ok(exact > 150, `${exact} facets were exact: the cases say too little`);
});

test('an index that was emptied answers and weighs like a new one', () => {
  fc.assert(
    fc.property(specs, history, filters(2), (declared, changes, filter) => {
      const model = new ModelledIndex(declared, LABELS, idOf);
      const fresh = model.index.memoryBytes;
      for (const one of changes) model.change(one);
      for (const label of LABELS) model.change({ label, payload: null });
      assert.is(model.index.memoryBytes, fresh);
      const { exact, matched } = model.check(filter);
      assert.equal({ exact, matched }, { exact: true, matched: 0 });
    }),
    { numRuns: 200 },
  );
});

test.run();
