/** How the role of a node changes: by order of an operator, at the wish of a replica, and by what links tell of other masterships.
 *
 *    replica ─ promote ─► master         master ─ handover, newer epoch seen, follow ─► replica
 *
 *  Invariants: one change at a time; a role is durable (NODE) before anybody is told; the epoch of a new mastership is durable before its
 *  first entry; from the moment a newer epoch is seen nothing is acknowledged here. Must not know: HTTP, frames, how data is exchanged. */

import type { RunningEngine } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import { readNodeUrl } from '../model/node-url.js';
import type { PromoteAnswer } from '../model/replication.js';
import type { ReplicationSource } from '../replication/source.js';
import type { LinkValues } from '../wire/frames.js';
import type { Announcer } from './announcer.js';
import type { Following } from './following.js';
import { askForHandover, caughtUp, handoverAsked, notPromotable } from './handover.js';
import { streamUrlOf } from './master-url.js';
import type { Mastership } from './mastership.js';
import type { WriteGate } from './write-gate.js';

export interface RoleChangeParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly handoverMs: number;
  /** Does this node count in majorities when it follows? */
  readonly voter: boolean;
  readonly mastership: Mastership;
  readonly following: Following;
  readonly source: ReplicationSource;
  readonly gate: WriteGate;
  readonly announcer: Announcer;
  engine(): RunningEngine;
  /** Has this node never had data of a cluster? */
  isBlank(): boolean;
  /** Where clients reach this node. */
  ownUrl(): string;
  /** Begins to follow; the role is that of a replica already. */
  follow(masterUrl: string): void;
}

export class RoleChanges {
  readonly #parts: RoleChangeParts;
  #changing: Promise<unknown> = Promise.resolve();
  /** A change to a replica is under way, or was not completed: whoever announces itself is heard. */
  #failed = false;

  constructor(parts: RoleChangeParts) {
    this.#parts = parts;
  }

