/** One link to a replica, on the side that serves: reads frames, does what link-progress decides, sends the log.
 *
 *  A replica is a seq, not a queue: the next stretch is read from the log when the last has gone out and the window has room.
 *  Must not know: how a node changes its role; who else is linked. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { BuiltSnapshot } from '../engine/snapshot.js';
import { messageOf } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import { NO_EPOCH } from '../model/position.js';
import type {
  AckFrame,
  Bye,
  Challenge,
  Frame,
  Hello,
  LinkRequest,
  LinkValues,
  Message,
  Open,
  Reject,
  Welcome,
} from '../wire/frames.js';
import {
  type LinkEvent,
  type LinkRules,
  type LinkState,
  linkStep,
  maySendChunk,
  maySendEntries,
  openLink,
} from './link-progress.js';
import { answerTo, LinkRequests } from './link-requests.js';
import type { LinkSocket } from './link-socket.js';
import type { LogFrames } from './log-frames.js';
import type { SnapshotLease } from './shared-snapshot.js';

/** What a link asks of the side that serves it. */
export interface LinkHost {
  readonly rules: LinkRules;
  readonly frames: LogFrames;
  log(): ReplicatedLog;
  nowMs(): number;
  /** Answers an open. */
  challenge(open: Open): Challenge | Reject;
  /** Answers a hello, or takes over the refusal. */
  greet(link: ReplicaLink, hello: Hello, nonces: { replica: string; master: string }): Promise<Welcome | Reject>;
  heartbeat(number: number): Message;
  acknowledged(link: ReplicaLink, ack: AckFrame): void;
  live(link: ReplicaLink): void;
  /** @throws Error when there is none to be had now */
  /** Null: not yet; the replica is to ask again. */
  leaseSnapshot(link: ReplicaLink): Promise<SnapshotLease | null>;
  /** Its last chunk has gone out; those before may have gone out on earlier links. */
  snapshotSent(snapshot: BuiltSnapshot): void;
  /** @throws Error for the one who asked */
  request(link: ReplicaLink, method: string, parameters: LinkValues): Promise<LinkValues>;
  /** The log has a damaged row at or behind this seq. */
  damaged(seq: number, error: unknown): void;
  /** What a link could not do; it is closed. */
  failed(link: ReplicaLink, error: unknown): void;
  ended(link: ReplicaLink, reason: string): void;
}

const FROM_REPLICA: ReadonlySet<Message['type']> = new Set(['ack', 'snapshotWant', 'request', 'response', 'bye']);
const SOCKET_WAITING_BYTES_MAX = 1024 * 1024;

export class ReplicaLink {
  readonly #host: LinkHost;
  readonly #socket: LinkSocket;
  #state: LinkState;
  #hello: Hello | null = null;
  #nonces: { replica: string; master: string } | null = null;
  #hash: Uint8Array = new Uint8Array(0);
  #beats = 0;
  #lease: SnapshotLease | null = null;
  #readingChunk = false;
  #ended = false;
  readonly #requests = new LinkRequests();
  protocolVersion: number | null = null;
  /** Of the other end. */
  readonly address: string;

  constructor(host: LinkHost, makeSocket: (link: ReplicaLink) => LinkSocket, address: string) {
    this.#host = host;
    this.address = address;
    this.#state = openLink(host.nowMs(), host.log().state().seq);
    this.#socket = makeSocket(this);
  }

  get state(): LinkState {
    return this.#state;
  }

  get hello(): Hello | null {
    return this.#hello;
  }

  get snapshot(): BuiltSnapshot | null {
    return this.#lease?.snapshot ?? null;
  }

