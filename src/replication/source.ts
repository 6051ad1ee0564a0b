/** The side of replication that serves: takes links, greets replicas, sends the log and snapshots, keeps what is known of each.
 *
 *  The same on a master and on a replica that others follow; only a master registers voters and counts acknowledgements.
 *  Must not know: how roles change, HTTP routes. Specified in docs/REPLICATION.md. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ReplicatedLog } from '../engine/engine.js';
import type { BuiltSnapshot } from '../engine/snapshot.js';
import type { Clock } from '../model/clock.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { historyEnd } from '../model/position.js';
import { majorityOf, type ReplicaInfo, type Role, replicaNotFound, snapshotProgress } from '../model/replication.js';
import type { AckFrame, Hello, LinkValues, Message, Reject, Welcome } from '../wire/frames.js';
import { Greeter } from './greeting.js';
import type { LinkDoor } from './link-door.js';
import type { LinkRules } from './link-progress.js';
import { type LinkCounts, LinkSocket, SOCKET_OPTIONS } from './link-socket.js';
import { LogFrames } from './log-frames.js';
import type { Nonces } from './proof.js';
import { type LinkHost, ReplicaLink } from './replica-link.js';
import type { RecordRules } from './replica-record.js';
import { ReplicaRegistry } from './replica-registry.js';
import { SharedSnapshot, type SnapshotLease } from './shared-snapshot.js';

export interface SourceRules extends LinkRules, RecordRules {
  /** Shortest time between two snapshots for one replica. */
  readonly snapshotMinIntervalMs: number;
}

export interface SourceParts {
  readonly rules: SourceRules;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: readonly Uint8Array[];
  readonly runId: string;
  readonly software: string;
  readonly door: Pick<LinkDoor, 'admit' | 'judged'>;
  role(): Role;
  /** Node ids from the one that this node follows up to the master; empty on a master. */
  pathUp(): readonly string[];
  /** How old this node's own data is; 0 on a master, null when not known. */
  lagMs(): number | null;
  masterUrl(): string | null;
  /** This node's own HTTP address. */
  address(): { readonly host: string; readonly port: number };
  snapshotBytes(): number;
  buildSnapshot(signal: AbortSignal): Promise<BuiltSnapshot>;
  /** A peer knows of a newer mastership. */
  onNewerEpoch(epoch: number, masterUrl: string | null): void;
  /** A peer belongs to another line of data of the same epoch. */
  onConflict(epoch: number, nodeId: string): void;
  /** A replica has what this node lost; resolves when a new history has begun. */
  onLostTail(seq: number): Promise<void>;
  onRequest(nodeId: string, method: string, parameters: LinkValues): Promise<LinkValues>;
}

const TICK_MS = 50;
const FROM_REPLICA_BYTES_MAX = 1024 * 1024;

