/** The payload index case by case: what is exact, what is not and why, what changes forget, hostile payloads. */

import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { PayloadIndexSpec, PayloadIndexType } from '../../src/model/collection.js';
import type { Condition, Filter, MatchValue } from '../../src/model/filter.js';
import { labelsOf } from '../../src/model/label-filter.js';
import { FIXED } from '../../src/model/limits.js';
import type { JsonValue, Payload } from '../../src/model/point.js';
import { createPayloadIndex } from '../../src/payload-index/open-index.js';
import type { FilterMatch, PayloadIndex } from '../../src/payload-index/payload-index.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/open-index');

const noIds = (): Uint32Array => new Uint32Array(0);
const value = (key: string, wanted: MatchValue): Condition => ({ kind: 'match_value', key, value: wanted });

function filled(specs: Record<string, PayloadIndexType>, payloads: readonly Payload[]): PayloadIndex {
  const index = createPayloadIndex(Object.entries(specs).map(([path, type]) => ({ path, type })));
  for (const [label, payload] of payloads.entries()) index.put(label, payload);
  return index;
}

function found(match: FilterMatch): number[] {
  return [...labelsOf(match.labels)];
}

function matching(index: PayloadIndex, ...must: readonly Condition[]): FilterMatch {
  return index.match({ must }, noIds);
}

test('a payload of a label takes the place of the one before, and an answer that was kept is forgotten', () => {
  const index = filled({ a: 'keyword' }, [{ a: 'red' }, { a: ['red', 'blue'] }]);
  const red: Filter = { must: [value('a', 'red')] };
  assert.equal(found(index.match(red, noIds)), [0, 1]);
  assert.is(
    index.match(red, noIds),
    index.match({ must: [value('a', 'red')] }, noIds),
    'the same answer until something changes',
  );
  index.put(0, { a: 'green' });
  assert.equal(found(index.match(red, noIds)), [1]);
  index.remove(1);
  assert.equal(found(index.match(red, noIds)), []);
  assert.equal(found(matching(index, value('a', 'green'))), [0]);
  const { changes } = index;
  index.remove(1);
  assert.is(index.changes, changes, 'nothing was there to remove');
});

test('kept answers stay within their bound', () => {
  const index = filled(
    { a: 'integer' },
    Array.from({ length: 70_000 }, (_, a) => ({ a })),
  );
  const before = index.memoryBytes;
  for (let low = 0; low < 1_500; low++) matching(index, { kind: 'range', key: 'a', time: false, bounds: { gte: low } });
  const kept = index.memoryBytes - before;
  // Chunks of numbers that were covered again and again are kept as bitmaps too.
  assert.ok(kept > FIXED.filterAnswersBytesMax / 2 && kept <= 1.1 * FIXED.filterAnswersBytesMax, `${kept} bytes are kept`);
});

test('ids are looked up every time, and only live labels answer', () => {
  const index = filled({}, [{}, {}, {}]);
  const filter: Filter = { must: [{ kind: 'has_id', ids: ['x'] }] };
  assert.equal(found(index.match(filter, () => Uint32Array.of(2, 0, 9))), [0, 2]);
  assert.equal(found(index.match(filter, () => Uint32Array.of(1))), [1]);
  assert.is(index.match(filter, noIds).exact, true);
  assert.equal(found(index.match({ mustNot: filter.must ?? [] }, () => Uint32Array.of(1))), [0, 2]);
});