  get #epoch(): number {
    return this.#host.log().state().epoch;
  }

  // What comes from the socket.

  /** Before it was greeted a caller may open and say hello, and nothing else is even read. */
  expects(type: Message['type']): boolean {
    if (this.#state.phase === 'opening') return type === 'open' || type === 'hello';
    return FROM_REPLICA.has(type);
  }

  frame({ epoch, message }: Frame): void {
    const nowMs = this.#host.nowMs();
    switch (message.type) {
      case 'open':
        return this.#challenge(message);
      case 'hello':
        return this.#attempt(this.#greet(message));
      case 'ack':
        if (epoch !== this.#epoch) return this.close('the acknowledgement is of another epoch');
        this.#step({ kind: 'acked', ack: message, nowMs });
        if (!this.#ended) this.#host.acknowledged(this, message);
        return this.pump();
      case 'snapshotWant':
        if (message.snapshotId !== this.snapshot?.head.id) return this.close('this snapshot is not being sent');
        this.#step({ kind: 'chunks_wanted', nextChunk: message.nextChunk, nowMs });
        return this.pump();
      case 'request':
        return this.#attempt(this.#answer(message));
      case 'response':
        return this.#requests.answered(message);
      case 'bye':
        return this.close(`the replica says: ${message.reason}`);
      default:
        return this.close(`a replica does not send ${message.type}`);
    }
  }

  socketEnded(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#state = linkStep(this.#state, { kind: 'ended' }, this.#host.rules).state;
    this.#requests.end();
    this.#lease?.release();
    this.#host.ended(this, reason);
  }

  // What the node does.

  tick(): void {
    this.#step({ kind: 'ticked', nowMs: this.#host.nowMs() });
    this.pump();
  }

  tailMoved(seq: number): void {
    this.#step({ kind: 'tail_moved', seq });
    this.pump();
  }

  send(message: Message): number {
    return this.#socket.send(this.#epoch, message);
  }

  close(reason: string, bye: Omit<Bye, 'type'> | null = null): void {
    if (bye !== null) this.send({ type: 'bye', ...bye });
    this.#socket.close(reason);
  }

  /** Asks the replica something. @throws Error with its words, or that the link ended */
  ask(method: string, parameters: LinkValues): Promise<LinkValues> {
    return this.#requests.ask(method, parameters, (request) => this.send(request));
  }

  // Decisions and what follows from them.

  /** What fails on this node's side ends the link, and no more than that. */
  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#host.failed(this, error);
      this.close('this node failed');
    });
  }

  #step(event: LinkEvent): void {
    const { state, effects } = linkStep(this.#state, event, this.#host.rules);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === 'heartbeat') this.send(this.#host.heartbeat(++this.#beats));
      else if (effect.kind === 'live') this.#host.live(this);
      else if (effect.reason === 'silent') this.#socket.cut(effect.reason);
      else this.close(effect.reason);
    }
  }

  #challenge(open: Open): void {
    if (this.#nonces !== null) return this.close('opened twice');
    const answer = this.#host.challenge(open);
    if (answer.type === 'challenge') {
      this.#nonces = { replica: open.nonce, master: answer.nonce };
      this.protocolVersion = answer.proto;
    }
    // Whoever has not proven the key yet is told nothing, not even the epoch.
    this.#socket.send(NO_EPOCH, answer);
    if (answer.type === 'reject') this.close(answer.reason);
  }

  async #greet(hello: Hello): Promise<void> {
    if (this.#nonces === null || this.#hello !== null) return this.close('a hello out of order');
    this.#hello = hello;
    const answer = await this.#host.greet(this, hello, this.#nonces);
    if (this.#ended) return;
    this.#socket.send(answer.epoch, answer);
    if (answer.type === 'reject') return this.close(answer.reason);
    failpoint('link.welcome_sent');
    const { decision } = answer;
    if (decision === null) return;
    const nowMs = this.#host.nowMs();
    if (decision.kind === 'continue') {
      const seq = decision.fromSeq - 1;
      const hash = this.#host.log().chainHashAt(seq);
      if (hash === null) return this.close('the log was cut while the link was opened');
      this.#hash = hash;
      this.#step({ kind: 'continued', seq, nowMs });
      this.pump();
    } else {
      this.#step({ kind: 'snapshot_begun', nowMs });
      await this.#offerSnapshot();
    }
  }

  async #offerSnapshot(): Promise<void> {
    const lease = await this.#host.leaseSnapshot(this);
    if (lease === null) return this.close('a snapshot was promised to this replica a moment ago');
    if (this.#ended) return lease.release();
    this.#lease = lease;
    const { head } = lease.snapshot;
    this.send({ type: 'snapshotHead', head: { ...head } });
    this.#step({ kind: 'head_sent', chunks: head.chunks });
  }

  async #answer(request: LinkRequest): Promise<void> {
    if (this.#hello === null || this.#state.phase === 'opening') return this.close('a request before the welcome');
    const { method, parameters } = request;
    const response = await answerTo(request, () => this.#host.request(this, method, parameters));
    if (!this.#ended) this.send(response);
  }

  /** Sends one stretch, if there is room; the socket's callback comes back here for the next. */
  pump(): void {
    if (this.#ended || this.#socket.waitingBytes >= SOCKET_WAITING_BYTES_MAX) return;
    if (maySendEntries(this.#state, this.#host.rules)) this.#sendEntries();
    else if (maySendChunk(this.#state)) void this.#sendChunk();
  }

  #sendEntries(): void {
    const fromSeq = this.#state.sentSeq + 1;
    try {
      const next = this.#host.frames.from(this.#host.log(), fromSeq, this.#hash);
      if (next === null) return this.close('the log no longer has what this replica needs');
      failpoint('stream.before_send');
      const bytes = this.#socket.sendFrame(next.frame);
      failpoint('stream.after_send');
      if (bytes === 0) return;
      this.#hash = next.hashAfter;
      this.#step({ kind: 'entries_sent', throughSeq: next.throughSeq, bytes });
    } catch (error) {
      this.#host.damaged(fromSeq, error);
      this.close('the log is damaged here');
    }
  }

  async #sendChunk(): Promise<void> {
    const { snapshot } = this;
    if (this.#readingChunk || snapshot === null) return;
    this.#readingChunk = true;
    const number = this.#state.nextChunk;
    try {
      const bytes = await snapshot.read(number);
      if (this.#ended) return;
      const { id, chunks } = snapshot.head;
      const sent = this.send({ type: 'snapshotChunk', snapshotId: id, number, bytes });
      failpoint('snapshot.chunk_sent');
      this.#step({ kind: 'chunk_sent', number });
      if (sent > 0 && number === chunks - 1) this.#host.snapshotSent(snapshot);
    } catch (error) {
      this.close(`the snapshot cannot be read: ${messageOf(error)}`);
    } finally {
      this.#readingChunk = false;
    }
    this.pump();
  }
}
