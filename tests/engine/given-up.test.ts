/** Work that nobody waits for: told to the thread that does it, and ended there before its end. */

import * as assert from 'uvu/assert';
import { UNGUARDED } from '../../src/engine/engine-guards.js';
import { abandoned, GivenUpBoard, givenUpIn, isAbandoned } from '../../src/engine/given-up.js';
import { Reader } from '../../src/engine/reader.js';
import { Cancellation } from '../../src/model/cancellation.js';
import { systemClock } from '../../src/model/clock.js';
import type { CollectionSpec } from '../../src/model/collection.js';
import type { SkeinError } from '../../src/model/errors.js';
import { openReader } from '../../src/storage/open-store.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { rejectionOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/given-up', { deadlineMs: 60_000 });

/** What all threads have computed since then, in milliseconds, however long they had to wait for it. */
function workSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

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

test('what is cancelled is noted and rejects, once and until the listening ends', () => {
  const board = new GivenUpBoard();
  const isGivenUp = givenUpIn(board.shared);
  const refused: SkeinError[] = [];
  const reject = (error: SkeinError): void => void refused.push(error);
  const over = new Cancellation();
  board.watch(1, over, reject)();
  over.cancel();
  assert.equal([isGivenUp(1), refused.length, over.isCancelled], [false, 0, true]);
  const during = new Cancellation();
  const stopListening = board.watch(2, during, reject);
  assert.equal([isGivenUp(2), refused.length], [false, 0]);
  during.cancel();
  during.cancel();
  stopListening();
  assert.equal([isGivenUp(2), refused.length, refused[0]?.details['abandoned']], [true, 1, true]);
  board.watch(3, during, reject)();
  assert.equal([isGivenUp(3), refused.length, refused[1]?.type], [true, 2, 'Timeout']);
  board.watch(4, undefined, reject)();
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
  await reader.read(count);
  const ofOne = process.cpuUsage();
  assert.is((await reader.read(count)).count, 20_000);
  const oneMs = workSince(ofOne);
  const gone = new Cancellation();
  const many = Array.from({ length: 50 }, () => rejectionOf(reader.read(count, 0, 60_000, gone)));
  assert.is(reader.waiting, 50);
  const last = reader.read(count);
  gone.cancel();
  const ofAll = process.cpuUsage();
  for (const refused of await Promise.all(many)) assert.is(refused.details['abandoned'], true);
  assert.is((await last).count, 20_000);
  const allMs = workSince(ofAll);
  assert.ok(allMs < 20 * oneMs, `50 scans were given up, and the next cost ${allMs} ms of work where one costs ${oneMs} ms`);
  await waitUntil(() => reader.waiting === 0, { what: 'nobody to wait' });
});

test('a search that is given up counts as no failure of its engine', async (t) => {
  const { engine, create, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('c', 2);
  await put('c', [{ id: 1, vector: [1, 1] }]);
  const search = { vector: Float32Array.of(1, 1), limit: 1, offset: 0, exact: true, cache: false, explain: false } as const;
  const asked = { ...search, fusion: { method: 'rrf', k: 60 }, withPayload: false, withVector: false } as never;
  const gone = new Cancellation();
  gone.cancel();
  for (let i = 0; i < 20; i++)
    assert.is(
      (await rejectionOf(engine.search('c', { ...(asked as object), cancellation: gone } as never))).details['abandoned'],
      true,
    );
  assert.equal([engine.status().search.vector.breaker, engine.status().search.vector.failures], ['closed', 0]);
  assert.is((await engine.search('c', asked)).hits.length, 1);
});

test.run();
