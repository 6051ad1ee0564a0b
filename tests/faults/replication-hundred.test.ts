/** A hundred replicas of one master: those that join at once share one snapshot, those that come back go on from the log, and whatever they
 *  do, the master's memory stays bounded, its clients are served, and nothing of them is left when they have gone.
 *
 *  The replicas live in this process, on the master's machine. */

import { watch } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ClusterNode, startNode } from '../support/cluster.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { startLoad } from '../support/load.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { PlainReplica } from '../support/plain-replica.js';
import { openHandles, residentBytes } from '../support/process-figures.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/replication-hundred', { deadlineMs: 900_000 });
const REPLICAS = 100;
const MIB = 1024 * 1024;
/** More than are searched one by one, so that a graph is part of the snapshot. */
const POINTS = 4_000;
const POINTS_AT_ONCE = 1_000;
const DIMENSION = 32;
/** Checking a snapshot is a process of its own, and here all share one machine. */
const CHECKED_AT_ONCE = 2;
const LINKED_MS = 400_000;
const QUIET_MS = 2_000;
/** Of requests that come and go. */
const OTHER_HANDLES = 10;
/** The thread that builds the snapshot, the links themselves, and garbage. */
const BUILDING_BYTES = 64 * MIB;
/** The next chunk is read for a link when less than one waits in its socket. */
const CHUNK_BYTES = MIB;

interface Hundred {
  readonly master: ClusterNode;
  readonly proxy: FaultProxy;
  readonly replicas: readonly PlainReplica[];
}

/** @param fillBytes makes every point this much larger */
async function startHundred(t: TestContext, fillBytes: number, flags: readonly string[] = []): Promise<Hundred> {
  const master = await startNode(t, 'master', { flags });
  const { status } = await master.request('PUT', '/v1/collections/c', { dimension: DIMENSION, distance: 'euclid' });
  assert.is(status, 201);
  for (let from = 0; from < POINTS; from += POINTS_AT_ONCE) {
    const points = Array.from({ length: POINTS_AT_ONCE }, (_, index) => {
      const id = from + index;
      const vector = Array.from({ length: DIMENSION }, (__, at) => Math.sin((id + 1) * (at + 1)));
      return { id, vector, payload: { fill: 'x'.repeat(fillBytes) } };
    });
    assert.is((await master.request('PUT', '/v1/collections/c/points?wait=indexed', { points })).status, 200);
  }
  const proxy = await startFaultProxy(t, master.port);
  const lanes = Array.from({ length: CHECKED_AT_ONCE }, () => new Lane());
  const replicas = Array.from({ length: REPLICAS }, (_, index) => {
    const lane = lanes[index % CHECKED_AT_ONCE] as Lane;
    const replica = new PlainReplica(join(t.folder(), 'data'), { masterUrl: proxy.url, inTurn: (work) => lane.inTurn(work) });
    t.after(() => replica.stop());
    return replica;
  });
  return { master, proxy, replicas };
}

