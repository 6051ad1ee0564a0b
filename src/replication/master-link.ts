/** One link to a master, on the side that follows: it is opened and greeted, and believed only when the other side has proven the key;
 *  then frames come, and requests go both ways. Once it has been ended it tells nothing more.
 *
 *  Must not know: what entries and snapshots are, when a link is made anew. */

import type { ClientOptions } from 'ws';
import { failpoint } from '../model/failpoint.js';
import type { Challenge, Frame, LinkRequest, LinkValues, Message, Reject, Welcome } from '../wire/frames.js';
import type { FollowerParts } from './follower-parts.js';
import { answerTo, LinkRequests } from './link-requests.js';
import { type LinkCounts, LinkSocket } from './link-socket.js';
import { ReplicaHandshake } from './replica-handshake.js';
import type { ReplicaFault, ReplicaState } from './replica-progress.js';

/** What a link asks of the side that follows, and tells it. */
export interface MasterLinkOwner {
  state(): ReplicaState;
  /** Has the master been heard out, and believed? */
  isLinked(): boolean;
  opened(): void;
  /** @param elsewhere where it sends this node, if that can be believed */
  rejected(reject: Reject, elsewhere: string | null): void;
  /** The sender holds the key. */
  welcomed(epoch: number, welcome: Welcome): void;
  /** All else that comes. */
  frame(frame: Frame, bytes: number): void;
  failed(fault: ReplicaFault): void;
  /** Sees to it that what fails on this node's side ends the link. */
  attempt(work: Promise<void>): void;
  lost(reason: string): void;
}

const FRAME_BYTES_MAX = 128 * 1024 * 1024;

/** What a master may send before it has been heard out, and what only then. */
const BEFORE_WELCOME: ReadonlySet<Message['type']> = new Set(['challenge', 'welcome', 'reject', 'bye']);
const AFTER_WELCOME: ReadonlySet<Message['type']> = new Set([
  'entries',
  'heartbeat',
  'snapshotHead',
  'snapshotChunk',
  'request',
  'response',
  'bye',
]);

export class MasterLink {
  readonly #parts: FollowerParts;
  readonly #owner: MasterLinkOwner;
  readonly #installed: string | null;
  readonly #handshake: ReplicaHandshake;
  readonly #requests = new LinkRequests();
  readonly #socket: LinkSocket;
  #networkBytes: number | null = null;
  #ended = false;

  /** @param installed the snapshot that was just taken */
  constructor(parts: FollowerParts, counts: LinkCounts, installed: string | null, owner: MasterLinkOwner) {
    this.#parts = parts;
    this.#owner = owner;
    this.#installed = installed;
    this.#handshake = new ReplicaHandshake(parts);
    const { streamUrl, tls, rules } = parts;
    const options: ClientOptions = {
      ...tls,
      maxPayload: FRAME_BYTES_MAX,
      handshakeTimeout: rules.greetingMs,
      followRedirects: false,
    };
    const events = {
      expects: (type: Message['type']) => (owner.isLinked() ? AFTER_WELCOME : BEFORE_WELCOME).has(type),
      frame: (frame: Frame, bytes: number) => this.#take(frame, bytes),
      bad: () => owner.failed('bad_frame'),
      counted: (sent: number, received: number) => {
        counts.bytesSent += sent;
        counts.bytesReceived += received;
      },
      sent: () => {},
      closed: (reason: string) => this.#ended || owner.lost(reason),
    };
    this.#socket = LinkSocket.connect(streamUrl, options, events, () => this.#open());
  }

  /** Have bytes come, whole frames or not, since this was asked last? */
  hasBrought(): boolean {
    const before = this.#networkBytes;
    this.#networkBytes = this.#socket.networkBytes;
    return this.#networkBytes !== before;
  }

  /** @returns bytes of the frame; 0 when the link has ended */
  send(message: Message): number {
    return this.#socket.send(this.#owner.state().epoch, message);
  }

  /** Takes nothing more from the network until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Asks the master something. @throws Error with its words, or that the link ended */
  ask(method: string, parameters: LinkValues): Promise<LinkValues> {
    return this.#requests.ask(method, parameters, (request) => this.send(request));
  }

  end(fault: ReplicaFault): void {
    this.#ended = true;
    if (fault === 'silent' || fault === 'stalled') this.#socket.cut(fault);
    else this.#socket.close(fault);
    this.#requests.end();
  }

  #open(): void {
    this.#owner.opened();
    this.send(this.#handshake.open());
  }

  #take(frame: Frame, bytes: number): void {
    const { epoch, message } = frame;
    switch (message.type) {
      case 'challenge':
        return this.#owner.attempt(this.#greet(message));
      case 'reject':
        return this.#owner.rejected(message, this.#handshake.redirection(message));
      case 'welcome':
        if (!this.#handshake.isAnswered) return this.#owner.failed('unexpected_message');
        if (!this.#handshake.isProven(message)) return this.#owner.failed('unauthentic');
        return this.#owner.welcomed(epoch, message);
      case 'request':
        return this.#owner.attempt(this.#answer(message));
      case 'response':
        return this.#requests.answered(message);
      default:
        return this.#owner.frame(frame, bytes);
    }
  }

  async #greet(challenge: Challenge): Promise<void> {
    if (this.#handshake.isAnswered) return this.#owner.failed('unexpected_message');
    const hello = await this.#handshake.hello(challenge, this.#owner.state(), this.#installed);
    if (this.#ended) return;
    if (hello === null) return this.#owner.failed('unauthentic');
    this.send(hello);
    failpoint('link.hello_sent');
  }

  async #answer(request: LinkRequest): Promise<void> {
    const { method, parameters } = request;
    this.send(await answerTo(request, () => this.#parts.onRequest(method, parameters)));
  }
}
