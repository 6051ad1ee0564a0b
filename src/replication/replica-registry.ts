/** Everything known of the replicas of one log: a row for each that ever linked to this process or is a voter, how far it is, and what its
 *  acknowledgements mean. Rows stay when links go. Must not know: sockets, frames' bytes, who greets. */

import { readEntryHead } from '../codec/entry.js';
import type { ReplicatedLog, WriteReceipt } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import { positionAt } from '../model/position.js';
import type { ReplicaInfo, Role, Voter } from '../model/replication.js';
import type { AckFrame, Hello } from '../wire/frames.js';
import { CommitTimes } from './commit-times.js';
import type { SyncRule } from './decide.js';
import { masterAgeMs } from './master-age.js';
import type { ReplicaLink } from './replica-link.js';
import { type Moment, type RecordRules, ReplicaRecord } from './replica-record.js';
import { WriteConcern } from './write-concern.js';

export interface RegistryParts {
  readonly rules: RecordRules;
  readonly clock: Clock;
  readonly log: Log;
  role(): Role;
  /** This node's own HTTP address, for its row among the voters. */
  address(): { readonly host: string; readonly port: number };
  /** A row of the log at or behind this seq cannot be read. */
  damaged(seq: number, error: unknown): void;
}

export class ReplicaRegistry {
  readonly concern = new WriteConcern();
  readonly #parts: RegistryParts;
  readonly #records = new Map<string, ReplicaRecord>();
  /** Which run of a replica was forgotten: it may link again, and is no voter before it is started anew. */
  readonly #forgotten = new Map<string, string>();
  #feed: ReplicatedLog | null = null;
  /** The list that the rows were last made for. */
  #voters: readonly Voter[] | null = null;
  #times = new CommitTimes(0);
  #startMs = 0;
  #promotedMs: number | null = null;
  acknowledgements = 0;
  divergences = 0;
  lastAckWallMs: number | null = null;
  digestVerifiedWallMs: number | null = null;
  lastSyncWallMs: number | null = null;

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  attach(feed: ReplicatedLog | null): void {
    this.#feed = feed;
    this.#voters = null;
    this.concern.end();
    if (feed === null) return;
    this.#times = new CommitTimes(feed.state().seq);
    this.#startMs = this.#parts.clock.monotonicMs();
    this.takeVoters();
  }

  committed(seq: number, bytes: number): void {
    this.#times.note(seq, bytes, this.#parts.clock.monotonicMs());
    this.takeVoters();
  }

  /** A row for every voter that the log knows, whether it was ever linked to this process or not. */
  takeVoters(): void {
    const feed = this.#feed;
    if (feed === null) return;
    const voters = feed.voters();
    // Asked at every commit, and hardly ever another.
    if (voters === this.#voters) return;
    this.#voters = voters;
    const own = feed.state().nodeId;
    const ids = new Set<string>();
    for (const { nodeId, host, port } of voters) {
      ids.add(nodeId);
      if (nodeId !== own) this.#record(nodeId, host, port).voter = true;
    }
    for (const record of this.#records.values()) {
      if (!record.voter || ids.has(record.nodeId)) continue;
      record.voter = false;
      this.concern.lost(record.nodeId);
    }
  }

  #record(nodeId: string, host: string, port: number): ReplicaRecord {
    let record = this.#records.get(nodeId);
    if (record === undefined) {
      record = new ReplicaRecord(nodeId, host, port, false);
      this.#records.set(nodeId, record);
    }
    return record;
  }

  of(nodeId: string): ReplicaRecord | null {
    return this.#records.get(nodeId) ?? null;
  }

  all(): Iterable<ReplicaRecord> {
    return this.#records.values();
  }

