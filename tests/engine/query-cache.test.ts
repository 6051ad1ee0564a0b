/** Kept answers: the same question gets the same answer until its collection changes, and nothing else does. */

import * as assert from 'uvu/assert';
import type { SearchAnswer, SearchRequest } from '../../src/engine/engine.js';
import { AnswerBudget } from '../../src/model/answer-budget.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/query-cache');

async function open(
  t: TestContext,
  queryCacheBytes?: number,
): Promise<TestEngine & { ask(more?: Partial<SearchRequest>): Promise<SearchAnswer> }> {
  const rig = await openTestEngine(t.folder(), queryCacheBytes === undefined ? {} : { queryCacheBytes });
  t.after(() => rig.engine.stop());
  await rig.create('c', 2);
  await rig.put('c', [
    { id: 1, vector: [1, 1], payload: { a: 1 } },
    { id: 2, vector: [2, 2], payload: { a: 2 } },
  ]);
  return {
    ...rig,
    ask: (more = {}) => rig.engine.search('c', { ...SEARCH, vector: Float32Array.of(0, 0), withPayload: true, ...more }),
  };
}

test('the same search is answered from what was kept, with the position of then, until the collection changes', async (t) => {
  const { engine, create, put, ask } = await open(t);
  const first = await ask();
  assert.is(first.cached, undefined);
  await create('other', 2);
  await put('other', [{ id: 9, vector: [1, 2] }]);
  const again = await ask();
  assert.is(again.cached, true);
  assert.equal(again.position, first.position);
  assert.ok(engine.position().seq > again.position.seq, 'another collection has changed');
  assert.equal(again.hits, first.hits);
  await put('c', [{ id: 3, vector: [0, 0] }]);
  const later = await ask();
  assert.is(later.cached, undefined);
  assert.equal(
    later.hits.map(({ id }) => id),
    [3, 1, 2],
  );
  assert.equal(engine.status().queryCache.hits, 1);
});

test('a payload that changes in place, new settings, and a collection of the same name are changes too', async (t) => {
  const { engine, create, put, ask } = await open(t);
  await ask();
  await put('c', [{ id: 1, vector: [1, 1], payload: { a: 7 } }]);
  assert.is((await ask()).cached, undefined);
  await engine.write([{ kind: 'update_collection', collection: 'c', change: { efSearch: 9 } }], WAIT);
  assert.is((await ask()).cached, undefined);
  assert.is((await ask()).cached, true);
  await engine.write([{ kind: 'delete_collection', collection: 'c' }], WAIT);
  await create('c', 2);
  const empty = await ask();
  assert.equal([empty.cached, empty.hits.length], [undefined, 0]);
});

test('every part of the request counts, and each bit of the vector', async (t) => {
  const { ask } = await open(t);
  await ask();
  const others: Partial<SearchRequest>[] = [
    { vector: Float32Array.of(0, 1e-30) },
    { limit: 1 },
    { offset: 1 },
    { withPayload: false },
    { withVector: true },
    { exact: true },
    { efSearch: 99 },
    { scoreThreshold: 5 },
    { filter: { must: [{ kind: 'has_id', ids: [1] }] } },
    { filter: { must: [{ kind: 'has_id', ids: ['1'] }] } },
  ];
  for (const other of others) assert.is((await ask(other)).cached, undefined, JSON.stringify(other));
  for (const other of others) assert.is((await ask(other)).cached, true, JSON.stringify(other));
});

test('who asks for a later position, for an explanation, or for no cache is answered anew', async (t) => {
  const { ask } = await open(t);
  const { position } = await ask();
  assert.is((await ask({ notBeforeSeq: position.seq })).cached, true);
  assert.is((await ask({ notBeforeSeq: position.seq + 1 })).cached, undefined);
  assert.is((await ask({ cache: false })).cached, undefined);
  assert.is((await ask({ explain: true })).cached, undefined);
});

test('what a write made unreachable is not kept any longer than until the next answer', async (t) => {
  const { engine, create, put, ask } = await open(t);
  await create('other', 2);
  await put('other', [{ id: 9, vector: [1, 2] }]);
  await engine.search('other', { ...SEARCH, vector: Float32Array.of(0, 0) });
  for (let limit = 1; limit <= 5; limit++) await ask({ limit });
  assert.is(engine.status().queryCache.entries, 6);
  for (let id = 3; id < 6; id++) {
    await put('c', [{ id, vector: [id, id] }]);
    await ask();
    assert.is(engine.status().queryCache.entries, 2, 'the one of the other collection, and the new one');
  }
  assert.is((await ask()).cached, true);
  assert.is((await engine.search('other', { ...SEARCH, vector: Float32Array.of(0, 0) })).cached, true);
});

test('what is kept is bounded in bytes, and one setting switches it off', async (t) => {
  const random = new Random(t.seed());
  const { engine, ask } = await open(t, 10_000);
  for (let i = 0; i < 100; i++) await ask({ vector: random.vector(2) });
  const { bytes, entries } = engine.status().queryCache;
  assert.ok(bytes <= 10_000 && entries > 0 && entries < 100);
  const off = await open(t, 0);
  await off.ask();
  assert.is((await off.ask()).cached, undefined);
  assert.equal(off.engine.status().queryCache, { hits: 0, misses: 0, entries: 0, bytes: 0 });
});

test('kept answers count in the bound of a batch', async (t) => {
  const { engine, ask } = await open(t);
  await ask();
  const budget = new AnswerBudget(250);
  const request = { ...SEARCH, vector: Float32Array.of(0, 0), withPayload: true };
  assert.is((await engine.search('c', request, budget)).cached, true);
  const refused = await engine.search('c', request, budget).catch((error: Error) => error.name);
  assert.is(refused, 'PayloadTooLarge');
});

test.run();
