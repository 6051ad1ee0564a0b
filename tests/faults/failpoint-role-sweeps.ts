/** Deaths in changes of mastership: of the node that takes it over, of the one that gives it up, of those that hear of it, and of those that have
 *  to give up what only they have. */

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ClusterNode } from '../support/cluster.js';
import { waitUntilEqual } from '../support/node-calls.js';
import type { TestContext } from '../support/suite.js';
import { type Place, rollbackFiles, type Say, Stand } from './failpoint-stand.js';
import { oldMasterReturns, seqOf, seqsIn } from './failpoint-stream-sweeps.js';

const EXTRA = 8;

function otherThan(stand: Stand, node: ClusterNode): ClusterNode {
  return stand.nodes.find((one) => one !== node) as ClusterNode;
}

/** Nobody is master, and no write is taken. */
async function nobodyIsMaster(stand: Stand): Promise<void> {
  for (const node of stand.nodes) {
    assert.is((await node.stats()).role, 'replica', node.name);
    const write = { points: [{ id: 1_000, vector: [0, 0, 0, 0] }] };
    const answer = await node.request('PUT', '/v1/collections/extra/points?w=1', write).catch(() => null);
    assert.not.equal(answer?.status, 200, `${node.name} took a write`);
  }
}

/** No acknowledged write is lost by a handover, not even one that only the master had confirmed. */
export async function handoverTargetDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t);
  for (const { name, count } of places) {
    const old = stand.master;
    const next = otherThan(stand, old);
    // Whatever a replica applies passes this place; without writes the beginning of the new history comes first.
    const idle = name === 'commit.after_manifest';
    if (idle) await waitUntilEqual(stand.nodes);
    else stand.write();
    await stand.arm(next, name, count);
    await stand.linked();
    if (!idle) await stand.more();
    void next.promote().catch(() => undefined);
    await stand.died(next);
    await stand.back(next);
    const noted = (await next.stats()).role === 'master';
    assert.is(noted, name !== 'role.before_note');
    if (noted) stand.follows(next, stand.epoch + 1);
    else {
      await nobodyIsMaster(stand);
      await stand.promoteByForce(next);
    }
    const found = await stand.holds({
      fullSyncs: [
        [old, 0],
        [next, 0],
      ],
    });
    const how = noted ? 'completed it by itself' : 'was promoted by force';
    say(name, `the target of a handover died, came back and ${how}; ${found}, nothing lost (w=1), no full sync`);
  }
}

export async function handoverSourceDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  for (const { name, count } of places) {
    const stand = await Stand.start(t);
    const [old, next] = stand.nodes as [ClusterNode, ClusterNode];
    stand.write();
    await stand.arm(old, name, count);
    await stand.linked();
    await stand.more();
    const refused = await next.request('POST', '/replication/promote', {});
    assert.equal([refused.status, refused.body.error?.type], [409, 'NotPromotable'], JSON.stringify(refused.body));
    await stand.died(old);
    await stand.back(old);
    const noted = (await old.stats()).role === 'replica';
    assert.is(noted, name !== 'role.before_note');
    if (noted) {
      await nobodyIsMaster(stand);
      await stand.promoteByForce(next);
    }
    const found = await stand.holds({
      fullSyncs: [
        [old, 0],
        [next, 0],
      ],
    });
    const how = noted ? 'came back as a replica, the other was promoted by force' : 'came back as master';
    say(name, `the old master died in a handover, ${how}; ${found}, nothing lost (w=1), no full sync`);
  }
}

/** A promotion by force loses nothing that a majority confirmed. */
export async function forcedTargetDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { w: 'majority' });
  for (const { name, count } of places) {
    const { old, next, ownSeq } = await masterGone(stand, { name, count });
    const noted = name !== 'role.before_note';
    await stand.back(next);
    assert.is((await next.stats()).role, noted ? 'master' : 'replica');
    if (noted) stand.follows(next, stand.epoch + 1);
    else await stand.promoteByForce(next);
    await stand.keeps(next);
    const found = await oldMasterReturns(stand, old, ownSeq);
    const how = noted ? 'completed it by itself' : 'was promoted again';
    say(name, `a replica died in a promotion by force, came back and ${how}; ${found}`);
  }
}

/** A promotion that was cut short is completed by the next start, or by the one after that. */
export async function completionDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { w: 'majority' });
  const { old, next, ownSeq } = await masterGone(stand, { name: 'role.after_note', count: 1 });
  for (const { name, count } of places) {
    await stand.arm(next, name, count);
    await stand.died(next);
  }
  await stand.back(next);
  stand.follows(next, stand.epoch + 1);
  await stand.keeps(next);
  const found = await oldMasterReturns(stand, old, ownSeq);
  for (const { name } of places) say(name, `a promoted node died again while its start completed the promotion; ${found}`);
}

