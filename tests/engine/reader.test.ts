/** What the main thread reads by itself is bounded by what the rows of the request really have, and every answer is whole. */

import * as assert from 'uvu/assert';
import { UNGUARDED } from '../../src/engine/engine-guards.js';
import { Reader } from '../../src/engine/reader.js';
import type { RequestOf } from '../../src/engine/reads.js';
import { Cancellation } from '../../src/model/cancellation.js';
import { systemClock } from '../../src/model/clock.js';
import type { CollectionSpec } from '../../src/model/collection.js';
import { openReader } from '../../src/storage/open-store.js';
import type { StoreReads } from '../../src/storage/storage.js';
import { openTestEngine, WAIT } from '../support/open-test-engine.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/reader', { deadlineMs: 60_000 });
const KIB = 1024;
const INLINE_BYTES = 1024 * KIB;
const LONG = 300 * KIB;
const LONG_POINTS = 12;
const POINTS = 100;
const UID = 1;
const laneRules = (queueMax: number) => ({ queueMax, guards: UNGUARDED, clock: systemClock });

/** The first points are long, all others short; their label is their id. */
async function storeWithLongPoints(t: TestContext): Promise<string> {
  const { engine, storePath, create, put } = await openTestEngine(t.folder());
  await create('c', 2);
  await put(
    'c',
    Array.from({ length: POINTS }, (_, id) => ({
      id,
      vector: [id, 1],
      payload: { fill: 'x'.repeat(id < LONG_POINTS ? LONG : 1) },
    })),
  );
  await engine.stop();
  return storePath;
}

/** The same reads, with a count of the bytes that they gave. */
function counting(reads: StoreReads): { reads: StoreReads; given: () => number } {
  let bytes = 0;
  const count = <T>(found: T, length: number): T => {
    bytes += length;
    return found;
  };
  const counted: Partial<StoreReads> = {
    pointById: (...args) => {
      const row = reads.pointById(...args);
      return count(row, row?.payload.length ?? 0);
    },
    pointByLabel: (...args) => {
      const row = reads.pointByLabel(...args);
      return count(row, row?.payload.length ?? 0);
    },
    pointsAfter: (...args) => {
      const rows = reads.pointsAfter(...args);
      return count(
        rows,
        rows.reduce((sum, { payload }) => sum + payload.length, 0),
      );
    },
    vectorSet: (...args) => {
      const vectorSet = reads.vectorSet(...args);
      return count(vectorSet, vectorSet?.length ?? 0);
    },
  };
  return { reads: { ...reads, ...counted }, given: () => bytes };
}

const selection = { withPayload: true, withVector: true };
const bytesMax = 64 * INLINE_BYTES;
const range = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, i) => from + i);
const get = (from: number, end: number): RequestOf<'get'> => ({
  kind: 'get',
  uid: UID,
  ids: range(from, end),
  selection,
  bytesMax,
});
const scroll = (from: number, limit: number): RequestOf<'scroll'> => ({
  kind: 'scroll',
  uid: UID,
  filter: null,
  after: from === 0 ? null : from - 1,
  limit,
  bytesMax,
  selection,
});
const hits = (from: number, end: number): RequestOf<'hits'> => ({
  kind: 'hits',
  uid: UID,
  labels: Uint32Array.from(range(from, end)),
  ranking: { by: 'distance', distance: 'euclid', query: Float32Array.of(0, 1), scores: null },
  recheck: null,
  selection,
  page: { offset: 0, limit: POINTS, without: [] },
  bytesMax,
  bytesBefore: 0,
});

