/** What a follower is given, and what it counts; the counts outlive it. */

import type { ClientOptions } from 'ws';
import type { TracedEntry } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { LinkValues, Welcome } from '../wire/frames.js';
import type { LinkCounts } from './link-socket.js';
import type { HandshakeParts } from './replica-handshake.js';
import type { ReplicaRules } from './replica-progress.js';
import type { IntakeParts } from './snapshot-intake.js';

export interface FollowerParts extends HandshakeParts, Pick<IntakeParts, 'openIncoming' | 'discardIncoming' | 'install'> {
  readonly rules: ReplicaRules & { readonly heartbeatMs: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly tls: Pick<ClientOptions, 'ca' | 'cert' | 'key'>;
  /** ws(s)://host:port/replication/stream */
  readonly streamUrl: string;
  /** The highest epoch that this node has ever seen. */
  readonly highestEpoch: number;
  /** How long to wait before the first link. */
  readonly restMs: number;
  /** The snapshot that was just taken, which the first hello names. */
  readonly installed: string | null;
  /** All of the log that is in the indexes too. */
  appliedSeq(): number;
  /** Keeps what this node has beyond `commonSeq` and the master does not; durable on return. */
  saveRollback(commonSeq: number): Promise<void>;
  /** Durable on return. */
  noteEpoch(epoch: number): void;
  noteMaster(welcome: Welcome): void;
  onRequest(method: string, parameters: LinkValues): Promise<LinkValues>;
  /** A traced request of the master has taken effect here. */
  onTraced(entry: TracedEntry): void;
  /** The master names another one. */
  onRedirect(masterUrl: string): void;
}

/** What a follower has counted; outlives it. */
export interface FollowerCounts extends LinkCounts {
  heartbeatsReceived: number;
  acknowledgementsSent: number;
  fullSyncs: number;
  partialSyncs: number;
  /** Those that a master welcomed. */
  links: number;
  divergences: number;
  /** Of the last snapshot that was put in place; 0: none was. */
  snapshotBytes: number;
  /** The snapshot that was begun and is not in place yet: going on with it is no sync of its own. */
  begunSnapshot: string | null;
  lastHeartbeatWallMs: number | null;
  lastSyncWallMs: number | null;
  digestVerifiedWallMs: number | null;
}

export function newFollowerCounts(): FollowerCounts {
  return {
    bytesSent: 0,
    bytesReceived: 0,
    heartbeatsReceived: 0,
    acknowledgementsSent: 0,
    fullSyncs: 0,
    partialSyncs: 0,
    links: 0,
    divergences: 0,
    snapshotBytes: 0,
    begunSnapshot: null,
    lastHeartbeatWallMs: null,
    lastSyncWallMs: null,
    digestVerifiedWallMs: null,
  };
}