test('what is not declared makes an answer larger and is named with the type that would serve', () => {
  const index = filled({ a: 'keyword' }, [{ a: 'x', b: 1 }, { a: 'y' }, { a: 3 }]);
  const cases: readonly [Condition, string, PayloadIndexType | null][] = [
    [value('b', 'x'), 'b', 'keyword'],
    [value('b', 1), 'b', 'integer'],
    [value('b', 1.5), 'b', 'float'],
    [value('b', true), 'b', 'bool'],
    [{ kind: 'match_any', key: 'b', values: [2, 3] }, 'b', 'integer'],
    [{ kind: 'range', key: 'b', time: false, bounds: { gte: 0.5 } }, 'b', 'float'],
    [{ kind: 'range', key: 'b', time: false, bounds: { gte: 5 } }, 'b', 'integer'],
    [{ kind: 'range', key: 'b', time: true, bounds: { gte: 5 } }, 'b', 'datetime'],
    [{ kind: 'geo_radius', key: 'b.c', lat: 0, lon: 0, radiusM: 1 }, 'b.c', 'geo'],
    [{ kind: 'exists', key: 'b', exists: true }, 'b', 'keyword'],
    [{ kind: 'match_text', key: 'a', text: 'x' }, 'a', null],
    [value('a', 3), 'a', 'integer'],
    [{ kind: 'nested', key: 'a', filter: { must: [value('b', 1)] } }, 'a.b', 'integer'],
    [{ kind: 'nested', key: 'a', filter: { mustNot: [value('b', 1)] } }, 'a', null],
  ];
  for (const [condition, path, type] of cases) {
    const match = matching(index, condition);
    assert.equal([match.exact, match.unindexed], [false, [{ path, type }]], JSON.stringify(condition));
    assert.equal(matching(index, condition, value('a', 'nobody')).unindexed, [], 'nothing matches, and that is exact');
  }
  assert.equal(found(matching(index, value('a', 3))), [2], 'only labels that have a number can have this one');
  assert.equal(found(index.match({ mustNot: [value('a', 3)] }, noIds)), [0, 1, 2], 'what may match is not excluded');
  assert.is(matching(index, value('a', true)).exact, true, 'booleans are known of every declared field');
});

test('one condition inside nested is exact, as alternatives are; two may be met by two elements', () => {
  const index = filled({ 'a.b': 'keyword', 'a.c': 'integer' }, [{ a: [{ b: 'x', c: 1 }] }, { a: [{ b: 'x' }, { c: 1 }] }, {}]);
  const nested = (filter: Filter): FilterMatch => matching(index, { kind: 'nested', key: 'a', filter });
  assert.equal([found(nested({ must: [value('b', 'x')] })), nested({ must: [value('b', 'x')] }).exact], [[0, 1], true]);
  const either = nested({ should: [value('b', 'y'), value('c', 1)] });
  assert.equal([found(either), either.exact], [[0, 1], true]);
  const both = nested({ must: [value('b', 'x'), value('c', 1)] });
  assert.equal([found(both), both.exact, both.unindexed], [[0, 1], false, [{ path: 'a', type: null }]]);
});

test('what one element lacks is not excluded by what another one has', () => {
  const index = filled({ 'a.c': 'integer' }, [{ a: [{}, { c: 1 }] }, { a: [{ c: 1 }] }, { a: [{ c: null }] }]);
  const lacking: readonly Condition[] = [
    { kind: 'values_count', key: 'c', bounds: { lt: 1 } },
    { kind: 'exists', key: 'c', exists: false },
    { kind: 'is_null', key: 'c', isNull: false },
  ];
  for (const condition of lacking) {
    const match = matching(index, { kind: 'nested', key: 'a', filter: { must: [condition] } });
    assert.is(found(match).includes(0), true, condition.kind);
    assert.is(match.exact, false);
  }
});

test('an estimate is exact for a single condition and never wrong for several', () => {
  const payloads = Array.from({ length: 1_000 }, (_, n) => ({ word: `w${n % 10}`, n, tags: ['t', `u${n % 2}`] }));
  const index = filled({ word: 'keyword', n: 'float', tags: 'keyword' }, payloads);
  const w1 = value('word', 'w1');
  const half: Condition = { kind: 'range', key: 'n', time: false, bounds: { lt: 500 } };
  assert.equal(index.estimate({ must: [w1] }, noIds), { least: 100, expected: 100, most: 100 });
  assert.equal(index.estimate({ must: [half] }, noIds), { least: 500, expected: 500, most: 500 });
  assert.equal(index.estimate({ mustNot: [half] }, noIds), { least: 500, expected: 500, most: 500 });
  assert.equal(index.estimate({ must: [w1, half] }, noIds), { least: 0, expected: 50, most: 100 });
  assert.equal(index.estimate({ should: [w1, half] }, noIds), { least: 500, expected: 550, most: 600 });
  assert.equal(index.estimate({ must: [value('tags', 't'), value('tags', 'u1')] }, noIds), {
    least: 500,
    expected: 500,
    most: 500,
  });
  assert.equal(index.estimate({ must: [value('elsewhere', 1)] }, noIds), { least: 0, expected: 500, most: 1_000 });
  assert.equal(index.estimate({}, noIds), { least: 1_000, expected: 1_000, most: 1_000 });
  const kept: Filter = { must: [w1, half] };
  index.match(kept, noIds);
  assert.equal(index.estimate(kept, noIds), { least: 50, expected: 50, most: 50 }, 'an answer that is kept is its own estimate');
});

