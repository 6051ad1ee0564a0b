/** The replicated log through the engine's door: roles, refusals that leave no trace, sessions, reading, histories, voters, waiting. */

import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import { chainHash } from '../../src/codec/digest.js';
import { decodeEntry, encodeEntry } from '../../src/codec/entry.js';
import { encodeDefaultVector } from '../../src/codec/vector-set.js';
import type { ApplyFailure, EntryBatch } from '../../src/engine/engine.js';
import { DEFAULT_HNSW, NOTHING_DECLARED } from '../../src/model/collection.js';
import type { Effect, Entry } from '../../src/model/entry.js';
import type { LogRow } from '../../src/storage/storage.js';
import { assertSameContent, batchOf, follow, logOf, refusal } from '../support/follow-log.js';
import { openTestEngine, pointBlock, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/replicated-log', { deadlineMs: 60_000 });
const id = (): string => randomBytes(16).toString('hex');
const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

async function open(t: TestContext, role: 'master' | 'replica', limits = {}): Promise<TestEngine> {
  const opened = await openTestEngine(t.folder(), limits, role);
  t.after(() => opened.engine.stop());
  return opened;
}

const WRONG_VECTOR: Effect = {
  kind: 'put_points',
  uid: 1,
  points: [{ id: 4, vectorSet: encodeDefaultVector(new Float32Array(3)), payload: new Uint8Array(), expiresAtMs: null }],
};
const OTHER_DIMENSION: Effect = {
  kind: 'update_collection',
  uid: 1,
  spec: { dimension: 3, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, createdAtMs: 1, ...NOTHING_DECLARED },
};

/** A master with one collection and four points, and a replica that has all but the last two units. */
async function pair(t: TestContext): Promise<{ master: TestEngine; replica: TestEngine; rows: LogRow[] }> {
  const master = await open(t, 'master');
  await master.create('a', 2);
  for (const point of [1, 2, 3, 4]) await master.put('a', [{ id: point, vector: [point, 0], payload: { point } }]);
  await master.remove('a', [2]);
  const rows = logOf(master.storePath);
  const replica = await open(t, 'replica');
  await follow(replica.engine, rows.slice(0, -2), [2]);
  return { master, replica, rows };
}

/** The same entries with one changed, hashes made anew: what a master that is wrong in itself would send. */
function changed(rows: readonly LogRow[], before: Uint8Array, change: (entry: Entry) => Entry): EntryBatch {
  let hash = before;
  const entries = rows.map(({ entry }) => {
    const bytes = encodeEntry(change(decodeEntry(entry)));
    hash = chainHash(hash, bytes);
    return new Uint8Array(bytes);
  });
  return { firstSeq: rows[0]?.seq ?? 0, entries, chainHash: hash };
}

test('what is wrong is refused with its reason, leaves no trace, and a new session goes on', async (t) => {
  const { master, replica, rows } = await pair(t);
  const { log } = replica.engine;
  const rest = rows.slice(-2);
  const before = rows.at(-3)?.chainHash as Uint8Array;
  const [put, remove] = rest.map(({ seq }) => seq) as [number, number];
  const deletes =
    (uid: number, point: number) =>
    (entry: Entry): Entry =>
      entry.seq === remove ? { ...entry, effect: { kind: 'delete_points', uid, ids: [point] } } : entry;
  const good = batchOf(rest);
  const cases: readonly (readonly [ApplyFailure['reason'], number, EntryBatch])[] = [
    ['gap', remove, batchOf(rest.slice(1))],
    ['epoch', put, changed(rest, before, (entry) => ({ ...entry, epoch: 0 }))],
    ['chain', remove, { ...good, chainHash: new Uint8Array(32) }],
    ['digest', remove, changed(rest, before, deletes(1, 1))],
    ['effect', remove, changed(rest, before, deletes(1, 99))],
    ['effect', remove, changed(rest, before, deletes(7, 1))],
    ['effect', put, changed(rest, before, (entry) => (entry.seq === put ? { ...entry, effect: WRONG_VECTOR } : entry))],
    ['effect', put, changed(rest, before, (entry) => (entry.seq === put ? { ...entry, effect: OTHER_DIMENSION } : entry))],
    ['format', put, { ...good, entries: good.entries.map((bytes) => bytes.slice(0, -1)) }],
  ];
  const commits: number[] = [];
  const end = log.onCommit(({ seq }) => commits.push(seq));
  for (const [reason, seq, batch] of cases) {
    const failure = await refusal(replica.engine, batch);
    await log.apply(good);
    assert.equal([failure.reason, failure.seq], [reason, seq], failure.message);
    assert.is(log.state().seq, put - 1, 'neither the good unit of the group nor the rest of the session is kept');
    assert.is((await replica.engine.get('a', [4], { withPayload: false, withVector: false })).missing.length, 1);
  }
  assert.equal(commits, []);
  end();
  await follow(replica.engine, rows, [3]);
  assert.is(hex(log.state().chainHash), hex(master.engine.log.state().chainHash));
  assert.is(hex(log.state().digest), hex(master.engine.log.state().digest));
  await replica.engine.waitFor(replica.engine.position(), 'indexed', 'a', 10_000);
  assert.equal(
    (await replica.nearest('a', [4, 0], 2)).map((hit) => hit.id),
    [4, 3],
  );
  assert.equal(replica.fatal, []);
});

test('a batch of an earlier session is dropped, also when the next is asked for before it was seen', async (t) => {
  const { replica, rows } = await pair(t);
  const { log } = replica.engine;
  const failures: ApplyFailure[] = [];
  log.beginApply((failure) => failures.push(failure));
  void log.apply(batchOf(rows.slice(-1)));
  await follow(replica.engine, rows.slice(-2), [1]);
  assert.is(log.state().seq, rows.length);
  assert.equal(failures, []);
});

test('a replica refuses writes; as a master it takes them and no batches; roles change in order', async (t) => {
  const { master, replica, rows } = await pair(t);
  const { log } = replica.engine;
  assert.is((await rejectionOf(replica.put('a', [{ id: 9, vector: [9, 9] }]))).type, 'NotMaster');
  assert.is((await rejectionOf(log.registerVoters([{ nodeId: id(), host: 'h', port: 1 }]))).type, 'NotMaster');
  log.beginApply(() => {});
  void log.apply(batchOf(rows.slice(-2)));
  await log.setRole('master', 2);
  assert.is(log.state().seq, rows.length, 'what was handed over before is applied first');
  assert.is((await rejectionOf(replica.put('a', [{ id: 9, vector: [9, 9] }]))).type, 'NotMaster', 'no history of its own yet');
  const next = { historyId: id(), epoch: 2, nodeId: id() };
  const { position } = await log.beginHistory(next);
  assert.equal(position, { historyId: next.historyId, epoch: 2, seq: rows.length + 1 });
  await replica.put('a', [{ id: 9, vector: [9, 9] }]);
  await Promise.all([log.registerVoters([{ nodeId: id(), host: 'h', port: 1 }]), log.setRole('replica', 0)]);
  assert.is((await rejectionOf(replica.put('a', [{ id: 11, vector: [9, 9] }]))).type, 'NotMaster');
  // The old master becomes its replica.
  await master.engine.log.setRole('replica', 0);
  await follow(master.engine, logOf(replica.storePath), [5]);
  assert.equal(master.engine.position(), replica.engine.position());
  assert.equal(master.engine.log.lineage(), log.lineage());
  assertSameContent(replica.storePath, master.storePath);
});

test('a store of an earlier epoch than its mastership is written by nobody until that has begun', async (t) => {
  const folder = t.folder();
  const before = await openTestEngine(folder);
  await before.create('a', 2);
  await before.engine.stop();
  const { engine } = await openTestEngine(folder, {}, 'master', 2);
  t.after(() => engine.stop());
  const { seq } = engine.log.state();
  const points = { ...pointBlock([{ id: 'due', vector: [0, 0] }]), expiresAt: Float64Array.of(Date.now() + 1) };
  const refused = engine.write([{ kind: 'upsert', collection: 'a', points }], WAIT);
  assert.is((await rejectionOf(refused)).type, 'NotMaster');
  await engine.log.beginHistory({ historyId: id(), epoch: 2, nodeId: id() });
  await engine.write([{ kind: 'upsert', collection: 'a', points }], WAIT);
  assert.ok(engine.log.state().seq > seq);
});

test('a master that goes on after a change of role that came to nothing takes writes again in its own epoch', async (t) => {
  const { master } = await pair(t);
  const { log } = master.engine;
  const { epoch } = log.state();
  await log.setRole('replica', 0);
  assert.is((await rejectionOf(master.put('a', [{ id: 11, vector: [9, 9] }]))).type, 'NotMaster');
  await log.setRole('master', epoch);
  await master.put('a', [{ id: 11, vector: [9, 9] }]);
  assert.is(log.state().epoch, epoch);
});

test('a replica that becomes a master lets nothing expire in the epoch of its old one', async (t) => {
  const { master, replica, rows } = await pair(t);
  const { log } = replica.engine;
  await follow(replica.engine, rows, [9]);
  const points = { ...pointBlock([{ id: 'due', vector: [0, 0] }]), expiresAt: Float64Array.of(Date.now() + 3_000) };
  const { seq } = await master.engine.write([{ kind: 'upsert', collection: 'a', points }], WAIT);
  await follow(replica.engine, logOf(master.storePath).slice(0, seq), [9]);
  await log.setRole('master', 2);
  await waitUntil(() => master.engine.log.state().seq > seq, { what: 'the sweep on the old master' });
  assert.is(log.state().seq, seq);
  await log.beginHistory({ historyId: id(), epoch: 2, nodeId: id() });
  await waitUntil(() => log.state().seq === seq + 2, { what: 'the sweep on the new master' });
  assert.equal(
    logOf(replica.storePath)
      .slice(seq)
      .map(({ entry }) => decodeEntry(entry))
      .map(({ epoch, effect }) => [epoch, effect.kind]),
    [
      [2, 'begin_history'],
      [2, 'delete_points'],
    ],
  );
});

test('a history begins once, later than all others, and names where it starts', async (t) => {
  const { engine, create } = await open(t, 'master');
  await create('a', 2);
  const { log } = engine;
  const { seq, chainHash: hash, historyId: first } = log.state();
  const next = { historyId: id(), epoch: 5, nodeId: id() };
  await log.beginHistory(next);
  assert.equal(
    log.lineage().map((row) => [row.epoch, row.historyId, row.startSeq, hex(row.startHash)]),
    [
      [1, first, 0, '00'.repeat(32)],
      [5, next.historyId, seq, hex(hash)],
    ],
  );
  assert.is((await rejectionOf(log.beginHistory({ ...next, historyId: id() }))).type, 'NotPromotable');
  assert.is((await rejectionOf(log.beginHistory({ ...next, epoch: 6 }))).type, 'InvalidRequest');
  assert.is((await rejectionOf(log.beginHistory({ ...next, epoch: 6, historyId: 'short' }))).type, 'InvalidRequest');
  assert.is(log.state().seq, seq + 1);
  const kept = engine.waitFor({ historyId: first, epoch: 1, seq }, 'indexed', 'a', 1_000);
  await kept;
  assert.is(
    (await rejectionOf(engine.waitFor({ historyId: first, epoch: 1, seq: seq + 1 }, 'durable', null, 1_000))).type,
    'PositionLost',
  );
});

test('voters are put, moved and removed by the log; what changes nothing logs nothing', async (t) => {
  const master = await open(t, 'master');
  const { log } = master.engine;
  const [one, two] = [id(), id()].sort() as [string, string];
  const empty = hex(log.state().digest);
  await log.registerVoters([
    { nodeId: two, host: 'b', port: 2 },
    { nodeId: one, host: 'a', port: 1 },
  ]);
  const both = hex(log.state().digest);
  const again = await log.registerVoters([{ nodeId: one, host: 'a', port: 1 }]);
  assert.is(again.seq, 2);
  await log.registerVoters([{ nodeId: one, host: 'a', port: 9 }]);
  assert.equal(log.voters(), [
    { nodeId: one, host: 'a', port: 9 },
    { nodeId: two, host: 'b', port: 2 },
  ]);
  assert.is.not(hex(log.state().digest), both);
  await log.registerVoters([{ nodeId: one, host: 'a', port: 1 }]);
  assert.is(hex(log.state().digest), both);
  assert.is(await log.removeVoter(id()), null);
  for (const nodeId of [one, two]) assert.ok(await log.removeVoter(nodeId));
  assert.equal(log.voters(), []);
  assert.is(hex(log.state().digest), empty);
  const none = log.voters();
  await master.create('a', 2);
  assert.is(log.voters(), none, 'other commits keep the list');
  for (const wrong of [{ port: 0 }, { port: 65_536 }, { host: '' }, { nodeId: 'x' }]) {
    const voter = { nodeId: one, host: 'a', port: 1, ...wrong };
    assert.is((await rejectionOf(log.registerVoters([voter]))).type, 'InvalidRequest');
  }
  const replica = await open(t, 'replica');
  await follow(replica.engine, logOf(master.storePath), [1]);
  assertSameContent(master.storePath, replica.storePath);
});

test('the log is read up to the tail, with its hashes and its bytes', async (t) => {
  const { master, rows } = await pair(t);
  const { log } = master.engine;
  assert.equal(
    log.read(3, 2, 1e6).map(({ seq }) => seq),
    [3, 4],
  );
  assert.is(log.read(3, 100, 1).length, 1);
  assert.equal(log.read(rows.length + 1, 5, 1e6), []);
  assert.is(hex(log.chainHashAt(0)), '00'.repeat(32));
  for (const row of rows) assert.is(hex(log.chainHashAt(row.seq)), hex(row.chainHash));
  assert.is(log.chainHashAt(rows.length + 1), null);
  const bytes = rows.slice(2).reduce((sum, { entry }) => sum + entry.length, 0);
  assert.is(await log.bytesAfter(2), bytes);
  assert.is(await log.bytesAfter(rows.length), 0);
});

test('what is wanted of the log stays however old it is, until it is over its hard bound or the wish ends', async (t) => {
  const bounds = { logRetentionMs: 0, logRetentionBytes: 0, logBytesHardMax: 60_000 };
  const master = await open(t, 'master', bounds);
  const { log } = master.engine;
  const pruned = (seq: number, what: string) => waitUntil(() => log.state().logMinSeq === seq, { what });
  log.keepFrom('replicas', 3);
  await master.create('a', 2);
  for (const point of [1, 2, 3]) await master.put('a', [{ id: point, vector: [point, 0] }]);
  await pruned(3, 'all but what is wanted is pruned');
  assert.is(log.chainHashAt(1), null);
  assert.is(log.chainHashAt(2)?.length, 32);
  await master.put('a', [{ id: 9, vector: [0, 0], payload: { long: 'x'.repeat(70_000) } }]);
  await waitUntil(() => log.state().logMinSeq > 3, { what: 'the hard bound wins' });
  const { seq } = log.state();
  log.keepFrom('replicas', null);
  await pruned(seq + 1, 'nothing is wanted any more');
});

test('a stopping engine ends what waits on its log', async (t) => {
  const { engine } = await openTestEngine(t.folder(), {}, 'replica');
  engine.log.beginApply(() => {});
  await engine.stop();
  const batch = { firstSeq: 1, entries: [new Uint8Array(3)], chainHash: new Uint8Array(32) };
  assert.is((await rejectionOf(engine.log.apply(batch))).type, 'ShuttingDown');
  assert.is((await rejectionOf(engine.log.setRole('master', 2))).type, 'ShuttingDown');
});

test('more than may be held is waited for, also where one unit is larger than that', async (t) => {
  const master = await open(t, 'master');
  await master.create('a', 2);
  const payload = { long: 'x'.repeat(900_000) };
  const points = Array.from({ length: 45 }, (_, point) => ({ id: point, vector: [point, 0], payload }));
  await master.put('a', points);
  for (const point of points) await master.put('a', [point]);
  const rows = logOf(master.storePath);
  assert.ok(rows.reduce((sum, { entry }) => sum + entry.length, 0) > 2 * 32 * 2 ** 20);
  const replica = await open(t, 'replica');
  await follow(replica.engine, rows, [1, 3]);
  assert.is((await replica.engine.count('a')).count, 45);
  assert.is(hex(replica.engine.log.state().digest), hex(master.engine.log.state().digest));
});

test('a traced request is told of once its entry is durable on the replica', async (t) => {
  const master = await open(t, 'master');
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await master.create('a', 2);
  const { seq } = await master.engine.write(
    [{ kind: 'upsert', collection: 'a', points: pointBlock([{ id: 1, vector: [1, 2] }]) }],
    { ...WAIT, trace },
  );
  const replica = await open(t, 'replica');
  const told: unknown[] = [];
  replica.engine.log.onTraced(({ tookMs, ...entry }) =>
    told.push([entry, tookMs > 0, replica.engine.log.state().seq >= entry.seq]),
  );
  await follow(replica.engine, logOf(master.storePath), [1]);
  await waitUntil(() => told.length > 0, { what: 'the trace to be told' });
  assert.equal(told, [[{ seq, trace }, true, true]]);
});

test.run();
