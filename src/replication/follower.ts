/** The side of replication that follows: keeps a link to the master, hands entries on to be applied, takes snapshots, acknowledges.
 *
 *  Does what replica-progress decides. Reads go on from what is there, whatever the link does.
 *  Must not know: how a store is exchanged for another, HTTP, roles. Specified in docs/REPLICATION.md. */

import type { ApplyFailure } from '../engine/engine.js';
import { failpoint } from '../model/failpoint.js';
import type {
  EntriesFrame,
  Frame,
  HeartbeatFrame,
  LinkValues,
  PlainLineage,
  Reject,
  SnapshotChunkFrame,
  Welcome,
} from '../wire/frames.js';
import { PARTED } from './decide.js';
import type { FollowerCounts, FollowerParts } from './follower-parts.js';
import { MasterLink } from './master-link.js';
import type { MasterTail } from './master-tail.js';
import { newReplica, type ReplicaEvent, type ReplicaFault, type ReplicaState, replicaStep } from './replica-progress.js';
import { SnapshotIntake } from './snapshot-intake.js';
import { hexOf } from './standing.js';

const TICK_MS = 20;
const FRAMES_WAITING_MAX = 4;

export class Follower {
  /** Node ids from the one that is followed up to the master, as it said last. */
  path: readonly string[] = [];
  readonly #parts: FollowerParts;
  readonly #counts: FollowerCounts;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  readonly #stopTracing: () => void;
  readonly intake: SnapshotIntake;
  readonly #tail: MasterTail;
  #state: ReplicaState;
  #link: MasterLink | null = null;
  #applying = 0;
  #ackedApplied = -1;
  #ackedMs = 0;
  #installed: string | null;

  /** @param tail what earlier followers of the same node learned of the master */
  constructor(parts: FollowerParts, counts: FollowerCounts, tail: MasterTail) {
    this.#parts = parts;
    this.#counts = counts;
    this.#tail = tail;
    this.#installed = parts.installed;
    if (parts.installed !== null) counts.begunSnapshot = null;
    this.intake = new SnapshotIntake({
      ...parts,
      nowMs: () => parts.clock.monotonicMs(),
      install: async (incoming, head) => {
        await parts.install(incoming, head);
        counts.snapshotBytes = head.bytes;
      },
    });
    const nowMs = parts.clock.monotonicMs();
    this.#state = { ...newReplica(nowMs, parts.highestEpoch, null), retryAtMs: nowMs + parts.restMs };
    this.#stopListening = parts.feed.onCommit((state) => this.#committed(state.seq));
    this.#stopTracing = parts.feed.onTraced((entry) => parts.onTraced(entry));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** Has the master proven itself on a link that stands? */
  get isLinked(): boolean {
    const { phase } = this.#state;
    return phase === 'following' || phase === 'snapshot' || phase === 'installing';
  }

  /** Ends the link; the next one goes on from where this node is, or, for a reason, takes another copy of the data. */
  relink(wants: string | null): void {
    if (wants !== null) this.#step({ kind: 'snapshot_wanted', reason: wants });
    this.#fail('resync');
  }

  /** The data was found to differ: nothing more is applied. */
  differs(): void {
    if (!this.#state.diverged) this.#counts.divergences += 1;
    this.#step({ kind: 'differs' });
    this.#acknowledge();
  }

  /** The data is the master's again: what was passed over meanwhile is sent anew on another link. */
  repaired(): void {
    this.#step({ kind: 'repaired' });
    this.#fail('resync');
  }

  /** Asks the master something. @throws Error when there is no link, or it answers with an error */
  async ask(method: string, parameters: LinkValues): Promise<LinkValues> {
    if (this.#link === null || !this.isLinked) throw new Error('there is no link to the master');
    return this.#link.ask(method, parameters);
  }

  /** Ends the link for good. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopListening();
    this.#stopTracing();
    this.#step({ kind: 'stopped' });
  }

  // Decisions and what follows from them.

  /** @returns whether what came is to be taken */
  #step(event: ReplicaEvent): boolean {
    const before = this.#state;
    const { state, effects } = replicaStep(before, event, this.#parts.rules);
    this.#state = state;
    let taken = false;
    for (const { kind, ...effect } of effects) {
      if (kind === 'connect') this.#connect();
      else if (kind === 'disconnect' && 'fault' in effect) this.#disconnect(effect.fault, before);
      else if (kind === 'acknowledge') this.#acknowledge();
      else taken = true;
    }
    return taken;
  }

  #fail(fault: ReplicaFault, retryAfterMs = 0): void {
    const { clock, random } = this.#parts;
    this.#step({ kind: 'failed', fault, nowMs: clock.monotonicMs(), random: random(), retryAfterMs });
  }

  /** What fails on this node's side ends the link, and no more than that. */
  #attempt(work: Promise<void>, fault: ReplicaFault = 'closed'): void {
    const link = this.#link;
    work.catch((error: unknown) => {
      if (this.#link !== link || this.#state.phase === 'stopped') return;
      this.#parts.log.error('link_failed', { error });
      this.#fail(fault);
    });
  }

  #tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const waiting = this.#isFull;
    const brought = this.#link?.hasBrought() ?? false;
    if (waiting || brought) this.#step({ kind: 'alive', nowMs, waiting });
    this.#step({ kind: 'ticked', nowMs, random: this.#parts.random() });
    if (this.#state.phase !== 'following') return;
    const aged = nowMs - this.#ackedMs >= this.#parts.rules.heartbeatMs;
    if (aged || this.#parts.appliedSeq() !== this.#ackedApplied) this.#acknowledge();
  }

  #connect(): void {
    this.#link = new MasterLink(this.#parts, this.#counts, this.#installed, {
      state: () => this.#state,
      isLinked: () => this.isLinked,
      opened: () => this.#step({ kind: 'connected', nowMs: this.#parts.clock.monotonicMs() }),
      rejected: (reject, elsewhere) => this.#rejected(reject, elsewhere),
      welcomed: (epoch, welcome) => this.#welcomed(epoch, welcome),
      frame: (frame, bytes) => this.#take(frame, bytes),
      failed: (fault) => this.#fail(fault),
      attempt: (work) => this.#attempt(work),
      lost: (reason) => this.#lost(reason),
    });
  }

