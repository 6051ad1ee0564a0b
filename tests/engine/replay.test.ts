/** Replays: a copy of a store, brought forward along the log, is at every unit exactly what the store was then; what does not fit is refused. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { EntryBatch } from '../../src/engine/engine.js';
import { openReplay, type Replay, ReplayRefused } from '../../src/engine/replay.js';
import type { ReplayTarget } from '../../src/engine/replay-messages.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import type { LogRow } from '../../src/storage/storage.js';
import { cutStore } from '../../src/storage/store-cut.js';
import { batchOf, logOf } from '../support/follow-log.js';
import { pointBlock } from '../support/open-test-engine.js';
import { checkDigests, newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/replay', { deadlineMs: 120_000 });

interface Told {
  readonly storePath: string;
  readonly rows: readonly LogRow[];
  /** What the store said after each unit. */
  readonly units: readonly { readonly seq: number; readonly timeMs: number; readonly digest: string }[];
  /** A copy at the seq of a unit. */
  copyAt(unit: number): string;
}

const SPEC = { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;
const NODE = '22'.repeat(16);

function operationsOf(kinds: readonly number[], unit: number): Operation[] {
  return kinds.map((kind, i): Operation => {
    const id = (kind * 7 + i) % 5;
    if (kind % 4 === 3) return { kind: 'delete', collection: 'c', ids: [id] };
    return { kind: 'upsert', collection: 'c', points: pointBlock([{ id, vector: [unit, kind], payload: { unit } }]) };
  });
}

/** A store whose units change points, and whose history changes at `fork`; the clock stands still now and then, and goes back at the fork. */
function told(t: TestContext, plan: readonly (readonly number[])[], fork: number): Told {
  const folder = t.folder();
  const storePath = newStorePath(folder);
  const store = openWriter(storePath, TEST_CACHE);
  const writer = new UnitWriter(store, DEFAULT_LIMITS);
  const units: { seq: number; timeMs: number; digest: string }[] = [];
  const copies: string[] = [];
  const commit = (run: () => unknown, timeMs: number): void => {
    store.begin();
    run();
    writer.state.flush();
    store.commit();
    const { seq, digest } = writer.state.state;
    if (units.at(-1)?.seq === seq) return;
    units.push({ seq, timeMs, digest: Buffer.from(digest).toString('hex') });
    const copy = join(folder, `copy-${units.length - 1}.db`);
    cutStore(storePath, copy, TEST_CACHE, () => {});
    copies.push(copy);
  };
  commit(() => writer.run({ operations: [{ kind: 'create_collection', collection: 'c', spec: SPEC }] }, 1_000), 1_000);
  for (const [i, kinds] of plan.entries()) {
    const timeMs = 1_000 + 10 * Math.floor(i / 2);
    if (i === fork) {
      const begin = { kind: 'begin_history' as const, historyId: '77'.repeat(16), epoch: 5, nodeId: NODE };
      commit(() => writer.run({ operations: [begin] }, 900), 900);
    }
    commit(() => writer.run({ operations: operationsOf(kinds, i) }, timeMs), timeMs);
  }
  store.close();
  return { storePath, rows: logOf(storePath), units, copyAt: (unit) => copies[unit] ?? '' };
}

async function replayOf(t: TestContext, copy: string, target: Partial<ReplayTarget>): Promise<Replay> {
  const databasePath = join(t.folder(), 'skein.db');
  copyFileSync(copy, databasePath);
  const reads = { seq: null, timeMs: null, ...target };
  const replay = await openReplay({ databasePath, cacheBytes: 2 ** 20, limits: DEFAULT_LIMITS, target: reads, timeMs: null });
  t.after(() => replay.abort());
  return replay;
}

function* batches(rows: readonly LogRow[], cut: number): Generator<EntryBatch> {
  for (let at = 0; at < rows.length; at += cut) yield batchOf(rows.slice(at, at + cut));
}

test('at a seq in the middle the store is what it was then, from any copy and any cut of the log', async (t) => {
  const plan = fc.array(fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(plan, fc.nat(3), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 7 }), async (units, fork, from, to, cut) => {
      const { rows, units: known, copyAt } = told(t, units, fork);
      const base = from % known.length;
      const wanted = base + (to % (known.length - base));
      const seq = known[wanted]?.seq ?? 0;
      // A seq inside the next unit ends before that unit.
      const inside = (known[wanted + 1]?.seq ?? seq + 1) - 1;
      const replay = await replayOf(t, copyAt(base), { seq: inside });
      for (const batch of batches(rows, cut)) await replay.apply(batch);
      const { state } = await replay.finish(null);
      assert.is(state.seq, seq);
      assert.is(Buffer.from(state.digest).toString('hex'), known[wanted]?.digest);
    }),
    { numRuns: 6, seed: t.seed() },
  );
});

