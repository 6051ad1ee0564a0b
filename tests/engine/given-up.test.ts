/** Work that nobody waits for: told to the thread that does it, and ended there before its end. */

import { setMaxListeners } from 'node:events';
import * as assert from 'uvu/assert';
import { UNGUARDED } from '../../src/engine/engine-guards.js';
import { abandoned, GivenUpBoard, givenUpIn, isAbandoned } from '../../src/engine/given-up.js';
import { Reader } from '../../src/engine/reader.js';
import { systemClock } from '../../src/model/clock.js';
import type { CollectionSpec } from '../../src/model/collection.js';
import { openReader } from '../../src/storage/open-store.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { rejectionOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/given-up', { deadlineMs: 60_000 });

test('what is noted is seen on the other side, until another takes its cell', () => {
  const board = new GivenUpBoard();
  const isGivenUp = givenUpIn(board.shared);
  assert.is(isGivenUp(7), false);
  board.note(7);
  assert.equal([isGivenUp(7), isGivenUp(8), isGivenUp(7 + 4_096)], [true, false, false]);
  board.note(7 + 4_096);
  assert.is(isGivenUp(7), false);
  board.note(2 ** 33 + 5);
  assert.is(isGivenUp(2 ** 33 + 5), true);
});

test('a wait ends with the signal, or with its work, and then listens no more', async () => {
  const board = new GivenUpBoard();
  const isGivenUp = givenUpIn(board.shared);
  const over = new AbortController();
  assert.is(await board.unlessGivenUp(1, over.signal, Promise.resolve(5)), 5);
  over.abort();
  assert.is(isGivenUp(1), false);
  const during = new AbortController();
  const waiting = rejectionOf(board.unlessGivenUp(2, during.signal, new Promise(() => {})));
  during.abort();
  assert.is((await waiting).details['abandoned'], true);
  assert.is(isGivenUp(2), true);
  assert.is((await rejectionOf(board.unlessGivenUp(3, during.signal, new Promise(() => {})))).type, 'Timeout');
  assert.equal([isAbandoned(abandoned()), isAbandoned(new Error('x'))], [true, false]);
});

test('a scan is broken off in the middle, and those that wait behind it are not begun', async (t) => {
  const { engine, storePath, create, put } = await openTestEngine(t.folder());
  await create('c', 2);
  const points = Array.from({ length: 5_000 }, (_, id) => ({ id, vector: [id, 1], payload: { a: id } }));
  for (let i = 0; i < 4; i++)
    await put(
      'c',
      points.map((point) => ({ ...point, id: point.id + i * 5_000 })),
    );
  await engine.stop();
  const store = openReader(storePath, TEST_CACHE);
  const spec = store.collection(1)?.spec as CollectionSpec;
  const reader = new Reader(store, { storePath, ...TEST_CACHE }, { queueMax: 100, guards: UNGUARDED, clock: systemClock });
  t.after(() => reader.close());
  const filter = { must: [{ kind: 'range', key: 'a', time: false, bounds: { gte: 0 } }] } as const;
  const count = { kind: 'count', uid: 1, filter: { filter, spec, among: null } } as const;
  const startMs = performance.now();
  assert.is((await reader.read(count)).count, 20_000);
  const oneMs = performance.now() - startMs;
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const many = Array.from({ length: 50 }, () => rejectionOf(reader.read(count, 0, 60_000, gone.signal)));
  assert.is(reader.waiting, 50);
  const last = reader.read(count);
  gone.abort();
  const abortedMs = performance.now();
  for (const refused of await Promise.all(many)) assert.is(refused.details['abandoned'], true);
  assert.is((await last).count, 20_000);
  const tookMs = performance.now() - abortedMs;
  assert.ok(tookMs < 20 * oneMs, `50 scans were given up, and the next took ${tookMs} ms where one takes ${oneMs} ms`);
  await waitUntil(() => reader.waiting === 0, { what: 'nobody to wait' });
});

test('a search that is given up counts as no failure of its engine', async (t) => {
  const { engine, create, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('c', 2);
  await put('c', [{ id: 1, vector: [1, 1] }]);
  const search = { vector: Float32Array.of(1, 1), limit: 1, offset: 0, exact: true, cache: false, explain: false } as const;
  const asked = { ...search, fusion: { method: 'rrf', k: 60 }, withPayload: false, withVector: false } as never;
  const gone = new AbortController();
  gone.abort();
  for (let i = 0; i < 20; i++)
    assert.is(
      (await rejectionOf(engine.search('c', { ...(asked as object), signal: gone.signal } as never))).details['abandoned'],
      true,
    );
  assert.equal([engine.status().search.vector.breaker, engine.status().search.vector.failures], ['closed', 0]);
  assert.is((await engine.search('c', asked)).hits.length, 1);
});

test.run();