  /** Nothing else changes the role meanwhile. @throws what it throws */
  alone<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = result.catch(() => undefined);
    return result;
  }

  /** Resolves when no change is under way. */
  async settled(): Promise<void> {
    await this.#changing;
  }

  promote({ force }: { readonly force: boolean }): Promise<PromoteAnswer> {
    return this.alone(() => (force ? this.#promoteByForce() : this.#promoteByHandover()));
  }

  /** Not one whose mastership could not begin, nor one of two. */
  get #isSettledMaster(): boolean {
    const { isMaster, isIncomplete } = this.#parts.mastership;
    return isMaster && !isIncomplete && this.#parts.gate.conflict === null;
  }

  async #promoteByForce(): Promise<PromoteAnswer> {
    if (this.#isSettledMaster) throw notPromotable('already_master', 'This node is the master');
    if (this.#parts.isBlank()) throw notPromotable('no_data', 'This node has never had data of a cluster');
    const known = this.#parts.following.knownSeq;
    const own = this.#parts.engine().log.state().seq;
    const isOneOfTwo = this.#parts.gate.conflict !== null;
    // Two masters of one epoch parted where it began. Where the other has come to cannot be known, whatever its last word was.
    const { startSeq = 0 } = this.#parts.engine().log.lineage().at(-1) ?? {};
    const answer = await this.#becomeMaster();
    const knownSeq = known !== null && known > own ? known : null;
    return { ...answer, maybeLost: { fromSeq: (isOneOfTwo ? startSeq : own) + 1, toSeq: null, knownSeq } };
  }

  async #promoteByHandover(): Promise<PromoteAnswer> {
    // Whether it was handed over then, or taken by force, is not known any more.
    if (this.#parts.mastership.isIncomplete) return this.#promoteByForce();
    if (this.#parts.mastership.isMaster) throw notPromotable('already_master', 'This node is the master');
    if (!this.#parts.voter) throw notPromotable('no_voter', 'This node was started as no voter: it becomes master by force only');
    const { nodeId } = this.#parts.engine().log.state();
    const own = { nodeId, url: this.#parts.ownUrl() };
    const seenBefore = this.#parts.mastership.highestEpoch;
    const handedOver = await askForHandover(this.#parts.following.follower, own, this.#parts.handoverMs);
    if (this.#parts.mastership.highestEpoch !== seenBefore)
      throw notPromotable('newer_master', 'Another node became master meanwhile');
    const { seq } = this.#parts.engine().log.state();
    if (handedOver !== seq) throw notPromotable('behind', `The master handed over at seq ${handedOver}, this node is at ${seq}`);
    return this.#becomeMaster();
  }

  async #becomeMaster(): Promise<PromoteAnswer> {
    const { log } = this.#parts.engine();
    const { masterUrl } = this.#parts.mastership;
    this.#parts.following.leave();
    const epoch = await this.#parts.mastership.begin().catch((error: unknown) => {
      // Not even noted: it is a replica as before.
      if (!this.#parts.mastership.isMaster && masterUrl !== null) this.#parts.follow(masterUrl);
      throw error;
    });
    this.#parts.gate.open();
    this.#parts.source.registry.promoted();
    this.#parts.source.attach(log);
    await this.#parts.source.registry.registerOwn();
    const { historyId, seq } = log.state();
    this.#parts.log.warn('promoted', { epoch, history_id: historyId, seq });
    void this.#parts.announcer.announce();
    return { epoch, historyId, position: { historyId, epoch, seq }, maybeLost: null };
  }

  follow(masterUrl: string): Promise<void> {
    const { stream } = streamUrlOf(masterUrl);
    return this.alone(async () => {
      await this.#parts.announcer.mustBeFollowable(masterUrl, this.#parts.engine().log, this.#parts.mastership.isMaster);
      await this.#becomeReplica(masterUrl, this.#parts.mastership.highestEpoch);
      this.#parts.log.warn('follows', { master: stream });
    });
  }

  /** From the first line on nothing is acknowledged. @param masterUrl null: whoever announces itself */
  async #becomeReplica(masterUrl: string | null, highestEpoch: number): Promise<void> {
    const { masterUrl: before } = this.#parts.mastership;
    const followed = this.#parts.following.follower !== null;
    this.#failed = true;
    this.#parts.mastership.stepDown();
    this.#parts.following.forgetMaster();
    try {
      this.#parts.mastership.noteReplica(masterUrl, highestEpoch);
    } catch (error) {
      if (followed && before !== null) this.#parts.follow(before);
      throw error;
    }
    this.#parts.source.registry.concern.end();
    this.#parts.gate.open();
    await this.#parts.mastership.pauseWrites();
    this.#failed = false;
    // A little later, so that who asked for this is answered first.
    setImmediate(() => {
      this.#parts.source.closeLinks('this node follows another master', masterUrl);
      this.#parts.source.registry.release();
    });
    if (masterUrl !== null) this.#parts.follow(masterUrl);
  }

  /** The node that is followed names another: a replica that was promoted in its place. */
  redirected(masterUrl: string): void {
    const isNew = masterUrl !== this.#parts.mastership.masterUrl && masterUrl !== this.#parts.ownUrl();
    if (this.#parts.mastership.isMaster || !isNew || readNodeUrl(masterUrl) === null) return;
    this.#later(async () => {
      if (!this.#parts.mastership.isMaster) await this.#becomeReplica(masterUrl, this.#parts.mastership.highestEpoch);
    });
  }

  /** What cannot be done now is asked for again: whoever is master announces itself every few seconds. */
  #later(change: () => Promise<void>): void {
    this.alone(change).catch((error: unknown) => this.#parts.log.error('role_not_changed', { error }));
  }

  /** A peer knows of a newer mastership. @param named where its master is, as the peer says */
  newerEpoch(epoch: number, named: string | null): void {
    const masterUrl = named === null || readNodeUrl(named) === null || named === this.#parts.ownUrl() ? null : named;
    const newer = epoch > this.#parts.mastership.highestEpoch;
    const { isMaster: wasMaster, masterUrl: known } = this.#parts.mastership;
    const { follower } = this.#parts.following;
    const { epoch: ownEpoch } = this.#parts.engine().log.state();
    // Word of what this node has begun itself by now.
    if (wasMaster && ownEpoch >= epoch) return;
    // A master that this node has had data of was reached where it is looked for now: the address of an operator stands over the one that
    // the master believes to be its own. Unless another replica is there; a voter belongs to the master itself.
    const direct = (follower?.path.length ?? 0) < 2;
    const reached = known !== null && direct && ownEpoch >= epoch;
    const elsewhere = masterUrl !== null && (known === null || streamUrlOf(masterUrl).stream !== streamUrlOf(known).stream);
    const stays = reached || !elsewhere || (direct && follower?.isLinked === true);
    if (!newer && !wasMaster && !this.#failed && stays) return;
    this.#parts.log.warn('newer_epoch_seen', { epoch, own_epoch: this.#parts.mastership.highestEpoch, master: masterUrl });
    // At once, before anything is awaited: what is on its way is not acknowledged any more.
    this.#parts.mastership.stepDown(epoch);
    this.#parts.source.registry.concern.end();
    this.#later(async () => {
      // Promoted meanwhile, and so above it.
      if (this.#parts.mastership.isMaster && this.#parts.engine().log.state().epoch >= epoch) return;
      await this.#becomeReplica(masterUrl ?? (wasMaster ? null : known), epoch);
    });
  }

  /** A peer belongs to another line of data of the same epoch. */
  conflicting(epoch: number, nodeId: string): void {
    const { isMaster, isIncomplete } = this.#parts.mastership;
    if (!isMaster || isIncomplete || this.#parts.gate.conflict !== null || this.#parts.engine().log.state().epoch !== epoch)
      return;
    this.#parts.gate.refuse(epoch);
    this.#parts.log.error('two_masters', { epoch, other: nodeId });
  }

  /** This node lost writes that a replica has: whatever comes from now on is another line of data, and says so. */
  async lostTail(seq: number): Promise<void> {
    await this.alone(async () => {
      const { log } = this.#parts.engine();
      if (!this.#parts.mastership.isMaster || log.state().seq >= seq) return;
      this.#parts.log.error('tail_lost', { own_seq: log.state().seq, replica_seq: seq });
      await this.#parts.mastership.begin();
      this.#parts.source.closeLinks('a new history has begun', null);
    });
  }

  /** Writes wait until the replica has everything; then this node is a replica of it. Asked again, it says the same again. */
  handOver(nodeId: string, parameters: LinkValues): Promise<LinkValues> {
    return this.alone(() => this.#handOver(nodeId, parameters));
  }

  async #handOver(nodeId: string, parameters: LinkValues): Promise<LinkValues> {
    const { url, timeoutMs } = handoverAsked(parameters, this.#parts.handoverMs);
    const { log } = this.#parts.engine();
    if (!this.#parts.mastership.isMaster) {
      if (this.#parts.mastership.masterUrl === url) return { seq: log.state().seq };
      throw new Error('this node is no master');
    }
    if (!this.#isSettledMaster) throw new Error('this node is no master yet, or one of two');
    if (this.#parts.source.registry.of(nodeId)?.diverged === true) throw new Error('the data of this replica differs');
    // New writes wait in front of the door; those inside are done when the write thread has changed over.
    this.#parts.gate.pause(2 * timeoutMs);
    try {
      await this.#parts.mastership.pauseWrites();
      const { seq } = log.state();
      await caughtUp(() => this.#parts.source.durableSeqOf(nodeId), seq, this.#parts.clock, timeoutMs);
      // A newer mastership was seen meanwhile: what is held here is not the last word.
      if (!this.#parts.mastership.isMaster) throw new Error('another node is the master by now');
      await this.#becomeReplica(url, this.#parts.mastership.highestEpoch);
      return { seq };
    } catch (error) {
      // The replica was not told that it may begin.
      if (this.#parts.mastership.stepBack()) await this.#parts.mastership.resumeWrites();
      throw error;
    } finally {
      this.#parts.gate.resume();
    }
  }
}