test('an instant ends before the first unit that is later', async (t) => {
  const { rows, units, copyAt } = told(t, [[0], [1], [2], [4], [5], [6]], -1);
  for (const timeMs of [1_000, 1_005, 1_010, 1_019, 9_000]) {
    const expected = units.findLast((unit) => unit.timeMs <= timeMs);
    const replay = await replayOf(t, copyAt(0), { timeMs });
    for (const batch of batches(rows, 3)) await replay.apply(batch);
    const { state, reached } = await replay.finish(null);
    assert.is(state.seq, expected?.seq);
    assert.is(reached, timeMs < 9_000);
  }
});

test('finished as a copy it is another cluster with a history of its own, without voters, and sound', async (t) => {
  const { rows, units, copyAt } = told(t, [[0, 1, 2], [4]], 1);
  const databasePath = join(t.folder(), 'skein.db');
  copyFileSync(copyAt(0), databasePath);
  const target = { seq: null, timeMs: null };
  const replay = await openReplay({ databasePath, cacheBytes: 2 ** 20, limits: DEFAULT_LIMITS, target, timeMs: null });
  await replay.apply(batchOf(rows));
  const ending = { clusterId: 'aa'.repeat(16), nodeId: 'bb'.repeat(16), historyId: 'cc'.repeat(16), epoch: 9 };
  const { state, timeMs } = await replay.finish({ ...ending, carried: { voters: [], accessKeys: null } });
  assert.equal({ clusterId: state.clusterId, nodeId: state.nodeId, historyId: state.historyId, epoch: state.epoch }, ending);
  assert.is(state.seq, (units.at(-1)?.seq ?? 0) + 1);
  assert.is(timeMs, units.at(-1)?.timeMs);
  const reads = openReader(databasePath, TEST_CACHE);
  t.after(() => reads.close());
  checkDigests(reads);
  assert.equal(
    reads.lineage().map(({ epoch }) => epoch),
    [1, 5, 9],
  );
});

test('entries that do not continue the store are refused and leave it at the unit before', async (t) => {
  const { rows, units, copyAt } = told(t, [[0], [1], [2]], -1);
  const gap = await replayOf(t, copyAt(0), {});
  await assertRefused(gap.apply(batchOf(rows.slice(2))), 'gap');
  const chain = await replayOf(t, copyAt(0), {});
  await assertRefused(chain.apply({ ...batchOf(rows.slice(1, 3)), chainHash: Buffer.alloc(32, 7) }), 'chain');
  const format = await replayOf(t, copyAt(0), {});
  await assertRefused(format.apply({ ...batchOf(rows.slice(1, 2)), entries: [Buffer.from('no entry')] }), 'format');
  assert.is(units.length, 4);
});

async function assertRefused(applied: Promise<unknown>, reason: string): Promise<void> {
  const error = await applied.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, ReplayRefused);
  assert.is((error as ReplayRefused).failure.reason, reason);
}

test.run();