test('long rows among short ones are read elsewhere once the main thread has read its share', async (t) => {
  const storePath = await storeWithLongPoints(t);
  const store = openReader(storePath, TEST_CACHE);
  const { reads, given } = counting(store);
  const reader = new Reader(reads, { storePath, ...TEST_CACHE }, laneRules(10));
  t.after(() => reader.close());
  const idsOf = async (request: RequestOf<'get'> | RequestOf<'scroll'> | RequestOf<'hits'>): Promise<unknown[]> => {
    const answer = await reader.read(request, 100);
    const points = 'hits' in answer ? answer.hits : answer.points;
    for (const { id, payload, vector } of points) {
      const long = typeof id === 'number' && id < LONG_POINTS;
      assert.equal([(payload?.length ?? 0) > LONG, vector?.[0]], [long, id]);
    }
    return points.map(({ id }) => id);
  };
  for (const request of [get(0, POINTS), scroll(0, POINTS), hits(0, POINTS)]) {
    const before = given();
    assert.equal(await idsOf(request), range(0, POINTS), request.kind);
    const here = given() - before;
    assert.ok(here > 0 && here < INLINE_BYTES + 2 * LONG, `${request.kind}: ${here} bytes were read on the main thread`);
  }
  for (const request of [get(LONG_POINTS - 2, POINTS), scroll(LONG_POINTS - 2, POINTS), hits(LONG_POINTS - 2, POINTS)]) {
    const before = given();
    assert.equal(await idsOf(request), range(LONG_POINTS - 2, POINTS), request.kind);
    assert.ok(given() - before > 2 * LONG, `${request.kind}: two long rows are the main thread's share`);
  }
  assert.is(reader.waiting, 0);
});

test('rows that were named do not wait behind scans, and what nobody waits for any more is not begun', async (t) => {
  const { engine, storePath, create, put } = await openTestEngine(t.folder());
  await create('c', 2);
  for (let from = 0; from < 10_000; from += 5_000)
    await put(
      'c',
      range(from, from + 5_000).map((id) => ({ id, vector: [id, 1], payload: { a: id } })),
    );
  await engine.stop();
  const store = openReader(storePath, TEST_CACHE);
  const spec = store.collection(UID)?.spec;
  const reader = new Reader(store, { storePath, ...TEST_CACHE }, laneRules(1_000));
  t.after(() => reader.close());
  const filter = { must: [{ kind: 'range', key: 'a', time: false, bounds: { gte: 0 } }] } as const;
  const count = { kind: 'count', uid: UID, filter: { filter, spec: spec as CollectionSpec, among: null } } as const;
  const counts = Array.from({ length: 5 }, () => reader.read(count));
  const late = rejectionOf(reader.read(count, 0, 1));
  // Far more than are done until the rows are there, however late the thread comes that reads them.
  const enough = new Cancellation();
  const more = Array.from({ length: 900 }, () => rejectionOf(reader.read(count, 0, 60_000, enough)).catch(() => null));
  const found = await reader.read(hits(0, 500));
  assert.is(found.hits.length, POINTS);
  assert.ok(reader.waiting > 0, 'scans are still running');
  assert.is((await late).type, 'Timeout');
  enough.cancel();
  await Promise.all(more);
  for (const answer of await Promise.all(counts)) assert.is(answer.count, 10_000);
});

test('what is read of a dropped collection is no smaller answer', async (t) => {
  const { engine, storePath, create, put } = await openTestEngine(t.folder());
  await create('c', 2);
  await put('c', [{ id: 1, vector: [1, 1] }]);
  const store = openReader(storePath, TEST_CACHE);
  const spec = store.collection(UID)?.spec as CollectionSpec;
  const reader = new Reader(store, { storePath, ...TEST_CACHE }, laneRules(10));
  t.after(() => reader.close());
  const filter = { filter: {}, spec, among: null };
  const asked: readonly (RequestOf<'get'> | RequestOf<'scroll'> | RequestOf<'count'> | RequestOf<'facet'>)[] = [
    get(0, 2),
    scroll(0, 10),
    { ...scroll(0, 10), filter },
    { kind: 'count', uid: UID, filter },
    { kind: 'facet', uid: UID, path: 'a', filter, limit: 1 },
  ];
  for (const request of asked) await reader.read(request);
  await engine.write([{ kind: 'delete_collection', collection: 'c' }], WAIT);
  for (const request of asked) assert.is((await rejectionOf(reader.read(request))).type, 'CollectionNotFound', request.kind);
  await engine.stop();
});

test.run();
