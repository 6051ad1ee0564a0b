/** The answers of the side that serves while a link is opened: challenge, then welcome or refusal. Sees to it that whoever was not
 *  refused may be served, and tells the node what a hello says of masterships. Must not know: sockets, what follows the welcome. */

import { randomBytes } from 'node:crypto';
import type { ReplicatedLog } from '../engine/engine.js';
import type { Log } from '../model/log.js';
import { NO_EPOCH } from '../model/position.js';
import type { Role } from '../model/replication.js';
import {
  type Challenge,
  CONTROL_TEXT_MAX,
  type Hello,
  type Open,
  PROTOCOL_VERSION,
  type Reject,
  type RejectReason,
  type Welcome,
} from '../wire/frames.js';
import { decide, type SyncRule, type Verdict } from './decide.js';
import type { LinkRules } from './link-progress.js';
import { checkProof, makeProof, type Nonces } from './proof.js';
import { hexOf, plainLineage } from './standing.js';

export interface GreetingParts {
  readonly rules: LinkRules;
  readonly log: Log;
  readonly keys: readonly Uint8Array[];
  readonly runId: string;
  readonly software: string;
  feed(): ReplicatedLog | null;
  role(): Role;
  /** Node ids from here up to the master, this node first. */
  path(): readonly string[];
  masterUrl(): string | null;
  snapshotBytes(): number;
  /** Nodes with a living link other than the one that sends this hello. */
  linkedBeside(hello: Hello): ReadonlySet<string>;
  /** From this seq on back the log cannot be sent. */
  damagedSeq(): number;
  damaged(seq: number, error: unknown): void;
  onNewerEpoch(epoch: number, masterUrl: string | null): void;
  onConflict(epoch: number, nodeId: string): void;
  /** Resolves when a new history has begun. */
  onLostTail(seq: number): Promise<void>;
}

export type Greeting =
  | { readonly answer: Reject }
  /** rule: null for a probe, which is told who this is and no more. */
  | { readonly answer: Welcome; readonly rule: SyncRule | null };

const RETRY_SOON_MS = 500;
/** A log of up to this size is cheaper to send than to measure. */
const LOG_SCAN_ABOVE_BYTES = 64 * 1024 * 1024;
const NOBODY = { clusterId: null, nodeId: '0'.repeat(32), epoch: NO_EPOCH };

export class Greeter {
  readonly #parts: GreetingParts;

  constructor(parts: GreetingParts) {
    this.#parts = parts;
  }

