/** What backups still have of damaged rows: points out of the newest state, restored once for many; entries out of increments. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as assert from 'uvu/assert';
import { PastData } from '../../src/backup/past-data.js';
import { decodeValues } from '../../src/engine/compare.js';
import type { PointId } from '../../src/model/point.js';
import { type BackedUp, backedUp } from '../support/backups.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('backup/past-data', { deadlineMs: 60_000 });
const MINUTE_MS = 60_000;

interface Stand {
  readonly made: BackedUp;
  readonly past: PastData;
  /** Folders that were restored into, in their order. */
  readonly restored: string[];
  nowMs: number;
  fails: Error | null;
  removalFails: Error | null;
}

async function standing(t: TestContext, keptMs = MINUTE_MS): Promise<Stand> {
  const made = await backedUp(t);
  await made.create('c', 2);
  const stand = { made, restored: [] as string[], nowMs: 0, fails: null as Error | null, removalFails: null as Error | null };
  const parts = {
    clock: { monotonicMs: () => stand.nowMs, wallMs: () => stand.nowMs },
    prepare: async () => {
      if (stand.fails !== null) throw stand.fails;
      const restore = await made.restore();
      await restore.finish(null);
      stand.restored.push(dirname(restore.storePath));
      const discard = async (): Promise<void> => {
        await restore.discard();
        if (stand.removalFails !== null) throw stand.removalFails;
      };
      return { storePath: restore.storePath, discard };
    },
    known: async () => ({ archive: made.archive, backups: (await made.archive.list()).backups, log: made.engine.log }),
  };
  const past = new PastData(parts, keptMs);
  t.after(() => past.close());
  return Object.assign(stand, { past });
}

const seqOf = ({ engine }: BackedUp): number => engine.log.state().seq;

async function versionOf({ past }: Stand, id: PointId, version: number): Promise<[PointId, number, string] | null> {
  const bytes = await past.point({ uid: 1, id, version });
  if (bytes === null) return null;
  const [value] = [...decodeValues(bytes)];
  return value === undefined ? null : [value.id, value.version, Buffer.from(value.payload).toString('utf8')];
}

test('a point is had in the version that the newest state has, and one restore serves many questions', async (t) => {
  const stand = await standing(t);
  const { made, past, restored } = stand;
  await made.put('c', [{ id: 1, vector: [1, 1], payload: { a: 1 } }]);
  const first = seqOf(made);
  await made.full();
  await made.put('c', [{ id: 2, vector: [2, 1], payload: { b: 2 } }]);
  const second = seqOf(made);
  await made.increment(first + 1);
  assert.equal(await versionOf(stand, 1, first), [1, first, '{"a":1}']);
  assert.equal(await versionOf(stand, 2, second), [2, second, '{"b":2}']);
  assert.equal(await Promise.all([versionOf(stand, 1, second), versionOf(stand, 3, first)]), [null, null]);
  assert.is(await past.point({ uid: 7, id: 1, version: first }), null);
  assert.is(restored.length, 1);
  assert.ok(existsSync(restored[0] ?? ''));
  await past.close();
  assert.not.ok(existsSync(restored[0] ?? ''), 'nothing is left beside the data');
  assert.is((await rejectionOf(past.point({ uid: 1, id: 1, version: first }))).type, 'ShuttingDown');
});

test('a version behind the state that is held is looked for in a newer one, not at every question', async (t) => {
  const stand = await standing(t);
  const { made, restored } = stand;
  await made.put('c', [{ id: 1, vector: [1, 1] }]);
  const first = seqOf(made);
  await made.full();
  assert.ok((await versionOf(stand, 1, first)) !== null);
  await made.put('c', [{ id: 1, vector: [3, 1] }]);
  const second = seqOf(made);
  await made.increment(first + 1);
  assert.is(await versionOf(stand, 1, second), null);
  assert.is(restored.length, 1);
  stand.nowMs += MINUTE_MS;
  assert.equal((await versionOf(stand, 1, second))?.slice(0, 2), [1, second]);
  assert.is(restored.length, 2);
  assert.not.ok(existsSync(restored[0] ?? ''), 'the older one is removed');
});

test('a restore that failed is not begun again for each question', async (t) => {
  const stand = await standing(t);
  const { made } = stand;
  await made.put('c', [{ id: 1, vector: [1, 1] }]);
  await made.full();
  stand.fails = new Error('the target is away');
  await assertFails(versionOf(stand, 1, seqOf(made)));
  stand.fails = null;
  await assertFails(versionOf(stand, 1, seqOf(made)));
  stand.nowMs += MINUTE_MS;
  assert.ok((await versionOf(stand, 1, seqOf(made))) !== null);
});

test('what was restored is removed a while after the last question, and a removal that fails ends nothing', async (t) => {
  const stand = await standing(t, 1);
  const { made, restored } = stand;
  await made.put('c', [{ id: 1, vector: [1, 1] }]);
  await made.full();
  stand.removalFails = new Error('no such right');
  for (let times = 1; times <= 2; times++) {
    assert.ok((await versionOf(stand, 1, seqOf(made))) !== null);
    assert.is(restored.length, times);
    await waitUntil(() => !existsSync(restored.at(-1) ?? ''), { what: 'the removal' });
  }
});

test('entries come from increments, across them, all or none', async (t) => {
  const stand = await standing(t);
  const { made, past } = stand;
  await made.full();
  const base = seqOf(made);
  for (let id = 0; id < 4; id++) await made.put('c', [{ id, vector: [id, 1] }]);
  await made.increment(base + 1);
  for (let id = 4; id < 6; id++) await made.put('c', [{ id, vector: [id, 1] }]);
  await made.increment(base + 5);
  const wanted = made.engine.log.read(base + 3, 3, Number.MAX_SAFE_INTEGER).map(({ entry }) => Buffer.from(entry));
  assert.is(wanted.length, 3);
  const found = await past.entries(base + 3, 3, 1_000_000);
  assert.equal(
    found?.map((entry) => Buffer.from(entry)),
    wanted,
  );
  assert.is(await past.entries(base + 6, 2, 1_000_000), null);
  assert.is(await past.entries(base, 2, 1_000_000), null);
  await assertFails(past.entries(base + 1, 4, 10));
});

async function assertFails(work: Promise<unknown>): Promise<void> {
  const failed = await work.then(
    () => false,
    () => true,
  );
  assert.ok(failed, 'it succeeded');
}

test.run();