/** The master is killed under writes, and its replica dies at the place while it is promoted by force. */
async function masterGone(
  stand: Stand,
  { name, count }: Place,
): Promise<{ old: ClusterNode; next: ClusterNode; ownSeq: number }> {
  const old = stand.master;
  const next = otherThan(stand, old);
  stand.write();
  await stand.arm(next, name, count);
  await stand.linked();
  await stand.more();
  await old.kill();
  await stand.quiet();
  const ownSeq = await seqOf(next);
  void next.promote({ force: true }).catch(() => undefined);
  await stand.died(next);
  return { old, next, ownSeq };
}

/** A replica that is told of another master. */
export async function siblingDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { replicas: 2 });
  const sibling = stand.nodes[2] as ClusterNode;
  for (const { name, count } of places) {
    const next = otherThan(stand, stand.master);
    stand.write();
    await stand.arm(sibling, name, count);
    await stand.linked();
    await stand.more();
    const { epoch } = await next.promote();
    stand.follows(next, epoch);
    await stand.died(sibling);
    await stand.back(sibling);
    const found = await stand.holds({ fullSyncs: [[sibling, 0]] });
    say(name, `a replica died when it heard of another master, came back and follows it; ${found}, no full sync`);
  }
}

/** A master that was replaced comes back with writes that only it has, and dies over giving them up. */
export async function returningMasterDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { w: 'majority' });
  for (const { name, count } of places) {
    const old = stand.master;
    const next = otherThan(stand, old);
    const { ownSeq } = await extraWrites(stand, old, () => next.kill());
    await old.kill();
    await stand.back(next);
    await stand.promoteByForce(next);
    await stand.keeps(next);
    await stand.arm(old, name, count);
    await stand.died(old);
    await stand.back(old);
    const found = await stand.holds({
      rolledBack: old,
      fullSyncs: [
        [old, 1],
        [next, 1],
      ],
    });
    await extraIsKept(stand, old, ownSeq);
    say(name, `an old master with writes of its own died when it came back, and kept them in one file; ${found}, 1 full sync`);
  }
}

/** A master whose disk went back in time meets a replica that has more, and dies over beginning anew; or the replica dies over its part. */
export async function lostTailDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t);
  const [master, replica] = stand.nodes as [ClusterNode, ClusterNode];
  for (const { name, count } of places) {
    const isReplicas = name.startsWith('rollback.');
    if (isReplicas) await stand.arm(replica, name, count);
    const backup = join(t.folder(), 'data');
    const { ownSeq } = await extraWrites(stand, master, async () => {
      await master.stop();
      cpSync(master.dataDir, backup, { recursive: true });
      await master.start({ environment: {} });
      await stand.linked();
    });
    await waitUntilEqual(stand.nodes);
    await master.kill();
    stand.goesBack();
    rmSync(master.dataDir, { recursive: true });
    cpSync(backup, master.dataDir, { recursive: true });
    if (isReplicas) {
      await stand.back(master);
      await stand.died(replica);
      await stand.back(replica);
    } else {
      await stand.arm(master, name, count);
      await stand.died(master);
      await stand.back(master);
    }
    stand.follows(master, stand.epoch + 1);
    // With writes before they have met the master would not know that it lost something, but only that the two differ.
    await stand.linked();
    const found = await stand.holds({
      rolledBack: replica,
      fullSyncs: [
        [master, 1],
        [replica, 1],
      ],
    });
    await extraIsKept(stand, replica, ownSeq);
    say(name, `the master had lost its tail and ${isReplicas ? 'its replica' : 'it'} died over that; ${found}, 1 full sync`);
  }
}

/** Writes that are acknowledged by one node alone (w=1) and are not part of what must be there in the end.
 *  @param before done when all is quiet and equal */
async function extraWrites(stand: Stand, node: ClusterNode, before: () => Promise<unknown>): Promise<{ ownSeq: number }> {
  stand.write();
  await stand.more();
  await stand.quiet();
  await stand.linked();
  await waitUntilEqual(stand.nodes);
  const ownSeq = await seqOf(node);
  await before();
  for (let id = 0; id < EXTRA; id++)
    await stand.ok('PUT', '/v1/collections/extra/points?w=1', { points: [{ id, vector: [id, 7, 7, 7] }] }, node);
  return { ownSeq };
}

async function extraIsKept(stand: Stand, node: ClusterNode, ownSeq: number): Promise<void> {
  const seqs = seqsIn(rollbackFiles(node).at(-1) as string);
  assert.equal(
    seqs,
    Array.from({ length: EXTRA }, (_, index) => ownSeq + 1 + index),
  );
  for (const one of stand.nodes) {
    const { count } = await stand.ok<{ count: number }>('POST', '/v1/collections/extra/points/count', {}, one);
    assert.is(count, 0, `what was given up is on ${one.name}`);
  }
}
