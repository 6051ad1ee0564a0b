/** A proxy between a replica and its master that ends the WebSocket on both sides, so that it can lose, repeat, reorder and replace
 *  whole messages, and record a session to replay it later.
 *
 *  Paths, headers, subprotocols, pings, refusals of the upgrade and close codes are passed on as they are. Invariant: in order, and byte exact
 *  but for what a hook asks for. It holds back nobody: for slow peers use the fault proxy. Must not know: what the messages mean. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { Direction } from './fault-proxy.js';
import { playSide, type RecordedSession } from './recorded-session.js';

export interface Message {
  readonly bytes: Buffer;
  readonly binary: boolean;
}

/** `index` counts the messages of this direction of this connection from 0; connections count from 0 too. */
export interface PassingMessage extends Message {
  readonly connection: number;
  readonly index: number;
}

/** What becomes of a message. swap: it goes after the next one of its direction; send: these go in its place. */
export type Verdict = 'pass' | 'drop' | 'duplicate' | 'swap' | { readonly send: readonly Message[] };

export type Hook = (message: PassingMessage) => Verdict;

/** Headers of one hop, which the other side's WebSocket makes itself. */
const OWN_HEADERS = /^(?:connection|upgrade|host|sec-websocket-.*)$/;
const NO_STATUS = 1005;
const ABNORMAL = 1006;

export async function startMessageProxy(t: { after(cleanup: () => unknown): void }, targetPort: number): Promise<MessageProxy> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new MessageProxy(server, targetPort);
  t.after(() => proxy.close());
  return proxy;
}

export class MessageProxy {
  /** Every session in the order of their beginnings, as the messages arrived here, before hooks. They grow while their session lives. */
  readonly sessions: RecordedSession[] = [];
  readonly port: number;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #hooks = new Map<Direction, Hook>();
  readonly #sockets = new Set<WebSocket>();
  #replayed: RecordedSession | null = null;

  constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.#targetPort = targetPort;
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** From now on this decides about the messages of a direction; null: they pass. */
  hook(direction: Direction, hook: Hook | null): void {
    if (hook === null) this.#hooks.delete(direction);
    else this.#hooks.set(direction, hook);
  }

  /** New connections of replicas get what the master said in that session, and no master; null ends that. */
  answerFrom(session: RecordedSession | null): void {
    this.#replayed = session;
  }

  /** Ends every session without a word. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.terminate();
  }

  async close(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const session = this.#replayed;
    if (session === null) return this.#passOn(request, socket, head);
    accept(request, socket, head, { protocol: session.protocol }, (replica) => {
      this.#track(replica);
      void playSide(replica, session, 'toReplica');
    });
  }

  /** Both sides are joined within the events that open them, so no message can come too early. */
  #passOn(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const protocols = request.headers['sec-websocket-protocol']?.split(/, */) ?? [];
    const headers = passedOn(request.headers);
    const options = { headers, perMessageDeflate: false, autoPong: false };
    const master = new WebSocket(`ws://127.0.0.1:${this.#targetPort}${request.url}`, protocols, options);
    this.#track(master);
    let answered: Record<string, string> = {};
    let joined = false;
    master.on('upgrade', (response) => (answered = passedOn(response.headers)));
    master.on('unexpected-response', (_, response) => void refuse(socket, response));
    master.on('error', () => !joined && socket.destroy());
    master.on('open', () =>
      accept(request, socket, head, { headers: answered, protocol: master.protocol }, (replica) => {
        joined = true;
        this.#track(replica);
        this.#join(replica, master, request);
      }),
    );
    socket.on('close', () => !joined && master.terminate());
  }

  #join(replica: WebSocket, master: WebSocket, request: IncomingMessage): void {
    const { protocol } = master;
    const session: RecordedSession = { path: request.url ?? '', headers: passedOn(request.headers), protocol, messages: [] };
    const connection = this.sessions.push(session) - 1;
    const sides = [
      { direction: 'toMaster', source: replica, sink: master },
      { direction: 'toReplica', source: master, sink: replica },
    ] as const;
    for (const { direction, source, sink } of sides) {
      const lane = new MessageLane(connection, (message) => this.#hooks.get(direction)?.(message) ?? 'pass');
      source.on('message', (data, binary) => {
        const message = { bytes: data as Buffer, binary };
        session.messages.push({ direction, ...message });
        for (const { bytes, binary: asBinary } of lane.through(message)) sink.send(bytes, { binary: asBinary }, () => undefined);
      });
      source.on('ping', (data) => sink.ping(data, undefined, () => undefined));
      source.on('pong', (data) => sink.pong(data, undefined, () => undefined));
      source.on('close', (code, reason) => closeLike(sink, code, reason));
    }
  }

  #track(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** One direction of one session under a hook. */
class MessageLane {
  readonly #connection: number;
  readonly #hook: Hook;
  #index = 0;
  #late: Message[] = [];

  constructor(connection: number, hook: Hook) {
    this.#connection = connection;
    this.#hook = hook;
  }

  /** @returns what is to be sent now */
  through(message: Message): Message[] {
    const verdict = this.#hook({ ...message, connection: this.#connection, index: this.#index++ });
    if (verdict === 'swap') {
      this.#late.push(message);
      return [];
    }
    const now = [...chosen(message, verdict), ...this.#late];
    this.#late = [];
    return now;
  }
}

function chosen(message: Message, verdict: Exclude<Verdict, 'swap'>): readonly Message[] {
  if (verdict === 'pass') return [message];
  if (verdict === 'drop') return [];
  if (verdict === 'duplicate') return [message, message];
  return verdict.send;
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** Ends the replica's handshake; nothing happens when it has gone meanwhile. */
function accept(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { headers = {}, protocol = '' }: { readonly headers?: Readonly<Record<string, string>>; readonly protocol?: string },
  onOpen: (replica: WebSocket) => void,
): void {
  const handshake = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    handleProtocols: () => (protocol === '' ? false : protocol),
  });
  handshake.on('headers', (lines) => lines.push(...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)));
  handshake.handleUpgrade(request, socket, head, onOpen);
}

async function refuse(socket: Duplex, response: IncomingMessage): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const status = response.statusCode ?? 502;
  const headers = Object.entries({ ...response.headers, connection: 'close', 'content-length': body.length })
    .filter(([name]) => name !== 'transfer-encoding')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('')}\r\n`), body]));
}

function closeLike(sink: WebSocket, code: number, reason: Buffer): void {
  if (code === ABNORMAL) sink.terminate();
  else if (code === NO_STATUS) sink.close();
  else sink.close(code, reason);
}