  challenge(open: Open): Challenge | Reject {
    if (open.protoMin > PROTOCOL_VERSION || open.protoMax < PROTOCOL_VERSION)
      return this.#reject(null, 'UNSUPPORTED_VERSION', `this node speaks protocol ${PROTOCOL_VERSION}`, null);
    const nonce = randomBytes(16).toString('hex');
    return { type: 'challenge', proto: PROTOCOL_VERSION, nonce, keyed: this.#parts.keys.length > 0 };
  }

  /** @throws CorruptData, and what changing the history throws */
  async greet(hello: Hello, nonces: Nonces): Promise<Greeting> {
    const { nodeId, clusterId, highestEpoch } = hello;
    const speaker = { side: 'replica', nodeId, clusterId, epoch: highestEpoch } as const;
    const key = checkProof(this.#parts.keys, nonces, speaker, hello.proof);
    if (key === null) {
      this.#parts.log.warn('replica_unauthorized', { node_id: nodeId });
      return { answer: this.#reject(null, 'UNAUTHORIZED', 'the proof of the cluster key does not hold', null) };
    }
    const signed: Signature = { nonces, key };
    const notNow = (message: string) => ({ answer: this.#reject(signed, 'NOT_SERVING', message, RETRY_SOON_MS) });
    const feed = this.#parts.feed();
    if (feed === null) return notNow('this node has no data to serve yet');
    if (hello.kind === 'probe') this.#hearMaster(feed, hello);
    const verdict = await this.#judge(feed, hello);
    if (this.#parts.feed() !== feed) return notNow('the data is being replaced');
    if (verdict.kind !== 'accept') return { answer: await this.#refusal(signed, verdict, hello) };
    if (hello.kind === 'probe') return { answer: this.#welcome(feed, signed, null), rule: null };
    return { answer: this.#welcome(feed, signed, verdict.decision), rule: verdict.rule };
  }

  /** A master says that it is there. */
  #hearMaster(feed: ReplicatedLog, { role, highestEpoch, masterUrl, nodeId, clusterId }: Hello): void {
    const { epoch, clusterId: own, nodeId: self } = feed.state();
    if (role !== 'master' || nodeId === self || clusterId !== own || highestEpoch < epoch) return;
    if (highestEpoch > epoch || this.#parts.role() === 'replica') this.#parts.onNewerEpoch(highestEpoch, masterUrl);
    else this.#parts.onConflict(epoch, nodeId);
  }

  async #judge(feed: ReplicatedLog, hello: Hello): Promise<Verdict> {
    const { position } = hello;
    const before = feed.state();
    const known = position !== null && position.seq >= before.logMinSeq - 1 && position.seq <= before.seq;
    // A damaged row cannot be sent, so whoever needs it takes a snapshot.
    const usable = known && position.seq >= this.#parts.damagedSeq();
    const hash = usable ? this.#chainHashAt(feed, position.seq) : null;
    const measured = usable && before.logBytes > LOG_SCAN_ABOVE_BYTES;
    const catchUpBytes = measured ? await feed.bytesAfter(position.seq) : before.logBytes;
    return decide(hello, {
      ...feed.state(),
      lineage: plainLineage(feed.lineage()),
      path: this.#parts.path(),
      linked: this.#parts.linkedBeside(hello),
      hashAtPosition: hash === null ? null : hexOf(hash),
      catchUpBytes,
      snapshotBytes: this.#parts.snapshotBytes(),
    });
  }

  #chainHashAt(feed: ReplicatedLog, seq: number): Uint8Array | null {
    try {
      return feed.chainHashAt(seq);
    } catch (error) {
      this.#parts.damaged(seq, error);
      return null;
    }
  }

  async #refusal(signed: Signature, verdict: Exclude<Verdict, { kind: 'accept' }>, hello: Hello): Promise<Reject> {
    switch (verdict.kind) {
      case 'reject': {
        const again = verdict.reason === 'DUPLICATE_NODE' ? RETRY_SOON_MS : null;
        return this.#reject(signed, verdict.reason, verdict.message, again);
      }
      case 'stale':
        this.#parts.onNewerEpoch(verdict.epoch, hello.masterUrl);
        return this.#reject(signed, 'STALE_MASTER', `this node is of an older epoch than ${verdict.epoch}`, RETRY_SOON_MS);
      case 'conflict':
        this.#parts.onConflict(verdict.epoch, hello.nodeId);
        return this.#reject(signed, 'STALE_MASTER', `two lines of data claim epoch ${verdict.epoch}`, RETRY_SOON_MS);
      case 'lost_tail':
        // Who only asks shows what it has when it links.
        if (hello.kind === 'follow') await this.#parts.onLostTail(verdict.seq);
        return this.#reject(signed, 'BUSY', 'a new history has begun here', RETRY_SOON_MS);
    }
  }

  #reject(signed: Signature | null, reason: RejectReason, message: string, retryAfterMs: number | null): Reject {
    // A stranger is not told who this is, nor where the master is.
    const state = (signed === null ? null : this.#parts.feed()?.state()) ?? NOBODY;
    const { clusterId, nodeId, epoch } = state;
    return {
      type: 'reject',
      reason,
      message: message.slice(0, CONTROL_TEXT_MAX),
      retryAfterMs,
      clusterId,
      nodeId,
      epoch,
      masterUrl: signed === null ? null : this.#parts.masterUrl(),
      proof: this.#sign(signed, state),
    };
  }

  #sign(
    signed: Signature | null,
    { clusterId, nodeId, epoch }: { clusterId: string | null; nodeId: string; epoch: number },
  ): string {
    if (signed === null) return '';
    return makeProof([signed.key], signed.nonces, { side: 'master', nodeId, clusterId, epoch });
  }

  #welcome(feed: ReplicatedLog, signed: Signature, decision: Welcome['decision']): Welcome {
    const state = feed.state();
    const { clusterId, nodeId, epoch, historyId, logMinSeq, seq } = state;
    const { windowBytes, heartbeatMs, timeoutMs } = this.#parts.rules;
    return {
      type: 'welcome',
      software: this.#parts.software,
      clusterId,
      nodeId,
      runId: this.#parts.runId,
      role: this.#parts.role(),
      epoch,
      historyId,
      lineage: plainLineage(feed.lineage()),
      logMinSeq,
      lastSeq: seq,
      decision,
      limits: { windowBytes, heartbeatMs, timeoutMs },
      masterUrl: this.#parts.masterUrl(),
      path: [...this.#parts.path()],
      proof: this.#sign(signed, state),
    };
  }
}

/** What a proof is made with. */
interface Signature {
  readonly nonces: Nonces;
  readonly key: Uint8Array;
}
