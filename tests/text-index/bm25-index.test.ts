/** The index behind its door: what it answers depends on the live documents alone, never on how they came to be. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DEFAULT_TEXT, type TextSettings } from '../../src/model/collection.js';
import { labelFilterOf } from '../../src/model/label-filter.js';
import { FIXED } from '../../src/model/limits.js';
import { createTextIndex, textAnalyser } from '../../src/text-index/open-index.js';
import type { TextHits, TextIndex } from '../../src/text-index/text-index.js';
import { plainBm25 } from '../support/plain-bm25.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/bm25-index');
const settings: TextSettings = { ...DEFAULT_TEXT, fields: ['text'] };
const analyse = textAnalyser(settings);

function index(deadMin = 3): TextIndex {
  return createTextIndex(settings, { limits: { deadMin } });
}

function labelsOf({ labels }: TextHits): number[] {
  return [...labels];
}

/** Hits without how much was read for them, which the dead add to. */
function answerOf({ visited, ...answer }: TextHits): Omit<TextHits, 'visited'> {
  assert.ok(visited >= answer.matched);
  return answer;
}

const word = fc.constantFrom('fox', 'foxes', 'owl', 'hare', 'den', 'the', 'wood', '日本', '', 'rare');
const texts = fc.array(
  fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
  { maxLength: 3 },
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), texts, replaces: fc.option(fc.nat(40)) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('update' as const), label: fc.nat(60), texts }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), label: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('work' as const), steps: fc.nat(6) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never;

/** Does the same to an index and to a plain map of texts. */
function run(steps: readonly Step[], one: TextIndex): Map<number, readonly string[]> {
  const model = new Map<number, readonly string[]>();
  let label = 0;
  for (const done of steps) {
    if (done.kind === 'add') {
      one.add(label, done.texts, done.replaces);
      model.set(label++, done.texts);
      if (done.replaces !== null) model.delete(done.replaces);
    } else if (done.kind === 'update') {
      one.update(done.label, done.texts);
      if (model.has(done.label)) model.set(done.label, done.texts);
    } else if (done.kind === 'remove') {
      one.remove(done.label);
      model.delete(done.label);
    } else for (let i = 0; i < done.steps; i++) one.work(0);
  }
  return model;
}

test('after any history answers are, bit for bit, those of a fresh index, and within rounding those of plain BM25', () => {
  const queries = fc.array(
    fc.array(word, { maxLength: 4 }).map((words) => words.join(' ')),
    { minLength: 1, maxLength: 4 },
  );
  const allowed = fc.option(fc.uniqueArray(fc.nat(60), { maxLength: 40 }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      queries,
      allowed,
      fc.integer({ min: 1, max: 20 }),
      (steps, asked, passing, limit) => {
        const old = index();
        const model = run(steps, old);
        const fresh = index();
        for (const [label, has] of [...model].sort(([a], [b]) => a - b)) fresh.add(label, has, null);
        const filter = passing && labelFilterOf(Uint32Array.from(passing).sort());
        const documents = new Map([...model].map(([label, has]): [number, string[]] => [label, has.flatMap(analyse)]));
        assert.equal([...old.liveLabels()], [...fresh.liveLabels()]);
        for (const query of asked) {
          const answer = answerOf(old.search(query, limit, filter));
          assert.equal(answer, answerOf(fresh.search(query, limit, filter)));
          const plain = plainBm25(documents, analyse(query), settings, filter);
          assert.equal([answer.matched, answer.rejected], [plain.matched, plain.rejected]);
          assert.is(answer.labels.length, Math.min(limit, plain.matched));
          for (const [i, score] of answer.scores.entries()) assert.ok(Math.abs(score - (plain.scores[i] ?? 0)) < 1e-9);
        }
        while (old.work(1) !== null);
        for (const query of asked) assert.equal(answerOf(old.search(query, limit)), answerOf(fresh.search(query, limit)));
      },
    ),
    { numRuns: 400 },
  );
});

test('all texts of a document count, and a document without words is inside and matches nothing', () => {
  const one = index();
  one.add(4, ['Running foxes', 'in the wood'], null);
  one.add(6, [], null);
  one.add(7, ['the'], null);
  assert.equal(labelsOf(one.search('fox', 10)), [4]);
  assert.equal(labelsOf(one.search('woods run', 10)), [4]);
  assert.equal([one.has(6), one.has(7), one.has(5)], [true, true, false]);
  assert.equal([...one.liveLabels()], [4, 6, 7]);
  assert.equal(one.status().documents, 3);
  assert.is(one.status().meanLength, 1);
});

test('a query of stop words, or of nothing, looks for nothing', () => {
  const one = index();
  one.add(1, ['the fox'], null);
  for (const query of ['', 'the', 'The — AND?', '👍'])
    assert.equal([one.search(query, 5).labels.length, one.search(query, 5).terms], [0, []]);
});