/** One after the other. */
class Lane {
  #last: Promise<unknown> = Promise.resolve();

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** @returns the names of the snapshots that the node begins to build from now on */
function watchBuilds(t: TestContext, { dataDir }: ClusterNode): Set<string> {
  const begun = new Set<string>();
  const watcher = watch(dataDir, (_, name) => {
    if (name?.startsWith('outgoing-') === true) begun.add(name);
  });
  t.after(() => watcher.close());
  return begun;
}

/** @returns how much more than now was resident at the most, until it is asked */
function watchMemory(t: TestContext, node: ClusterNode): () => number {
  const { pid } = node.process;
  const before = residentBytes(pid);
  let most = before;
  const look = (): void => {
    most = Math.max(most, residentBytes(pid));
  };
  const timer = setInterval(look, 50);
  t.after(() => clearInterval(timer));
  return () => {
    clearInterval(timer);
    look();
    return most - before;
  };
}

/** @param links as many as were ever begun: none ended but those that the test ended */
async function assertLinked({ master, proxy, replicas }: Hundred, links: number): Promise<void> {
  const linked = async (): Promise<boolean> => {
    if (proxy.counts.accepted < links || replicas.some(({ isFollowing }) => !isFollowing)) return false;
    return (await master.stats())['connected_replicas'] === REPLICAS;
  };
  await waitUntil(linked, { deadlineMs: LINKED_MS, what: 'all replicas to be linked' });
  assert.is(proxy.counts.accepted, links);
  for (const { errors } of replicas) assert.equal(errors, []);
}

/** @param partial of each replica */
async function assertSyncs({ master, replicas }: Hundred, partial: number): Promise<void> {
  const own = await master.stats();
  assert.equal([own.full_syncs, own.partial_syncs, own.divergences], [REPLICAS, REPLICAS * partial, 0]);
  for (const replica of replicas) {
    const { full_syncs, partial_syncs, divergences } = await replica.stats();
    assert.equal([full_syncs, partial_syncs, divergences], [1, partial, 0]);
  }
}

/** Waits until it has sent no more than heartbeats for a while. */
async function sendsNothing(master: ClusterNode): Promise<void> {
  let sent = 0;
  let sinceMs = performance.now();
  const quiet = async (): Promise<boolean> => {
    const bytes = Number((await master.stats())['bytes_sent']);
    if (bytes > sent + MIB) [sent, sinceMs] = [bytes, performance.now()];
    return performance.now() - sinceMs > QUIET_MS;
  };
  await waitUntil(quiet, { deadlineMs: 60_000, what: 'the master to send nothing more' });
}

function assertBelow(bytes: number, bytesMax: number): void {
  assert.ok(bytes < bytesMax, `the master grew by ${(bytes / MIB).toFixed(1)} MiB`);
}

/** All replicas go, and what the master held for them. @param handles how many it had before they came */
async function assertNothingLeft({ master, proxy, replicas }: Hundred, handles: number): Promise<void> {
  for (const replica of replicas) replica.stop();
  await proxy.close();
  const { pid } = master.process;
  const gone = async (): Promise<boolean> =>
    (await master.stats())['connected_replicas'] === 0 && openHandles(pid) <= handles + OTHER_HANDLES;
  await waitUntil(gone, { deadlineMs: 60_000, what: `handles to be ${handles} again` }).catch((error: Error) => {
    throw new Error(`${error.message}; now ${openHandles(pid)}`);
  });
}

test('a hundred that join at once share one snapshot, and when all links break they go on from the log', async (t) => {
  const hundred = await startHundred(t, 0);
  const { master, proxy, replicas } = hundred;
  const ledger = new WriteLedger({ ids: 200, wait: 'durable' });
  await ledger.makeCollections(master);
  const handles = openHandles(master.process.pid);
  const builds = watchBuilds(t, master);
  const grown = watchMemory(t, master);
  const load = startLoad(() => master, { ledger, writers: 2, pointsPerSecond: 10 });
  for (const replica of replicas) replica.join();
  // One for the snapshot, one that goes on from it.
  await assertLinked(hundred, 2 * REPLICAS);
  await assertSyncs(hundred, 0);
  assert.is(builds.size, 1, 'snapshots that were built');
  const heads = replicas.flatMap((replica) => replica.heads);
  assert.is(heads.length, REPLICAS);
  assert.is(new Set(heads.map(({ id }) => id)).size, 1, 'snapshots that were taken');
  assert.ok(
    heads[0]?.files.some(({ name }) => name.endsWith('.hnsw')),
    'a graph is part of it',
  );
  proxy.cut();
  await assertLinked(hundred, 3 * REPLICAS);
  await assertSyncs(hundred, 1);
  assert.is(builds.size, 1, 'snapshots that were built');
  const { tried, acknowledged, perSecond } = await load.stop();
  assert.equal([...ledger.refused], []);
  assert.is(acknowledged, tried, 'every write was answered');
  assert.ok(perSecond > 1, `${perSecond} writes a second`);
  await waitUntilEqual([master, ...replicas], { deadlineMs: 60_000 });
  await ledger.check(master);
  assertBelow(grown(), REPLICAS * CHUNK_BYTES + BUILDING_BYTES);
  await assertNothingLeft(hundred, handles);
});

test('a hundred that begin a snapshot and do not read it cost no more than what waits for each', async (t) => {
  const hundred = await startHundred(t, 4_000, ['--replica-timeout-ms', '60000']);
  const { master, proxy, replicas } = hundred;
  const handles = openHandles(master.process.pid);
  const grown = watchMemory(t, master);
  for (const replica of replicas) replica.join();
  await waitUntil(async () => (await master.stats()).full_syncs === REPLICAS, { deadlineMs: 60_000, what: 'all to begin' });
  proxy.hold('toReplica');
  await sendsNothing(master);
  assert.equal(
    replicas.flatMap(({ heads }) => heads),
    [],
    'nobody has all of it',
  );
  await assertNothingLeft(hundred, handles);
  assertBelow(grown(), 2 * REPLICAS * CHUNK_BYTES + BUILDING_BYTES);
});

test.run();