  enlist(hello: Hello, protocolVersion: number | null, rule: SyncRule): void {
    const { nodeId, runId, host, port, position, voter: wantsVote } = hello;
    const record = this.#record(nodeId, host, port);
    const wallMs = this.#parts.clock.wallMs();
    Object.assign(record, { runId, host, port, wantsVote, linked: true, protocolVersion, connectedWallMs: wallMs });
    record.heard(this.#parts.clock.monotonicMs(), wallMs);
    record.phase = rule === 'partial' ? 'catchup' : 'snapshot';
    // It is the same sync, however often the link breaks.
    if (rule === 'hash_differs' && !record.diverged) this.divergences += 1;
    record.diverged = rule === 'hash_differs';
    // What it held in an earlier life it may not hold now.
    if (rule !== 'partial' || (position !== null && position.seq < (record.durableSeq ?? 0))) {
      record.forgetPosition();
      this.concern.lost(nodeId);
    }
    this.#parts.log.info('replica_linked', { node_id: nodeId, sync: rule, host, port });
  }

  unlinked(nodeId: string, reason: string): void {
    const record = this.#records.get(nodeId);
    if (record === undefined) return;
    record.linked = false;
    record.phase = 'closed';
    record.snapshot = null;
    this.concern.lost(nodeId);
    this.#parts.log.info('replica_unlinked', { node_id: nodeId, reason });
  }

  heard(nodeId: string): void {
    this.acknowledgements += 1;
    this.lastAckWallMs = this.#parts.clock.wallMs();
    this.of(nodeId)?.heard(this.#parts.clock.monotonicMs(), this.lastAckWallMs);
  }

  acknowledged(nodeId: string, phase: ReplicaRecord['phase'], ack: AckFrame): void {
    const feed = this.#feed;
    const record = this.of(nodeId);
    if (feed === null || record === null) return;
    const { seq } = feed.state();
    record.phase = phase;
    record.snapshot = null;
    record.durableSeq = ack.durableSeq;
    record.appliedSeq = ack.appliedSeq;
    // What is not at the tail is read from the log, so once a heartbeat is enough.
    if (ack.diverged || ack.durableSeq === seq || ack.heartbeat !== record.comparedBeat) this.#compare(feed, record, ack);
    record.comparedBeat = ack.heartbeat;
    if (record.voter && !record.diverged && this.#parts.role() === 'master') this.concern.acknowledged(nodeId, ack.durableSeq);
    if (ack.appliedSeq >= seq && this.#allHave(seq)) this.lastSyncWallMs = this.lastAckWallMs;
  }

  /** Voters that are not linked count too: nobody knows what they have. */
  #allHave(seq: number): boolean {
    for (const { voter, linked, appliedSeq } of this.#records.values())
      if ((voter || linked) && (appliedSeq === null || appliedSeq < seq)) return false;
    return true;
  }

  /** The digest that the log gives for the replica's seq, against its own. */
  #compare(feed: ReplicatedLog, record: ReplicaRecord, ack: AckFrame): void {
    const expected = ack.diverged ? null : this.#digestAt(feed, ack.durableSeq);
    if (expected === null && !ack.diverged) return;
    if (expected !== null && Buffer.compare(expected, ack.digest) === 0) {
      this.digestVerifiedWallMs = this.#parts.clock.wallMs();
      record.diverged = false;
      return;
    }
    if (record.diverged) return;
    record.diverged = true;
    this.divergences += 1;
    this.concern.lost(record.nodeId);
    this.#parts.log.error('replica_diverged', { node_id: record.nodeId, seq: ack.durableSeq });
  }

  /** State digest after seq as the log has it; null when seq is not the end of a unit in the log, or its row is damaged. */
  #digestAt(feed: ReplicatedLog, seq: number): Uint8Array | null {
    const state = feed.state();
    if (seq === state.seq) return state.digest;
    if (seq < state.logMinSeq || seq > state.seq) return null;
    return this.#headAt(feed, seq)?.digest ?? null;
  }

  #headAt(feed: ReplicatedLog, seq: number): ReturnType<typeof readEntryHead> | null {
    try {
      const [row] = feed.read(seq, 1, 1);
      return row?.seq === seq ? readEntryHead(row.entry) : null;
    } catch (error) {
      this.#parts.damaged(seq, error);
      return null;
    }
  }

  /** Makes a replica that has caught up a voter, and this node with the first. */
  async registerVoter(link: ReplicaLink): Promise<void> {
    const feed = this.#feed;
    const record = link.hello === null ? null : this.of(link.hello.nodeId);
    if (feed === null || record === null || this.#forgotten.get(record.nodeId) === record.runId) return;
    const { nodeId, host, port } = record;
    await this.#register(feed, [this.#own(feed), { nodeId, host, port }]);
    if (record.voter && record.durableSeq !== null && record.linked && !record.diverged)
      this.concern.acknowledged(nodeId, record.durableSeq);
  }

  /** A master counts in its own majorities: one that was promoted without ever having been a voter becomes one. */
  async registerOwn(): Promise<void> {
    const feed = this.#feed;
    if (feed !== null && feed.voters().length > 0) await this.#register(feed, [this.#own(feed)]);
  }

  #own(feed: ReplicatedLog): Voter {
    return { nodeId: feed.state().nodeId, ...this.#parts.address() };
  }

  async #register(feed: ReplicatedLog, voters: readonly Voter[]): Promise<void> {
    const known = new Map(feed.voters().map((voter) => [voter.nodeId, voter]));
    const changed = voters.filter((voter) => {
      const row = known.get(voter.nodeId);
      return row === undefined || row.host !== voter.host || row.port !== voter.port;
    });
    try {
      if (changed.length > 0) await feed.registerVoters(changed);
      this.takeVoters();
    } catch (error) {
      this.#parts.log.warn('voter_not_registered', { node_ids: changed.map(({ nodeId }) => nodeId), error });
    }
  }

  /** Follows this node, or did, and is no voter of the master: this node may forget it by itself. */
  isOwnFollower(nodeId: string): boolean {
    return this.of(nodeId)?.voter === false;
  }

  /** Its row goes; the run of it that is forgotten is no voter again. @returns false when there was none */
  async forget(nodeId: string): Promise<boolean> {
    const runId = this.#records.get(nodeId)?.runId;
    if (runId !== undefined && runId !== null) this.#forgotten.set(nodeId, runId);
    const removed = await this.#removeVoter(nodeId).catch((error: unknown) => {
      this.#forgotten.delete(nodeId);
      throw error;
    });
    this.concern.lost(nodeId);
    // Whom the log still names gets a row again.
    this.#voters = null;
    return this.#records.delete(nodeId) || removed !== null;
  }

  async #removeVoter(nodeId: string): Promise<WriteReceipt | null> {
    return this.#parts.role() === 'master' ? ((await this.#feed?.removeVoter(nodeId)) ?? null) : null;
  }

  /** Those that followed this node are not its replicas any more, until they link again. Links are closed. */
  release(): void {
    for (const record of this.#records.values()) {
      record.connectedWallMs = null;
      record.wantsVote = false;
      record.forgetPosition();
    }
  }

  replicas(): ReplicaInfo[] {
    const moment = this.#moment();
    if (moment === null) return [];
    const { rules, role } = this.#parts;
    // To a replica voters are strangers, its master among them, unless they follow it now: one that did is back at the master, or will be, and
    // whether it is there is for the master to say.
    const isMaster = role() === 'master';
    const followers = [...this.#records.values()].filter(
      ({ connectedWallMs, linked, voter }) => isMaster || linked || (connectedWallMs !== null && !voter),
    );
    return followers.map((record) => record.info(moment, rules)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** This node is the newest master at this moment. */
  promoted(): void {
    this.#promotedMs = this.#parts.clock.monotonicMs();
  }

  /** How old the data of this master may be; null: not known (master-age.ts). */
  masterAgeMs(): number | null {
    const feed = this.#feed;
    if (feed === null) return null;
    const own = feed.state().nodeId;
    const voters = feed.voters();
    const others = voters.filter(({ nodeId }) => nodeId !== own);
    return masterAgeMs({
      nowMs: this.#parts.clock.monotonicMs(),
      heartbeatMs: this.#parts.rules.heartbeatMs,
      isVoter: others.length < voters.length,
      heardMs: others.map(({ nodeId }) => this.of(nodeId)?.heardMs ?? null),
      promotedMs: this.#promotedMs,
    });
  }

  /** Voters that are linked and at most maxLagMs behind, this node not counted. */
  healthyVoters(maxLagMs: number): number {
    const moment = this.#moment();
    if (moment === null) return 0;
    let count = 0;
    for (const record of this.#records.values()) {
      const lag = record.lagMs(moment, this.#parts.rules);
      if (record.voter && record.linked && !record.diverged && lag !== null && lag <= maxLagMs) count += 1;
    }
    return count;
  }

  /** Replicas that will be voters when they reach the tail: a write may wait for them, and they count for no majority. */
  joining(): number {
    this.takeVoters();
    const nowMs = this.#parts.clock.monotonicMs();
    let count = 0;
    for (const record of this.#records.values()) {
      const isForgotten = this.#forgotten.get(record.nodeId) === record.runId;
      if (!isForgotten && record.isJoining(nowMs)) count += 1;
    }
    return count;
  }

  /** Once a heartbeat. */
  judge(): void {
    const moment = this.#moment();
    if (moment !== null) for (const record of this.#records.values()) record.judge(moment, this.#parts.rules);
  }

  /** The first seq that some known replica has yet to get; null: none is known. */
  neededFrom(): number | null {
    let from: number | null = null;
    for (const { durableSeq } of this.#records.values())
      if (durableSeq !== null) from = Math.min(from ?? Number.POSITIVE_INFINITY, durableSeq + 1);
    return from;
  }

  #moment(): Moment | null {
    const feed = this.#feed;
    if (feed === null) return null;
    const { clock } = this.#parts;
    const { historyId, epoch, seq, logMinSeq } = feed.state();
    const wallMs = clock.wallMs();
    const nowMs = clock.monotonicMs();
    return {
      nowMs,
      wallMs,
      tailSeq: seq,
      times: this.#times,
      // Written before this process began: then the entry's own time says it, and it is at least as old as the process.
      ageOfFirstAfter: (after) => {
        const head = after + 1 < logMinSeq ? null : this.#headAt(feed, after + 1);
        return head === null ? null : Math.max(wallMs - head.timeMs, nowMs - this.#startMs);
      },
      position: (at) => positionAt(feed.lineage(), at, { historyId, epoch }),
    };
  }
}
