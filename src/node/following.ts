/** Whom this node follows: one follower at a time, with what outlives it: counts, what is known of the master, where clients reach it.
 *  Must not know: why a node follows, roles' files. */

import type { RunningEngine } from '../engine/engine.js';
import {
  discardIncoming,
  type IncomingSnapshot,
  openIncoming,
  resumableSnapshot,
  type SnapshotHead,
} from '../engine/snapshot.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { Tracer } from '../model/tracer.js';
import { Follower } from '../replication/follower.js';
import { type FollowerParts, newFollowerCounts } from '../replication/follower-parts.js';
import { MasterTail } from '../replication/master-tail.js';
import { traceApplied } from './applied-span.js';
import { streamUrlOf } from './master-url.js';
import { saveRollback } from './rollback.js';

export interface FollowingParts
  extends Pick<
    FollowerParts,
    'keys' | 'runId' | 'software' | 'voter' | 'tls' | 'address' | 'onRequest' | 'onRedirect' | 'noteEpoch'
  > {
  readonly dataDir: string;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  engine(): RunningEngine;
  install(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void>;
}

const BACKOFF = { backoffMinMs: 100, backoffMaxMs: 5_000, greetingMs: 5_000, steadyMs: 10_000 };

export class Following {
  readonly counts = newFollowerCounts();
  readonly #parts: FollowingParts;
  #tail = new MasterTail();
  #follower: Follower | null = null;
  #masterHttpUrl: string | null = null;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
  }

  /** Null: nobody is followed. */
  get follower(): Follower | null {
    return this.#follower;
  }

  /** Where clients reach the master, as it said itself. */
  get masterHttpUrl(): string | null {
    return this.#masterHttpUrl;
  }

  /** The last seq that the master is known to have. */
  get knownSeq(): number | null {
    return this.#tail.knownSeq;
  }

  /** How old this node's data may be; null: not known, or nobody is followed. */
  lagMs(): number | null {
    const follower = this.#follower;
    if (follower === null) return null;
    return this.#tail.lagMs({
      nowMs: this.#parts.clock.monotonicMs(),
      appliedSeq: this.#parts.engine().indexedSeq(),
      linked: follower.isLinked,
      heardMs: follower.state.heardMs,
      heartbeatMs: this.#parts.heartbeatMs,
    });
  }

  lagOperations(): number | null {
    return this.#follower === null ? null : this.#tail.lagOperations(this.#parts.engine().indexedSeq());
  }

  lagBytes(): number | null {
    const follower = this.#follower;
    return follower === null ? null : this.#tail.lagBytes(this.#parts.engine().indexedSeq(), follower.state.receivedSeq);
  }

  /** @param highestEpoch the highest that this node has seen in this cluster @param installed the snapshot that was just taken
   *  @param restMs before the first link */
  begin(masterUrl: string, highestEpoch: number, installed: string | null, restMs: number): void {
    this.end();
    const { clock, log, tracer, dataDir, timeoutMs, heartbeatMs, keys, runId, software, voter, tls } = this.#parts;
    const engine = this.#parts.engine();
    const parts: FollowerParts = {
      ...{ clock, log, keys, runId, software, voter, tls, highestEpoch, installed, restMs },
      rules: { ...BACKOFF, timeoutMs, heartbeatMs },
      random: Math.random,
      streamUrl: streamUrlOf(masterUrl).stream,
      feed: engine.log,
      appliedSeq: () => engine.indexedSeq(),
      address: () => this.#parts.address(),
      masterUrl: () => this.#masterHttpUrl,
      openIncoming: (head) => openIncoming(dataDir, head),
      discardIncoming: () => discardIncoming(dataDir),
      resumable: () => resumableSnapshot(dataDir),
      install: async (incoming, head) => {
        if (this.#follower !== follower) throw new Error('this node follows another master by now');
        await this.#parts.install(incoming, head);
      },
      saveRollback: (commonSeq) => saveRollback(dataDir, engine.log, commonSeq, log),
      noteEpoch: (epoch) => this.#parts.noteEpoch(epoch),
      noteMaster: (welcome) => {
        this.#masterHttpUrl = welcome.masterUrl;
      },
      onRequest: (method, parameters) => this.#parts.onRequest(method, parameters),
      onTraced: (entry) => {
        const { seq, trace } = entry;
        log.debug('operation_applied', { seq, trace_id: trace.split('-')[1], traceparent: trace });
        if (tracer !== null) traceApplied(tracer, entry, clock.monotonicMs());
      },
      onRedirect: (url) => this.#parts.onRedirect(url),
    };
    const follower = new Follower(parts, this.counts, this.#tail);
    this.#follower = follower;
  }

  /** The link ends. */
  end(): void {
    this.#follower?.stop();
    this.#follower = null;
  }

  /** Nobody is followed any more: what has come of a snapshot is of no use. */
  leave(): void {
    void this.#follower?.intake.drop();
    this.forgetMaster();
  }

  /** Another master is to be followed, or none: what was known of the last says nothing of the next. */
  forgetMaster(): void {
    this.end();
    this.#masterHttpUrl = null;
    this.#tail = new MasterTail();
  }
}