test('facets have the most frequent values first, and say when they passed values over', () => {
  const index = filled({ a: 'keyword', n: 'integer', g: 'geo', t: 'datetime', b: 'bool' }, [
    { a: ['x', 'y', 'x'], n: 1, b: true },
    { a: 'y', n: [1, 2], b: true },
    { a: 'z', n: 'many', b: false },
    { a: true },
  ]);
  const facet = (path: string, filter: Filter | null = null, limit = 10): unknown =>
    index.facet(path, filter === null ? null : index.match(filter, noIds).labels, limit);
  const one = (wanted: JsonValue, count: number): unknown => ({ value: wanted, count });
  assert.equal(facet('a'), { values: [one('y', 2), one(true, 1), one('x', 1), one('z', 1)], exact: true });
  assert.equal(facet('a', null, 1), { values: [one('y', 2)], exact: true });
  assert.equal(facet('a', null, 0), { values: [], exact: true });
  assert.equal(facet('a', { must: [value('n', 1)] }), { values: [one('y', 2), one('x', 1)], exact: true });
  assert.equal(facet('n'), { values: [one(1, 2), one(2, 1)], exact: false }, 'the text "many" is not indexed');
  assert.equal(facet('n', { must: [value('a', 'y')] }), { values: [one(1, 2), one(2, 1)], exact: true });
  assert.equal(facet('b'), { values: [one(true, 2), one(false, 1)], exact: true });
  for (const path of ['g', 't', 'elsewhere']) assert.is(facet(path), null);
});

test('payloads of the deepest kind, of huge arrays and with names of the prototype do no harm', () => {
  const path = Array.from({ length: FIXED.jsonDepthMax }, () => 'd').join('.');
  let deep: JsonValue = 'bottom';
  for (let depth = 0; depth < FIXED.jsonDepthMax; depth++) deep = depth % 2 === 0 ? { d: deep } : { d: [deep, 1] };
  const many = Array.from({ length: 100_000 }, (_, n) => n % 50_000);
  const specs: PayloadIndexSpec[] = [path, 'constructor', '__proto__', 'many', 'objects.n'].map((one) => ({
    path: one,
    type: one === 'many' || one === 'objects.n' ? 'integer' : 'keyword',
  }));
  const index = createPayloadIndex(specs);
  index.put(0, deep as Payload);
  index.put(1, { many, objects: many.map((n) => ({ n })) });
  index.put(2, JSON.parse('{"constructor": "own", "__proto__": "own"}') as Payload);
  assert.equal(found(matching(index, value(path, 'bottom'))), [0]);
  assert.equal(found(matching(index, value('objects.n', 49_999), value('many', 0))), [1]);
  assert.equal(found(matching(index, { kind: 'values_count', key: 'many', bounds: { gte: 100_000 } })), [1]);
  for (const name of ['constructor', '__proto__']) assert.equal(found(matching(index, value(name, 'own'))), [2], name);
  for (const label of [0, 1, 2]) index.remove(label);
  assert.is(index.memoryBytes, createPayloadIndex(specs).memoryBytes);
});

test('minus zero is zero, and one instant has many forms', () => {
  const index = filled({ n: 'float', t: 'datetime' }, [
    { n: -0, t: '2026-11-20' },
    { n: 0, t: '2026-11-20T01:00+01:00' },
  ]);
  assert.equal(found(matching(index, value('n', 0))), [0, 1]);
  assert.equal(index.facet('n', null, 9)?.values, [{ value: 0, count: 2 }]);
  const at = Date.parse('2026-11-20');
  assert.equal(found(matching(index, { kind: 'range', key: 't', time: true, bounds: { gte: at, lte: at } })), [0, 1]);
  assert.equal(found(matching(index, { kind: 'range', key: 't', time: true, bounds: { gt: at, gte: at } })), []);
});

test('several threads have indexes at the same time', async () => {
  const open = new URL('../../src/payload-index/open-index.js', import.meta.url).href;
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(open)}).then(({ createPayloadIndex }) => {
      const index = createPayloadIndex([{ path: 'n', type: 'integer' }]);
      for (let label = 0; label < 20000; label++) index.put(label, { n: label });
      const filter = { must: [{ kind: 'range', key: 'n', time: false, bounds: { gte: 5000 } }] };
      parentPort.postMessage(index.match(filter, () => new Uint32Array(0)).labels.size);
    });`;
  const sizes = [0, 1].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(code, { eval: true });
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  assert.equal(await Promise.all(sizes), [15_000, 15_000]);
});

test.run();