export class ReplicationSource implements LinkHost {
  readonly rules: SourceRules;
  readonly frames = new LogFrames();
  /** Of all links since the start. */
  readonly counts: LinkCounts = { bytesSent: 0, bytesReceived: 0 };
  readonly registry: ReplicaRegistry;
  readonly #parts: SourceParts;
  readonly #greeter: Greeter;
  readonly #server: WebSocketServer;
  readonly #links = new Set<ReplicaLink>();
  /** When a replica was last promised a snapshot. */
  readonly #lastFull = new Map<string, number>();
  /** The snapshot that each replica is taking: however often its link breaks, that is one sync. */
  readonly #begun = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #snapshot: SharedSnapshot;
  #feed: ReplicatedLog | null = null;
  #stopListening: () => void = () => {};
  #snapshotBase: number | null = null;
  #damagedSeq = 0;
  #beatMs = 0;
  #closed = false;
  fullSyncs = 0;
  partialSyncs = 0;
  heartbeatsSent = 0;
  /** Of the last that was sent as a whole; 0: none was. */
  lastSnapshotBytes = 0;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.rules = parts.rules;
    this.registry = new ReplicaRegistry({ ...parts, damaged: (seq, error) => this.damaged(seq, error) });
    this.#greeter = new Greeter({
      ...parts,
      feed: () => this.#feed,
      path: () => this.#path(),
      linkedBeside: (hello) => this.#linkedBeside(hello),
      damagedSeq: () => this.#damagedSeq,
      damaged: (seq, error) => this.damaged(seq, error),
    });
    this.#server = new WebSocketServer({ noServer: true, ...SOCKET_OPTIONS, maxPayload: FROM_REPLICA_BYTES_MAX });
    // Told inside handleUpgrade, so that whoever called `upgrade` answers.
    this.#server.on('wsClientError', ({ message }) => {
      throw invalidRequest('upgrade', message);
    });
    this.#snapshot = this.#newSnapshot();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Serves from this log from now on; links to what was served before end. */
  attach(feed: ReplicatedLog): void {
    this.detach('the data was replaced');
    this.#feed = feed;
    this.#damagedSeq = 0;
    this.registry.attach(feed);
    this.#stopListening = feed.onCommit((state, bytes) => this.#committed(state.seq, bytes));
  }

  /** Serves nothing until the next `attach`. */
  detach(reason: string): void {
    this.#stopListening();
    this.#stopListening = () => {};
    this.closeLinks(reason, null);
    this.#feed = null;
    this.frames.clear();
    this.registry.attach(null);
    void this.#snapshot.close();
    this.#snapshot = this.#newSnapshot();
  }

  /** Ends all links, telling where to go instead. */
  closeLinks(reason: string, masterUrl: string | null): void {
    for (const link of [...this.#links]) link.close(reason, { reason, masterUrl });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.closeLinks('the node is stopping', null);
    this.registry.attach(null);
    await this.#snapshot.close();
    this.#server.close();
  }

  /** Takes over a connection that asks for the stream. @throws Starting, RateLimited, InvalidRequest before anything was written */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#closed || this.#feed === null) throw new SkeinError('Starting', 'This node has no data to serve yet');
    const address = this.#parts.door.admit(request.socket.remoteAddress ?? '');
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const make = (link: ReplicaLink): LinkSocket =>
        new LinkSocket(webSocket, {
          expects: (type) => link.expects(type),
          frame: (frame) => link.frame(frame),
          bad: (error) => link.close(`bad frame: ${error.message}`),
          counted: (sent, received) => this.#count(link, sent, received),
          sent: () => link.pump(),
          closed: (reason) => link.socketEnded(reason),
        });
      this.#links.add(new ReplicaLink(this, make, address));
    });
  }

  #count(link: ReplicaLink, sent: number, received: number): void {
    const record = link.hello === null ? null : this.registry.of(link.hello.nodeId);
    for (const counts of [this.counts, record?.counts]) {
      if (counts === undefined) continue;
      counts.bytesSent += sent;
      counts.bytesReceived += received;
    }
  }

  // What links ask.

  log(): ReplicatedLog {
    if (this.#feed === null) throw new Error('a link outlived the data it serves');
    return this.#feed;
  }

  nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  challenge(open: Parameters<Greeter['challenge']>[0]) {
    return this.#greeter.challenge(open);
  }

  async greet(link: ReplicaLink, hello: Hello, nonces: Nonces): Promise<Welcome | Reject> {
    const greeting = await this.#greeter.greet(hello, nonces);
    this.#parts.door.judged(link.address, greeting.answer);
    if (!('rule' in greeting) || greeting.rule === null || link.state.phase === 'closed') return greeting.answer;
    const { answer, rule } = greeting;
    this.registry.enlist(hello, link.protocolVersion, rule);
    if (rule === 'partial' && hello.installed === null) this.partialSyncs += 1;
    if (rule === 'partial') this.#begun.delete(hello.nodeId);
    if (rule === 'hash_differs' || rule === 'unknown_history')
      this.#parts.log.error('replica_of_another_past', { node_id: hello.nodeId, rule, seq: hello.position?.seq });
    return answer;
  }

  /** Nodes whose links are alive. One that comes again takes the place of a link that was its own, or that has been silent. */
  #linkedBeside(hello: Hello): Set<string> {
    const linked = new Set<string>();
    for (const link of this.#links) {
      const other = link.hello;
      if (other === null || other === hello || other.kind !== 'follow' || link.state.phase === 'opening') continue;
      const replaceable = other.runId === hello.runId || this.nowMs() - link.state.heardMs > 2 * this.rules.heartbeatMs;
      if (other.nodeId === hello.nodeId && replaceable) link.close('the replica came again');
      else linked.add(other.nodeId);
    }
    return linked;
  }

  #path(): string[] {
    return [this.log().state().nodeId, ...this.#parts.pathUp()];
  }

  heartbeat(number: number): Message {
    const { seq, digest } = this.log().state();
    this.heartbeatsSent += 1;
    const voters = Math.max(1, this.log().voters().length);
    const commitSeq = this.registry.concern.heldBy(majorityOf(voters), seq);
    return { type: 'heartbeat', number, lastSeq: seq, commitSeq, lagMs: this.#parts.lagMs(), digest, path: this.#path() };
  }

  acknowledged(link: ReplicaLink, ack: AckFrame): void {
    const nodeId = link.hello?.nodeId;
    if (nodeId === undefined || this.#linkOf(nodeId) !== link) return;
    this.registry.heard(nodeId);
    if (link.state.phase === 'snapshot') this.#followSnapshot(link, nodeId);
    else this.registry.acknowledged(nodeId, link.state.phase, ack);
  }

  #followSnapshot(link: ReplicaLink, nodeId: string): void {
    const record = this.registry.of(nodeId);
    const head = link.snapshot?.head;
    if (head === undefined || record === null) return;
    const bytes = Math.min(head.bytes, Math.max(0, link.state.wantedChunk) * head.chunkBytes);
    const spentMs = this.nowMs() - (this.#lastFull.get(nodeId) ?? this.nowMs());
    record.phase = 'snapshot';
    record.snapshot = snapshotProgress(bytes, head.bytes, spentMs);
  }

  live(link: ReplicaLink): void {
    this.#parts.log.info('replica_live', { node_id: link.hello?.nodeId ?? null, seq: link.state.durableSeq });
    if (this.#mayVote(link)) void this.registry.registerVoter(link);
  }

  #mayVote({ hello }: ReplicaLink): boolean {
    return hello?.voter === true && this.#parts.role() === 'master';
  }

  /** A registration that the log did not take is tried again with every heartbeat. */
  #registerMissing(): void {
    for (const link of this.#links) {
      const isKnown = this.registry.of(link.hello?.nodeId ?? '')?.voter === true;
      if (link.state.phase === 'streaming' && this.#mayVote(link) && !isKnown) void this.registry.registerVoter(link);
    }
  }

  /** @returns null: the replica was promised another a moment ago */
  async leaseSnapshot(link: ReplicaLink): Promise<SnapshotLease | null> {
    const nodeId = link.hello?.nodeId ?? '';
    const resumed = link.hello?.resume?.snapshotId ?? null;
    const lastMs = this.#lastFull.get(nodeId) ?? Number.NEGATIVE_INFINITY;
    const soon = this.nowMs() - lastMs < this.rules.snapshotMinIntervalMs;
    const lease = await this.#snapshot.acquire(this.#seqInCommon(link.hello));
    const { head } = lease.snapshot;
    if (resumed === head.id || this.#begun.get(nodeId) === head.id) return lease;
    if (soon) {
      lease.release();
      return null;
    }
    this.#lastFull.set(nodeId, this.nowMs());
    this.#begun.set(nodeId, head.id);
    this.fullSyncs += 1;
    return lease;
  }

  /** How far a caller has come on the line of this node. */
  #seqInCommon(hello: Hello | null): number {
    const { seq } = this.log().state();
    const end = historyEnd(this.log().lineage(), hello?.position?.historyId ?? '', seq);
    return Math.min(hello?.position?.seq ?? 0, end ?? 0);
  }

  snapshotSent({ head }: BuiltSnapshot): void {
    this.lastSnapshotBytes = head.bytes;
  }

  request(link: ReplicaLink, method: string, parameters: LinkValues): Promise<LinkValues> {
    return this.#parts.onRequest(link.hello?.nodeId ?? '', method, parameters);
  }

  damaged(seq: number, error: unknown): void {
    if (seq <= this.#damagedSeq) return;
    this.#damagedSeq = seq;
    this.#parts.log.error('log_damaged', { seq, error });
  }

  /** Rows that could not be sent can be; what else is damaged is met again. */
  logMended(): void {
    this.#damagedSeq = 0;
  }

  failed(link: ReplicaLink, error: unknown): void {
    this.#parts.log.error('link_failed', { node_id: link.hello?.nodeId ?? null, error });
  }

  ended(link: ReplicaLink, reason: string): void {
    this.#links.delete(link);
    const nodeId = link.hello?.nodeId;
    if (nodeId !== undefined && link.hello?.kind === 'follow' && this.#linkOf(nodeId) === null)
      this.registry.unlinked(nodeId, reason);
  }

  /** Asks a linked replica something. @throws Error when it is not linked, or answers with an error */
  async ask(nodeId: string, method: string, parameters: LinkValues): Promise<LinkValues> {
    const link = this.#linkOf(nodeId);
    if (link === null) throw new Error('the replica is not linked');
    return link.ask(method, parameters);
  }

  // What the node asks.

  /** Forgets a replica: its row goes, and its link. @returns false when there was none @throws as the log: then nothing has changed */
  async forget(nodeId: string): Promise<boolean> {
    const forgotten = await this.registry.forget(nodeId);
    this.#linkOf(nodeId)?.close('forgotten by the operator');
    return forgotten;
  }

  replicas(): ReplicaInfo[] {
    return this.registry.replicas();
  }

  /** Null when it is not linked. */
  durableSeqOf(nodeId: string): number | null {
    const record = this.registry.of(nodeId);
    return record?.linked === true ? record.durableSeq : null;
  }

  linkedIds(): string[] {
    return [...this.registry.all()].filter(({ linked }) => linked).map(({ nodeId }) => nodeId);
  }

  /** @throws ReplicaNotFound · Overloaded, when it is known and has no link at the moment */
  mustBeLinked(nodeId: string): void {
    if (this.linkedIds().includes(nodeId)) return;
    if (!this.replicas().some(({ id }) => id === nodeId)) throw replicaNotFound(nodeId);
    throw new SkeinError('Overloaded', `Replica ${nodeId} has no link to this node at the moment`, {
      reason: 'replica_not_linked',
      id: nodeId,
    });
  }

  #tick(): void {
    for (const link of [...this.#links]) link.tick();
    if (this.nowMs() - this.#beatMs < this.rules.heartbeatMs) return;
    this.#beatMs = this.nowMs();
    this.registry.judge();
    this.#registerMissing();
    this.#keepLog();
  }

  #committed(seq: number, bytes: number): void {
    this.registry.committed(seq, bytes);
    for (const link of [...this.#links]) link.tailMoved(seq);
  }

  /** The log keeps what links and known replicas have yet to get, up to its hard bound. */
  #keepLog(): void {
    const needed = this.registry.neededFrom() ?? Number.POSITIVE_INFINITY;
    const base = this.#snapshotBase === null ? Number.POSITIVE_INFINITY : this.#snapshotBase + 1;
    const from = Math.min(needed, base);
    this.#feed?.keepFrom('replicas', Number.isFinite(from) ? from : null);
  }

  #newSnapshot(): SharedSnapshot {
    const shared: SharedSnapshot = new SharedSnapshot({
      tailSeq: () => this.#feed?.state().seq ?? 0,
      build: (signal) => this.#parts.buildSnapshot(signal),
      continues: (baseSeq) => this.#feed !== null && baseSeq + 1 >= this.#feed.state().logMinSeq && baseSeq >= this.#damagedSeq,
      keepLogAfter: (baseSeq) => {
        // One of data that was replaced has nothing to say any more.
        if (this.#snapshot !== shared) return;
        this.#snapshotBase = baseSeq;
        this.#keepLog();
      },
    });
    return shared;
  }

  #linkOf(nodeId: string): ReplicaLink | null {
    for (const link of this.#links)
      if (link.hello?.nodeId === nodeId && link.hello.kind === 'follow' && link.state.phase !== 'closed') return link;
    return null;
  }
}
