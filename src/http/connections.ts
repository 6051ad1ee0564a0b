/** The connections of a server: which are in the middle of a request and which have never sent one, for its stop; and which came when there
 *  was no room for them.
 *
 *  Node's closeIdleConnections knows a connection as idle only after its first request, so one that never sends any would hold a stop
 *  until its deadline. Where handles or connections run short the silent ones go first, the oldest before the others, so that health is
 *  asked and answered; those that have sent a request stay. A connection goes by its remote end, because under TLS requests have another socket than the one that was accepted.
 *  Must not know: routes. */

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../model/clock.js';
import type { SkeinError } from '../model/errors.js';

export interface ConnectionFigures {
  readonly open: number;
  /** Under way. */
  readonly requests: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface ConnectionRules {
  /** Why no connection is to be added now, or null. */
  refusal(): SkeinError | null;
  /** It takes no handle, and is no connection of the machine. */
  isInside(socket: unknown): boolean;
}

/** Silent connections that make way for one that comes without room: more than one, so that room grows. */
const CUT_FOR_ONE = 2;
/** At a time, so that no look at a flood takes long. */
const CUT_AT_ONCE_MAX = 256;
/** A request may be on its way over a connection that is younger. */
const OLD_MS = 250;

export class Connections {
  /** By remote end, the oldest first. */
  readonly #silent = new Map<string, { readonly socket: Socket; readonly sinceMs: number }>();
  readonly #clock: Clock;
  readonly #open = new Set<Socket>();
  #receivedBytes = 0;
  #sentBytes = 0;
  /** Those that came without room, and are refused until there is some. */
  readonly #unwanted = new Set<string>();
  readonly #rules: ConnectionRules;
  /** A connection whose wish to become something else was passed over comes as a new one, and is not. */
  readonly #known = new WeakSet<Socket>();
  /** Sockets of requests, as they are asked about with every one of them. */
  readonly #spoke = new WeakSet<Socket>();
  #requests = 0;
  readonly #whenQuiet: (() => void)[] = [];

  constructor(server: Server, clock: Clock, rules: ConnectionRules) {
    this.#clock = clock;
    this.#rules = rules;
    server.on('connection', (socket: Socket) => {
      if (this.#known.has(socket) || this.#spoke.has(socket) || rules.isInside(socket)) return;
      this.#known.add(socket);
      const end = remoteEnd(socket);
      this.#silent.set(end, { socket, sinceMs: clock.monotonicMs() });
      this.#open.add(socket);
      if (rules.refusal() !== null) {
        this.#unwanted.add(end);
        this.#makeRoom(end);
      } else if (this.#open.size >= server.maxConnections) this.#makeRoom(end);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#receivedBytes += socket.bytesRead;
        this.#sentBytes += socket.bytesWritten;
        this.#unwanted.delete(end);
        if (this.#silent.get(end)?.socket === socket) this.#silent.delete(end);
      });
    });
    // There were as many as may be, so it was closed unseen; the next one finds room.
    server.on('drop', () => this.#makeRoom());
    server.on('request', (request, response) => {
      this.#hear(request.socket);
      this.#requests += 1;
      response.once('close', () => {
        this.#requests -= 1;
        if (this.#requests === 0) for (const resolve of this.#whenQuiet.splice(0)) resolve();
      });
    });
    server.on('upgrade', (request) => this.#hear(request.socket));
  }

  #hear(socket: Socket): void {
    if (this.#spoke.has(socket)) return;
    this.#spoke.add(socket);
    this.#silent.delete(remoteEnd(socket));
  }

  /** Why nothing is done on this connection, or null. */
  refusalOf(socket: Socket): SkeinError | null {
    if (this.#unwanted.size === 0) return null;
    const end = remoteEnd(socket);
    const refused = this.#unwanted.has(end) ? this.#rules.refusal() : null;
    if (refused === null) this.#unwanted.delete(end);
    return refused;
  }

  /** Requests that were not answered to their end. */
  get requests(): number {
    return this.#requests;
  }

  /** Resolves when no request runs. */
  quiet(): Promise<void> {
    return this.#requests === 0 ? Promise.resolve() : new Promise((resolve) => void this.#whenQuiet.push(resolve));
  }

  /** Of all connections since the start, those that became links of replication included. Cost: a look at each that is open. */
  status(): ConnectionFigures {
    let { receivedBytes, sentBytes } = { receivedBytes: this.#receivedBytes, sentBytes: this.#sentBytes };
    for (const { bytesRead, bytesWritten } of this.#open) {
      receivedBytes += bytesRead;
      sentBytes += bytesWritten;
    }
    return { open: this.#open.size, requests: this.#requests, receivedBytes, sentBytes };
  }

  /** All of them, for a stop. */
  cutSilent(): void {
    for (const { socket } of this.#silent.values()) socket.destroy();
  }

  /** Connections that have had time for a request and sent none, the oldest first. Cost: some hundred at most. */
  cutOldSilent(): void {
    const sinceMsMax = this.#clock.monotonicMs() - OLD_MS;
    let left = CUT_AT_ONCE_MAX;
    for (const [end, { socket, sinceMs }] of this.#silent) {
      if (left-- === 0 || sinceMs > sinceMsMax) return;
      this.#cut(end, socket);
    }
  }

  /** @param spared the remote end of the one that came */
  #makeRoom(spared?: string): void {
    let left = CUT_FOR_ONE;
    for (const [end, { socket }] of this.#silent) {
      if (end === spared) continue;
      this.#cut(end, socket);
      left -= 1;
      if (left === 0) return;
    }
  }

  /** It closes a little later, and makes room once. */
  #cut(end: string, socket: Socket): void {
    this.#silent.delete(end);
    socket.destroy();
  }
}

function remoteEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