  #lost(reason: string): void {
    this.#parts.log.debug('link_lost', { reason });
    this.#fail(this.#state.phase === 'connecting' ? 'cannot_connect' : 'closed');
  }

  #disconnect(fault: ReplicaFault, before: ReplicaState): void {
    const link = this.#link;
    this.#link = null;
    link?.end(fault);
    const refused = before.phase === 'greeting' && fault !== 'closed' && fault !== 'rejected';
    if (refused) this.#parts.log.warn('link_failed', { fault });
    else if (before.phase !== 'connecting') this.#parts.log.info('link_ended', { fault, seq: this.#parts.feed.state().seq });
    if (before.phase !== 'installing') this.intake.end();
  }

  // What comes from the master.

  #take({ epoch, message }: Frame, bytes: number): void {
    switch (message.type) {
      case 'entries':
        return this.#takeEntries(epoch, message, bytes);
      case 'heartbeat':
        return this.#takeHeartbeat(epoch, message);
      case 'snapshotHead':
        return this.#attempt(this.#takeHead(epoch, message.head), 'snapshot_failed');
      case 'snapshotChunk':
        return this.#attempt(this.#takeChunk(epoch, message), 'snapshot_failed');
      case 'bye': {
        const { masterUrl } = message;
        const known = this.isLinked;
        this.#fail('closed');
        if (known && masterUrl !== null) this.#parts.onRedirect(masterUrl);
        return;
      }
      default:
        return this.#fail('unexpected_message');
    }
  }

  #rejected(reject: Reject, elsewhere: string | null): void {
    this.#parts.log.warn('link_rejected', { reason: reject.reason, message: reject.message });
    this.#fail('rejected', reject.retryAfterMs ?? undefined);
    if (elsewhere !== null) this.#parts.onRedirect(elsewhere);
  }

  #welcomed(epoch: number, welcome: Welcome): void {
    const { feed, rules } = this.#parts;
    const { nodeId, seq, chainHash } = feed.state();
    if (welcome.path.includes(nodeId)) return this.#fail('loop', rules.backoffMaxMs);
    const { decision } = welcome;
    if (epoch !== welcome.epoch || epoch < this.#state.epoch || decision === null) return this.#fail('old_epoch');
    failpoint('link.welcome_received');
    this.path = welcome.path;
    if (epoch > this.#state.epoch && !this.#noted(epoch)) return;
    this.#parts.noteMaster(welcome);
    const nowMs = this.#parts.clock.monotonicMs();
    this.#counts.links += 1;
    const parted = decision.kind === 'snapshot' && PARTED.has(decision.reason);
    this.#tail.linked({ lastSeq: welcome.lastSeq, epoch, parted, nowMs });
    if (decision.kind === 'continue') {
      if (decision.fromSeq !== seq + 1) return this.#fail('gap');
      if (this.#installed === null) this.#counts.partialSyncs += 1;
      this.#installed = null;
      void this.intake.drop();
      feed.beginApply((failure) => this.#applyFailed(failure));
      this.#step({ kind: 'continued', epoch, seq, hash: hexOf(chainHash), nowMs });
      return;
    }
    this.#parts.log.warn('full_sync', { reason: decision.reason });
    const commonSeq = this.#lastInCommon(welcome.lineage, decision.commonSeq);
    if (commonSeq !== null && commonSeq < seq)
      this.#attempt(
        this.intake.after(() => this.#parts.saveRollback(commonSeq)),
        'snapshot_failed',
      );
    this.#step({ kind: 'snapshot_promised', epoch, nowMs });
  }

  /** What cannot be noted is not followed: after a restart this node would believe an older master. */
  #noted(epoch: number): boolean {
    try {
      this.#parts.noteEpoch(epoch);
      return true;
    } catch (error) {
      this.#parts.log.error('epoch_not_noted', { epoch, error });
      this.#fail('closed');
      return false;
    }
  }

  /** A master that lost its tail and wrote on parted from this node before the seq at which its next history begins: the hash there tells.
   *  Where, nobody can say, so all of the history that they share in name counts as parted. */
  #lastInCommon(theirs: PlainLineage, commonSeq: number | null): number | null {
    const next = theirs.find(({ startSeq }) => startSeq === commonSeq);
    if (commonSeq === null || next === undefined) return commonSeq;
    if (this.#hashAt(commonSeq) === next.startHash) return commonSeq;
    return this.#parts.feed.lineage().findLast(({ startSeq }) => startSeq < commonSeq)?.startSeq ?? commonSeq;
  }

  #hashAt(seq: number): string | null {
    try {
      const hash = this.#parts.feed.chainHashAt(seq);
      return hash === null ? null : hexOf(hash);
    } catch (error) {
      this.#parts.log.error('log_damaged', { seq, error });
      return null;
    }
  }

  #takeEntries(epoch: number, frame: EntriesFrame, bytes: number): void {
    failpoint('stream.frame_received');
    const { firstSeq, entries, hashBefore, hashAfter } = frame;
    const nowMs = this.#parts.clock.monotonicMs();
    const hashes = { hashBefore: hexOf(hashBefore), hashAfter: hexOf(hashAfter) };
    if (!this.#step({ kind: 'entries_came', epoch, firstSeq, count: entries.length, bytes, nowMs, ...hashes })) return;
    this.#tail.entries(this.#state.receivedSeq, bytes, nowMs);
    this.#applying += 1;
    if (this.#isFull) this.#link?.pause();
    this.#parts.feed
      .apply({ firstSeq, entries, chainHash: hashAfter })
      .catch((error: unknown) => this.#parts.log.warn('batch_not_taken', { error }))
      .finally(() => {
        this.#applying -= 1;
        if (!this.#isFull) this.#link?.resume();
      });
  }

  /** Enough has come that there is no room for: the master is made to wait. */
  get #isFull(): boolean {
    return this.#applying >= FRAMES_WAITING_MAX;
  }

  #applyFailed({ reason, seq, message }: ApplyFailure): void {
    this.#parts.log.error('apply_failed', { reason, seq, message });
    if (reason === 'digest') return this.differs();
    this.#fail(reason === 'gap' || reason === 'epoch' ? 'gap' : 'apply_failed');
  }

  #takeHeartbeat(epoch: number, heartbeat: HeartbeatFrame): void {
    this.#counts.heartbeatsReceived += 1;
    this.#counts.lastHeartbeatWallMs = this.#parts.clock.wallMs();
    if (heartbeat.path.includes(this.#parts.feed.state().nodeId)) return this.#fail('loop', this.#parts.rules.backoffMaxMs);
    this.path = heartbeat.path;
    const { number, lastSeq, lagMs } = heartbeat;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#tail.heartbeat(lastSeq, lagMs, nowMs);
    this.#compare(heartbeat);
    this.#step({ kind: 'heartbeat_came', epoch, number, lastSeq, nowMs });
  }

  /** Same seq, same digest: else this node has other data than the master, and says so. */
  #compare({ lastSeq, digest }: HeartbeatFrame): void {
    const state = this.#parts.feed.state();
    if (this.#state.phase !== 'following' || state.seq !== lastSeq) return;
    if (Buffer.compare(state.digest, digest) === 0) {
      this.#counts.digestVerifiedWallMs = this.#parts.clock.wallMs();
    } else if (!this.#state.diverged) {
      this.#parts.log.error('digest_differs', { seq: lastSeq });
      this.differs();
    }
  }

  #committed(seq: number): void {
    this.#step({ kind: 'committed', seq });
    if (this.#state.phase === 'following') this.#acknowledge();
  }

  #acknowledge(): void {
    const { durableSeq, receivedSeq, receivedBytes, heartbeat, diverged } = this.#state;
    const { digest } = this.#parts.feed.state();
    this.#ackedApplied = this.#parts.appliedSeq();
    this.#ackedMs = this.#parts.clock.monotonicMs();
    const appliedSeq = Math.min(this.#ackedApplied, durableSeq);
    if (appliedSeq === this.#tail.knownSeq) this.#counts.lastSyncWallMs = this.#parts.clock.wallMs();
    this.#counts.acknowledgementsSent += 1;
    failpoint('stream.before_ack');
    this.#link?.send({ type: 'ack', diverged, receivedBytes, receivedSeq, durableSeq, appliedSeq, heartbeat, digest });
  }

  // A snapshot on its way in.

  async #takeHead(epoch: number, value: unknown): Promise<void> {
    const link = this.#link;
    const { head, nextChunk } = await this.intake.begin(value);
    if (this.#link !== link || link === null) return;
    if (this.#counts.begunSnapshot !== head.id) this.#counts.fullSyncs += 1;
    this.#counts.begunSnapshot = head.id;
    link.send({ type: 'snapshotWant', snapshotId: head.id, nextChunk });
    const nowMs = this.#parts.clock.monotonicMs();
    this.#step({ kind: 'head_came', epoch, chunks: head.chunks, nextChunk, nowMs });
    if (this.#state.phase === 'installing') await this.intake.install();
  }

  async #takeChunk(epoch: number, { snapshotId, number, bytes }: SnapshotChunkFrame): Promise<void> {
    const link = this.#link;
    if (this.intake.head?.id !== snapshotId) return this.#fail('unexpected_message');
    if (!this.#step({ kind: 'chunk_came', epoch, number, nowMs: this.#parts.clock.monotonicMs() })) return;
    const isLast = this.#state.phase === 'installing';
    const written = this.intake.write(number, bytes);
    const installed = isLast ? this.intake.install() : null;
    installed?.catch(() => undefined);
    await written;
    if (this.#link === link) link?.send({ type: 'snapshotWant', snapshotId, nextChunk: number + 1 });
    await installed;
  }
}
