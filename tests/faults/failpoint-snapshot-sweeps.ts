/** Deaths while a snapshot is cut, sent, received and put in the place of the data: of the side that gives and of the side that takes. */

import * as assert from 'uvu/assert';
import type { Failpoint } from '../../src/model/failpoint.js';
import type { ClusterNode } from '../support/cluster.js';
import type { TestContext } from '../support/suite.js';
import { type Place, type Say, Stand } from './failpoint-stand.js';

/** The data of a snapshot has its place from here on. */
const AFTER_THE_SWITCH: ReadonlySet<Failpoint> = new Set([
  'switch.after_current',
  'switch.after_manifest',
  'switch.before_open',
  'switch.after_open',
]);
const MIB = 2 ** 20;

/** As much data as makes several chunks. */
async function fill(stand: Stand): Promise<void> {
  const text = 'x'.repeat(60_000);
  const points = Array.from({ length: 70 }, (_, id) => ({ id, vector: [id, 1, 2, 3], payload: { text } }));
  await stand.ok('PUT', '/v1/collections/extra/points', { points });
}

/** A replica joins and the master dies over its snapshot. */
export async function senderDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { replicas: 0 });
  const { master } = stand;
  await fill(stand);
  for (const { name, count } of places) {
    stand.write();
    await stand.arm(master, name, count);
    const joining = await stand.newReplica(`r-${name}`);
    await joining.start({ untilListening: true });
    await stand.died(master);
    await stand.back(master);
    const begun = name === 'snapshot.chunk_sent' ? 1 : 0;
    const found = await stand.holds({
      fullSyncs: [
        [master, 1],
        [joining, begun + 1],
      ],
    });
    await stand.dismiss(joining);
    say(name, `the master died at pass ${count} over the snapshot of a joining replica, built it anew; ${found}`);
  }
}

/** The same with a replica in the master's place. */
export async function middleSenderDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t);
  const middle = stand.nodes[1] as ClusterNode;
  await fill(stand);
  for (const { name, count } of places) {
    stand.write();
    await stand.arm(middle, name, count);
    const joining = await stand.newReplica(`r-${name}`, middle);
    await joining.start({ untilListening: true });
    await stand.died(middle);
    await stand.back(middle);
    const begun = name === 'snapshot.chunk_sent' ? 1 : 0;
    const found = await stand.holds({
      fullSyncs: [
        [middle, 1],
        [joining, begun + 1],
      ],
    });
    await stand.dismiss(joining);
    say(name, `the middle of a chain died at pass ${count} over the snapshot of a joining replica; ${found}`);
  }
}

/** A replica without data dies over its first snapshot: what has come is not fetched again. */
export async function joiningDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t, { replicas: 0 });
  const { master } = stand;
  await fill(stand);
  for (const { name, count } of places) {
    stand.write();
    const joining = await stand.newReplica(`r-${name}`);
    await stand.arm(joining, name, count);
    await stand.died(joining);
    await stand.back(joining);
    const isNew = AFTER_THE_SWITCH.has(name);
    const found = await stand.holds({
      fullSyncs: [
        [master, 1],
        [joining, isNew ? 0 : 1],
      ],
    });
    // It serves a moment before the old store is removed and the snapshot counts as installed.
    const { snapshot_size: size, bytes_received: received } = await joining.stats();
    const again = isNew ? 'its new data' : `${mib(received)} of ${mib(size)} MiB were fetched by its next life`;
    const fetchedMax = FETCHED_MAX.get(name);
    if (fetchedMax !== undefined) assert.ok(Number(received) <= fetchedMax(Number(size), count), again);
    await stand.dismiss(joining);
    say(name, `a joining replica died at pass ${count}, found ${again}; ${found}, 1 full sync`);
  }
}

/** How many bytes the next life may fetch, with what the log and heartbeats bring. */
const FETCHED_MAX = new Map<Failpoint, (size: number, chunks: number) => number>([
  ['snapshot.chunk_received', (size, chunks) => size - chunks * MIB + MIB / 2],
  ['snapshot.chunk_written', (size, chunks) => size - chunks * MIB + MIB / 2],
  ['snapshot.before_verify', () => MIB / 2],
  ['snapshot.after_verify', () => MIB / 2],
]);

function mib(bytes: unknown): string {
  return (Number(bytes) / MIB).toFixed(1);
}

/** A replica with data is told to take a copy anew and dies over it: it has the old data or the new, and goes on from its log. */
export async function refreshingDies(t: TestContext, places: readonly Place[], say: Say): Promise<void> {
  const stand = await Stand.start(t);
  const [master, replica] = stand.nodes as [ClusterNode, ClusterNode];
  await fill(stand);
  for (const { name, count } of places) {
    stand.write();
    await stand.arm(replica, name, count);
    await stand.linked();
    await stand.more();
    await stand.ok('POST', '/replication/resync', { full: true }, replica);
    await stand.died(replica);
    await stand.back(replica);
    const found = await stand.holds({
      fullSyncs: [
        [master, 1],
        [replica, 0],
      ],
    });
    const what = AFTER_THE_SWITCH.has(name) ? 'new' : 'old';
    say(name, `a replica died at pass ${count} over another copy, had the ${what} data, went on from its log; ${found}`);
  }
}
