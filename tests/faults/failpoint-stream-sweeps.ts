/** Deaths while a master commits, sends and greets, and while a replica receives, applies and acknowledges. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import type { ClusterNode } from '../support/cluster.js';
import type { TestContext } from '../support/suite.js';
import { type Place, rollbackFiles, type Say, Stand } from './failpoint-stand.js';

export async function masterDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t);
  const [master, replica] = stand.nodes as [ClusterNode, ClusterNode];
  for (const { name, count } of places) {
    stand.write();
    await stand.arm(master, name, count);
    await stand.died(master);
    await stand.back(master);
    const found = await stand.holds({
      fullSyncs: [
        [master, 0],
        [replica, 0],
      ],
    });
    say(name, `the master died at pass ${count} under writes (w=1), came back as master; ${found}, no full sync`);
  }
}

export async function replicaDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { w: 'majority' });
  const [master, replica] = stand.nodes as [ClusterNode, ClusterNode];
  for (const { name, count } of places) {
    stand.write();
    await stand.arm(replica, name, count);
    await stand.died(replica);
    await stand.back(replica);
    const found = await stand.holds({
      fullSyncs: [
        [master, 0],
        [replica, 0],
      ],
    });
    say(name, `the replica died at pass ${count} under writes (w=majority), went on from its log; ${found}, no full sync`);
  }
}

/** A replica that others follow: to them it is what a master is. */
export async function middleDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t);
  const middle = stand.nodes[1] as ClusterNode;
  const last = await stand.newReplica('c', middle);
  await last.start();
  await stand.linked();
  await stand.look();
  for (const { name, count } of places) {
    stand.write();
    await stand.arm(middle, name, count);
    await stand.died(middle);
    await stand.back(middle);
    const found = await stand.holds({
      fullSyncs: [
        [stand.master, 0],
        [middle, 0],
        [last, 0],
      ],
    });
    say(name, `the middle of a chain died at pass ${count}, came back between the others; ${found}, no full sync`);
  }
}

/** What a majority confirmed outlives the master, whatever it was doing. */
export async function masterIsReplaced(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { w: 'majority' });
  for (const { name, count } of places) {
    const old = stand.master;
    const next = stand.nodes.find((node) => node !== old) as ClusterNode;
    stand.write();
    await stand.arm(old, name, count);
    await stand.died(old);
    await stand.quiet();
    const ownSeq = await seqOf(next);
    await stand.promoteByForce(next);
    await stand.keeps(next);
    const found = await oldMasterReturns(stand, old, ownSeq);
    say(name, `the master died at pass ${count} under writes (w=majority), its replica was promoted by force; ${found}`);
  }
}

/** What a replica confirmed is durable there: it died right then, and the master a moment later. */
export async function bothDie(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { w: 'majority' });
  for (const { name, count } of places) {
    const old = stand.master;
    const next = stand.nodes.find((node) => node !== old) as ClusterNode;
    stand.write();
    await stand.arm(next, name, count);
    await stand.died(next);
    await old.kill();
    await stand.quiet();
    await stand.back(next);
    const ownSeq = await seqOf(next);
    await stand.promoteByForce(next);
    await stand.keeps(next);
    const found = await oldMasterReturns(stand, old, ownSeq);
    say(name, `the replica died at pass ${count}, then the master; the replica came back and was promoted by force; ${found}`);
  }
}

export async function seqOf(node: ClusterNode): Promise<number> {
  return decodeToken((await node.stats()).position, 'position').seq;
}

/** The old master takes another copy of the data only if it has more than the new one had, and keeps exactly that.
 *  @param ownSeq where the new one was when it was promoted */
export async function oldMasterReturns(stand: Stand, old: ClusterNode, ownSeq: number): Promise<string> {
  const { master } = stand;
  const before = rollbackFiles(old).length;
  await stand.back(old);
  stand.write();
  await stand.linked();
  const [file] = rollbackFiles(old).slice(before);
  const extra = file === undefined ? [] : seqsIn(file);
  assert.equal(
    extra,
    extra.map((_, index) => ownSeq + 1 + index),
    'each entry that only the old master had, once',
  );
  const copies = extra.length > 0 ? 1 : 0;
  const found = await stand.holds({
    rolledBack: copies === 1 ? old : null,
    fullSyncs: [
      [old, copies],
      [master, copies],
    ],
  });
  return `${found}, ${extra.length} unconfirmed entries kept in a file`;
}

export function seqsIn(file: string): number[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
}
