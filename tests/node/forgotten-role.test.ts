/** A node with data whose NODE file is gone: it never writes on in a history and epoch that another node may be writing in. */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { NO_EPOCH } from '../../src/model/position.js';
import { forgottenRole, type RoleTraces } from '../../src/node/forgotten-role.js';
import { NODE_FILE, readNodeState } from '../../src/node/node-state.js';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { IDENTITY, OPTIONS } from '../storage/story.js';
import { type StartedNode, startedNode } from '../support/started-node.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/forgotten-role', { deadlineMs: 60_000 });
const NO_WISH = { masterUrl: null, takeMastership: false };

const started = (t: TestContext, dataDir: string, flags: Readonly<Record<string, string | boolean>> = {}): Promise<StartedNode> =>
  startedNode(t, dataDir, { heartbeatMs: '50', ...flags });

async function refusal(t: TestContext, dataDir: string): Promise<string> {
  return started(t, dataDir).then(
    () => 'it started',
    (error: unknown) => (error as Error).message,
  );
}

async function lineOf({ client }: StartedNode): Promise<unknown[]> {
  const { role, stats } = await client.replication.status();
  return [role, stats?.epoch, stats?.historyId];
}

test('the NODE file of a replica, or of a master with voters, is gone: neither starts as master of the same history', async (t) => {
  const [masterDir, replicaDir] = [join(t.folder(), 'm'), join(t.folder(), 'r')];
  const master = await started(t, masterDir);
  await master.client.createCollection('c', { dimension: 2, distance: 'dot' });
  const replica = await started(t, replicaDir, { master: master.node.url });
  const states = async () => (await master.client.replication.status()).replicas.map(({ status }) => status);
  await waitUntil(async () => (await states()).join() === 'Connected', { what: 'the replica to be up to date' });
  // What it confirms as a voter comes behind the entry that made it one.
  const isConfirmed = (): Promise<boolean> =>
    master.client.upsert('c', [{ id: 1, vector: [1, 1] }], { w: 2 }).then(
      () => true,
      () => false,
    );
  await waitUntil(isConfirmed, { what: 'the replica to know the voters' });
  const [, , historyId] = await lineOf(master);
  await replica.node.stop();
  await master.node.stop();
  for (const dataDir of [replicaDir, masterDir]) rmSync(join(dataDir, NODE_FILE));
  for (const dataDir of [replicaDir, masterDir]) {
    assert.match(await refusal(t, dataDir), /names 1 other voter.*--master URL.*--take-mastership/s);
    assert.not.ok(existsSync(join(dataDir, NODE_FILE)), 'nothing was noted');
  }
  const next = await started(t, replicaDir, { takeMastership: true });
  const line = await lineOf(next);
  assert.equal(line.slice(0, 2), ['master', 2]);
  assert.is.not(line[2], historyId, 'a history of its own');
  await next.client.createCollection('d', { dimension: 2, distance: 'dot' });
  await next.node.stop();
  const again = await started(t, replicaDir, { takeMastership: true });
  assert.equal(await lineOf(again), line, 'taken once: NODE stands over the flag');
  const follower = await started(t, masterDir, { master: again.node.url });
  const names = async () => (await follower.client.collections()).map(({ name }) => name);
  await waitUntil(async () => (await names()).includes('d'), { what: 'the other node to follow' });
});

test('data that no other node ever had goes on as it was, in the same history and epoch', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await started(t, dataDir);
  await first.client.createCollection('c', { dimension: 2, distance: 'dot' });
  const line = await lineOf(first);
  await first.node.stop();
  rmSync(join(dataDir, NODE_FILE));
  assert.equal(await lineOf(await started(t, dataDir)), line);
});

test('a damaged NODE file is refused, and what the refusal says can be done', async (t) => {
  const dataDir = join(t.folder(), 'data');
  createDataFolder(dataDir, IDENTITY, { role: 'replica', bootId: 'boot' }, OPTIONS);
  for (const text of ['{', 'null', '{"format":1}']) {
    writeFileSync(join(dataDir, NODE_FILE), text);
    assert.match(await refusal(t, dataDir), /NODE is damaged.*Move the file away.*--master URL.*--take-mastership/s, text);
  }
  rmSync(join(dataDir, NODE_FILE));
  assert.match(await refusal(t, dataDir), /MANIFEST says that it was a replica/);
  const { client } = await started(t, dataDir, { takeMastership: true });
  assert.equal((await client.replication.status()).role, 'master');
  assert.equal(readNodeState(dataDir)?.highestEpoch, IDENTITY.epoch + 1);
});

test('what was made for a replica and has no data yet has nothing to be master of', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const blank = { ...IDENTITY, clusterId: '0'.repeat(32), historyId: '0'.repeat(32), epoch: NO_EPOCH };
  createDataFolder(dataDir, blank, { role: 'replica', bootId: 'boot' }, OPTIONS);
  const message = await refusal(t, dataDir);
  assert.match(message, /--master URL/);
  assert.not.match(message, /--take-mastership/);
});

test('whoever may have had company writes on in no old epoch; what the operator says decides', () => {
  const traces = fc.record({
    manifestRole: fc.constantFrom<RoleTraces['manifestRole'][]>(null, 'master', 'replica'),
    epoch: fc.nat({ max: 9 }),
    otherVoters: fc.nat({ max: 3 }),
    hasRolledBack: fc.boolean(),
  });
  fc.assert(
    fc.property(traces, fc.boolean(), fc.boolean(), (found, named, takeMastership) => {
      const masterUrl = named ? 'ws://m:1' : null;
      const role = forgottenRole({ masterUrl, takeMastership }, () => found);
      const alone = found.manifestRole === 'master' && found.otherVoters === 0 && !found.hasRolledBack;
      if (role.kind === 'unknown') return !named && !alone && (!takeMastership || found.epoch === NO_EPOCH);
      if (named) return role.state.role === 'replica' && role.state.masterUrl === masterUrl;
      return role.state.role === 'master' && (role.state.highestEpoch === found.epoch + 1 || alone);
    }),
  );
  const company = { manifestRole: 'master', epoch: 3, otherVoters: 0, hasRolledBack: true } as const;
  const why = 'rollback/ says that it was a replica once';
  assert.equal(
    forgottenRole(NO_WISH, () => company),
    { kind: 'unknown', why, isBlank: false },
  );
  const replica = forgottenRole({ ...NO_WISH, masterUrl: 'ws://m:1' }, () => {
    throw new Error('it was looked at');
  });
  assert.is(replica.kind, 'is', 'a damaged store keeps no replica from taking its data again');
});

test.run();
