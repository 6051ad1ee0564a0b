/** Reads are bounded in bytes: a scroll goes on, other answers that would be too large are refused by their limit, and what is asked for
 *  is all that counts. */

import * as assert from 'uvu/assert';
import type { SearchRequest } from '../../src/engine/engine.js';
import { AnswerBudget } from '../../src/model/answer-budget.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Filter } from '../../src/model/filter.js';
import type { Limits } from '../../src/model/limits.js';
import type { PointId } from '../../src/model/point.js';
import { openTestEngine, SEARCH, type TestEngine, type TestPoint, WAIT } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/answer-size');
const KIB = 1024;
const POINTS = 300;
const FILL_BYTES = 120 * KIB;
const ALL = { withPayload: true, withVector: false };
/** More points than the main thread reads by itself, so that both ways of reading are met. */
const point = (id: number): TestPoint => ({ id, vector: [id, 0], payload: { id, fill: 'x'.repeat(FILL_BYTES) } });
const ids = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, i) => from + i);

async function withPoints(t: TestContext, limits: Partial<Limits>): Promise<TestEngine> {
  const opened = await openTestEngine(t.folder(), limits);
  t.after(() => opened.engine.stop());
  await opened.create('c', 2);
  for (let from = 0; from < POINTS; from += 50) await opened.put('c', ids(from, from + 50).map(point));
  return opened;
}

const search = (request: Partial<SearchRequest> = {}): SearchRequest => ({
  ...SEARCH,
  ...(request.id === undefined && { vector: Float32Array.of(0, 0) }),
  ...ALL,
  ...request,
});

async function refusedAt(limit: number, answer: Promise<unknown>): Promise<void> {
  const error = await answer.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SkeinError);
  const { type, details } = error as SkeinError;
  assert.equal([type, details], ['PayloadTooLarge', { limit_bytes: limit }]);
}

test('a scroll page ends early, and its cursor leads through all points', async (t) => {
  const { engine } = await withPoints(t, { scrollBytesMax: 1_200 * KIB });
  const all: Filter = { must: [{ kind: 'exists', key: 'id', exists: true }] };
  for (const filter of [{}, { filter: all }]) {
    const seen: PointId[] = [];
    let after: PointId | null = null;
    let pages = 0;
    do {
      const page = await engine.scroll('c', { limit: POINTS, after, ...ALL, ...filter });
      assert.ok(page.points.length > 0 && page.points.length <= 10, `${page.points.length} points`);
      seen.push(...page.points.map(({ id }) => id));
      after = page.next;
      pages += 1;
    } while (after !== null);
    assert.equal(seen, ids(0, POINTS));
    assert.is(pages, POINTS / 10);
  }
  assert.is((await engine.count('c', all)).count, POINTS);
  const bare = await engine.scroll('c', { limit: POINTS, after: null, withPayload: false, withVector: false });
  assert.equal([bare.points.length, bare.next], [POINTS, null]);
});

test('points by their ids are refused where they are more than an answer holds, and come without what is large', async (t) => {
  const { engine } = await withPoints(t, { answerBytesMax: 1_200 * KIB });
  assert.is((await engine.get('c', ids(0, 9), ALL)).points.length, 9);
  for (const end of [11, POINTS]) await refusedAt(1_200 * KIB, engine.get('c', ids(0, end), ALL));
  const { points } = await engine.get('c', ids(0, POINTS), { withPayload: false, withVector: true });
  assert.equal(
    points.map(({ vector }) => vector?.[0]),
    ids(0, POINTS),
  );
});