test('terms are told once each, in the order of the query, with the live documents that have them', () => {
  const one = index();
  one.add(1, ['fox den'], null);
  one.add(2, ['fox'], null);
  one.add(3, ['fox owl'], null);
  one.remove(3);
  const { terms } = one.search('den, owls: foxes and the fox, badger', 5);
  const expected = [
    { term: 'den', documents: 1 },
    { term: 'owl', documents: 0 },
    { term: 'fox', documents: 2 },
    { term: 'badger', documents: 0 },
  ];
  assert.equal(terms, expected);
});

test('a version takes the place of the one before in the same turn', () => {
  const one = index();
  one.add(1, ['old fox'], null);
  one.add(2, ['new fox'], 1);
  assert.equal(labelsOf(one.search('fox', 10)), [2]);
  assert.equal([one.has(1), one.search('old', 10).matched], [false, 0]);
});

test('a text that changes in place is found by what it has now', () => {
  const one = index();
  one.add(1, ['fox'], null);
  one.add(2, ['owl'], null);
  const before = one.inserts;
  one.update(1, ['hare']);
  one.update(1, ['hares']);
  one.update(9, ['fox']);
  assert.is(one.inserts, before + 1, 'the same terms again, and a label that is not inside, are no work');
  assert.equal([labelsOf(one.search('hare', 5)), labelsOf(one.search('fox', 5))], [[1], []]);
  assert.equal([...one.liveLabels()], [1, 2]);
});

test('of equal scores the lower label comes first, also after a change in place', () => {
  const one = index();
  for (const label of [3, 5, 8]) one.add(label, ['fox'], null);
  one.update(3, ['owl']);
  one.update(3, ['fox']);
  assert.equal(labelsOf(one.search('fox', 2)), [3, 5]);
});

test('labels that are not beyond those before, or out of range, are refused and nothing is done', () => {
  const one = index();
  one.add(5, ['fox'], null);
  for (const label of [5, 4, -1, 1.5, FIXED.labelMax + 1, Number.NaN])
    assert.throws(
      () => one.add(label, ['owl'], 5),
      (error: unknown) => error instanceof RangeError,
    );
  assert.equal([one.has(5), one.status().documents, one.inserts], [true, 1, 1]);
  for (const limit of [0, -1, 1.5, Number.NaN])
    assert.throws(
      () => one.search('fox', limit),
      (error: unknown) => error instanceof RangeError,
    );
});

test('settings that cannot be are refused', () => {
  for (const broken of [{ language: 'klingon' }, { k1: -1 }, { k1: Number.NaN }, { b: 1.1 }, { b: -0.1 }])
    assert.throws(
      () => createTextIndex({ ...settings, ...broken }),
      (error: unknown) => error instanceof RangeError,
    );
});

test('work gives back what the dead took, in slices, and says when there is no more', () => {
  const one = createTextIndex(settings, { limits: { deadMin: 10 }, clock: ticking() });
  for (let label = 0; label < 200; label++) one.add(label, [`fox own${label}`], null);
  assert.is(one.work(5), null);
  for (let label = 0; label < 150; label++) one.remove(label);
  assert.equal([one.status().dead, one.status().renewals], [150, 0]);
  let turns = 0;
  while (one.work(5) === 0) {
    turns += 1;
    assert.is(one.search('fox', 1).matched, 50);
  }
  assert.ok(turns >= 40, `${turns} turns of five steps at most`);
  const { dead, renewals, renewing, terms, documents } = one.status();
  assert.equal({ dead, renewals, renewing, terms, documents }, { dead: 0, renewals: 1, renewing: 0, terms: 51, documents: 50 });
  assert.is(one.inserts, 250);
});

/** Every look at the clock takes a millisecond. */
function ticking(): { wallMs(): number; monotonicMs(): number } {
  let nowMs = 0;
  return { wallMs: () => 0, monotonicMs: () => nowMs++ };
}

test('so many different words of a query count, and the others are passed over', () => {
  const one = index();
  one.add(1, ['w300'], null);
  const query = Array.from({ length: 400 }, (_, i) => `w${i}`).join(' ');
  assert.is(one.search(query, 5).terms.length, 256);
  assert.is(one.search(query, 5).matched, 0);
});

test('a closed index gives nothing and takes nothing', () => {
  const one = index();
  one.add(1, ['fox'], null);
  one.close();
  one.close();
  assert.equal([one.has(1), [...one.liveLabels()], one.work(5)], [false, [], null]);
  for (const call of [() => one.add(2, [], null), () => one.remove(1), () => one.update(1, []), () => one.search('fox', 1)])
    assert.throws(call, /closed/);
});

test.run();
