/** A side that serves and a side that follows, of the product, over a real WebSocket, each on a log that lives in memory.
 *  Must not know: what is tested. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import type { BuiltSnapshot } from '../../src/engine/snapshot.js';
import { systemClock } from '../../src/model/clock.js';
import { type Log, silentLog } from '../../src/model/log.js';
import { Follower } from '../../src/replication/follower.js';
import { type FollowerCounts, type FollowerParts, newFollowerCounts } from '../../src/replication/follower-parts.js';
import { LinkDoor } from '../../src/replication/link-door.js';
import { MasterTail } from '../../src/replication/master-tail.js';
import { ReplicationSource } from '../../src/replication/source.js';
import { FakeLog } from './fake-log.js';
import type { TestContext } from './suite.js';

const [own, nothing] = [() => ({ host: 'h', port: 1 }), () => {}];
const NODE = { clock: systemClock, log: silentLog, keys: [], software: 'test', address: own, masterUrl: () => null };
const TIMEOUT_MS = 20_000;

export interface ServingOptions {
  readonly log?: ReplicatedLog;
  readonly heartbeatMs?: number;
  readonly snapshot?: BuiltSnapshot;
  /** Each time one is built; instead of `snapshot`. */
  buildSnapshot?(): BuiltSnapshot;
  readonly snapshotMinIntervalMs?: number;
  /** What it says. */
  readonly says?: Log;
}

/** @returns the side that serves, and the URL of its stream */
export async function startSource(
  t: TestContext,
  { log = new FakeLog().log, heartbeatMs = 1_000, says = silentLog, snapshotMinIntervalMs = 0, ...options }: ServingOptions = {},
): Promise<{ source: ReplicationSource; streamUrl: string }> {
  const source = new ReplicationSource({
    ...NODE,
    log: says,
    rules: { heartbeatMs, timeoutMs: TIMEOUT_MS, windowBytes: 1_000, openingMs: 5_000, lagMs: 1_000, snapshotMinIntervalMs },
    runId: 'd'.repeat(32),
    door: new LinkDoor(systemClock),
    role: () => 'master',
    pathUp: () => [],
    lagMs: () => 0,
    snapshotBytes: () => options.snapshot?.head.bytes ?? 0,
    buildSnapshot: async () => {
      const snapshot = options.buildSnapshot?.() ?? options.snapshot;
      if (snapshot === undefined) throw new Error('this test has no snapshot');
      return snapshot;
    },
    onNewerEpoch: nothing,
    onConflict: nothing,
    onLostTail: async () => {},
    onRequest: async () => ({}),
  });
  source.attach(log);
  const http = createServer().on('upgrade', (request, socket, head) => source.upgrade(request, socket, head));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await source.close();
    http.close();
  });
  return { source, streamUrl: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

/** A log as the other node has it, in memory. */
export function logOfAnother(fake = new FakeLog()): ReplicatedLog {
  const { log } = fake;
  return { ...log, beginApply: nothing, state: () => ({ ...log.state(), nodeId: 'b'.repeat(32) }) };
}

export function startFollower(
  t: TestContext,
  streamUrl: string,
  parts: Partial<FollowerParts> & Pick<FollowerParts, 'feed'>,
): { follower: Follower; counts: FollowerCounts } {
  const counts = newFollowerCounts();
  const all: FollowerParts = {
    ...{ ...NODE, streamUrl, runId: 'e'.repeat(32), voter: true, tls: {} },
    rules: {
      heartbeatMs: 1_000,
      timeoutMs: TIMEOUT_MS,
      greetingMs: 5_000,
      backoffMinMs: 10,
      backoffMaxMs: 100,
      steadyMs: 10_000,
    },
    ...{ random: () => 0, highestEpoch: 0, restMs: 0, installed: null, appliedSeq: () => parts.feed.state().seq },
    openIncoming: () => Promise.reject(new Error('this test takes no snapshot')),
    discardIncoming: async () => {},
    resumable: async () => null,
    install: async () => {},
    saveRollback: async () => {},
    ...{ noteEpoch: nothing, noteMaster: nothing, onRequest: async () => ({}), onTraced: nothing, onRedirect: nothing },
    ...parts,
  };
  const follower = new Follower(all, counts, new MasterTail());
  t.after(() => follower.stop());
  return { follower, counts };
}