test('of a search only the hits on its page count, and those of a batch together', async (t) => {
  const { engine } = await withPoints(t, { answerBytesMax: 1_200 * KIB });
  for (const exact of [false, true]) {
    const idsOf = async (request: Partial<SearchRequest>): Promise<PointId[]> => {
      const { hits } = await engine.search('c', search({ exact, ...request }));
      for (const { id, payload } of hits) {
        assert.is(JSON.parse(Buffer.from(payload ?? []).toString()).id, id);
      }
      return hits.map(({ id }) => id);
    };
    assert.equal(await idsOf({ limit: 9 }), ids(0, 9));
    assert.equal(await idsOf({ limit: 9, offset: 200 }), ids(200, 209));
    assert.equal(await idsOf({ limit: POINTS, scoreThreshold: 7 }), ids(0, 8));
    assert.equal(await idsOf({ limit: 4, offset: 100, id: 0 }), ids(101, 105));
    for (const limit of [11, POINTS]) await refusedAt(1_200 * KIB, idsOf({ limit }));
    const five = search({ exact, limit: 5 });
    const together = (requests: readonly SearchRequest[]) => {
      const budget = new AnswerBudget(1_200 * KIB);
      return Promise.all(requests.map((request) => engine.search('c', request, budget)));
    };
    await refusedAt(1_200 * KIB, together(Array(100).fill(five)));
    const answers = await together([search({ exact, limit: 4 }), search({ exact, limit: 5 })]);
    assert.equal(
      answers.map(({ hits }) => hits.length),
      [4, 5],
    );
  }
  assert.is((await engine.search('c', search({ limit: POINTS, withPayload: false }))).hits.length, POINTS);
});

test('a patch that would bring back more than a write may hold is refused as a whole, also over several operations', async (t) => {
  const { engine } = await withPoints(t, {
    bodyBytesMax: 2_000 * KIB,
    importLineBytesMax: 4_000 * KIB,
    writeQueueBytesMax: 9_600 * KIB,
  });
  const patch = (from: number, end: number) =>
    ({
      kind: 'patch',
      collection: 'c',
      patches: ids(from, end).map((id) => ({ id, payload: Buffer.from('{"new":1}') })),
    }) as const;
  const before = engine.position().seq;
  await refusedAt(9_600 * KIB, engine.write([patch(0, 81)], WAIT));
  await refusedAt(9_600 * KIB, engine.write([patch(0, 50), patch(50, 81)], WAIT));
  assert.is(engine.position().seq, before);
  for (let round = 0; round < 3; round++) {
    const { results } = await engine.write([patch(0, 40), patch(40, 70)], WAIT);
    assert.equal(
      results.map((result) => 'patched' in result && result.patched),
      [40, 30],
    );
  }
});

test('writes that change much of what is there, sent at once, all happen in their order', async (t) => {
  const { engine, create, put, remove } = await withPoints(t, {});
  await create('d', 2);
  // Small ones around it, so that the large one comes into the middle of a group.
  const small = (count: number) => ids(0, count).map((x) => put('d', [{ id: 1, vector: [x, 1] }]));
  const receipts = await Promise.all([
    ...small(20),
    remove('c', ids(0, 290)),
    ...small(20),
    put(
      'c',
      ids(0, 290).map((id) => ({ id, vector: [id, 1] })),
    ),
    remove('c', ids(290, POINTS)),
    put('c', [point(7)]),
  ]);
  const seqs = receipts.map(({ seq }) => seq);
  assert.equal(
    seqs,
    [...seqs].sort((a, b) => a - b),
  );
  assert.equal(receipts[20]?.results, [{ kind: 'delete', deleted: 290 }]);
  assert.is((await engine.count('c')).count, 290);
  assert.equal(
    (await engine.get('d', [1], { withPayload: false, withVector: true })).points.map(({ vector }) => vector?.[0]),
    [19],
  );
  const filter: Filter = { must: [{ kind: 'exists', key: 'fill', exists: true }] };
  const { results } = await engine.deleteByFilter('c', filter, WAIT);
  assert.equal(results, [{ kind: 'delete', deleted: 1, units: 1 }]);
});

test('a delete by filter goes in units of bytes', async (t) => {
  const { engine, create, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('c', 2);
  const fill = 'x'.repeat(1_000 * KIB);
  for (let from = 0; from < 90; from += 10) {
    await put(
      'c',
      ids(from, from + 10).map((id) => ({ id, vector: [id, 0], payload: { fill } })),
    );
  }
  const { results } = await engine.deleteByFilter('c', { must: [{ kind: 'exists', key: 'fill', exists: true }] }, WAIT);
  assert.equal(results, [{ kind: 'delete', deleted: 90, units: 2 }]);
  assert.is((await engine.count('c')).count, 0);
});

test.run();
