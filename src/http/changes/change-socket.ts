/** The change feed over a WebSocket: the same route, asked by a connection that wants to become one.
 *
 *  The request goes through all that any request goes through (key, scope, guards, errors) with its connection set aside; where it is refused, the
 *  refusal is an ordinary answer and ends the connection. The only file of the room that names ws.
 *
 *    message  {"changes": [change with its token, …], "token": "…"}     an empty one is a sign of life
 *    last     {"error": {…}}, and a close with 4000 + the status of the error
 *
 *  The subprotocol `skein.msgpack` has the same as MessagePack, with binary vectors; `skein.json` is what comes without one.
 *  Must not know: routes, how changes are found. */

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Change, ChangePage } from '../../engine/engine.js';
import { encodeChangeToken } from '../../model/change-place.js';
import { answerWriter, encodeAnswer } from '../../wire/answer-writer.js';
import type { BodyForm } from '../../wire/body-reader.js';
import type { ErrorBody } from '../../wire/http-bodies.js';
import { writeChange } from './change-writer.js';

const PROTOCOLS: Readonly<Record<string, BodyForm>> = { 'skein.json': 'json', 'skein.msgpack': 'msgpack' };
/** Nothing is expected of the other side. */
const INCOMING_BYTES_MAX = 1024;
const MESSAGE_CHANGES_MAX = 256;
const CLOSE_MS = 5_000;
/** RFC 6455 §7.4.1: data of a kind that is not accepted. */
const NO_MESSAGES = 1003;
const OWN_CODES = 4_000;

/** A connection that is set aside until its request was admitted. */
interface Wish {
  readonly socket: Duplex;
  readonly head: Buffer;
}

export class ChangeSockets {
  readonly #wishes = new WeakMap<IncomingMessage, Wish>();
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: INCOMING_BYTES_MAX,
    handleProtocols: (offered) => [...offered].find((name) => Object.hasOwn(PROTOCOLS, name)) ?? false,
  });

  /** Sends the request on its way. @param run what any request goes through */
  begin(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    run: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => socket.end());
    this.#wishes.set(request, { socket, head });
    run(request, response);
  }

  wants(request: IncomingMessage): boolean {
    return this.#wishes.has(request);
  }

  /** The request was admitted. @param headers of the answer, beside what makes it a WebSocket
   *  @returns null: what was asked for is no WebSocket, and was refused */
  accept(request: IncomingMessage, response: ServerResponse, headers: readonly string[]): WebSocket | null {
    const wish = this.#wishes.get(request);
    if (wish === undefined) return null;
    response.detachSocket(wish.socket as Socket);
    response.removeAllListeners('finish');
    let accepted: WebSocket | null = null;
    const addHeaders = (lines: string[]): void => void lines.push(...headers);
    this.#server.once('headers', addHeaders);
    this.#server.handleUpgrade(request, wish.socket, wish.head, (socket) => {
      accepted = socket;
    });
    // One that was refused had none.
    this.#server.off('headers', addHeaders);
    return accepted;
  }
}

export interface SocketFeed {
  readonly pages: AsyncIterable<ChangePage>;
  /** The place is told at least so often. */
  readonly heartbeatMs: number;
  /** A message that is not taken for so long ends the connection. */
  readonly stalledMs: number;
  readonly monotonicMs: () => number;
  readonly countSent: (changes: number) => void;
  /** Why the pages ended, as its reader is told; null: nobody reads any more. */
  readonly ended: (error: unknown) => { readonly status: number; readonly body: ErrorBody } | null;
}

/** Sends until the pages end or the connection does; resolves when it is closed, or about to be. Each message is taken before the next is made. */
export async function sendOver(socket: WebSocket, feed: SocketFeed): Promise<void> {
  const form = PROTOCOLS[socket.protocol] ?? 'json';
  const send = (bytes: Buffer): Promise<void> => sent(socket, bytes, form, feed.stalledMs);
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('message', () => socket.close(NO_MESSAGES, 'a change feed takes no messages'));
  let toldMs = Number.NEGATIVE_INFINITY;
  try {
    for await (const { changes, place } of feed.pages) {
      const nowMs = feed.monotonicMs();
      let count = 0;
      for (const some of batchesOf(changes)) {
        await send(messageOf(form, some, some.at(-1)?.token ?? ''));
        count += some.length;
      }
      feed.countSent(count);
      if (count > 0) toldMs = nowMs;
      else if (nowMs - toldMs >= feed.heartbeatMs) {
        toldMs = nowMs;
        await send(messageOf(form, [], encodeChangeToken(place)));
        // What was sent may stand in a buffer for a peer that is gone; an answer says that it is not.
        if (!isAlive) socket.terminate();
        isAlive = false;
        socket.ping();
      }
    }
  } catch (error) {
    const end = feed.ended(error);
    if (end === null) return;
    await send(encodeAnswer(form, end.body)).catch(() => undefined);
    socket.close(OWN_CODES + end.status, end.body.error.type);
    const cut = setTimeout(() => socket.terminate(), CLOSE_MS);
    socket.once('close', () => clearTimeout(cut));
  }
}

function* batchesOf(changes: Iterable<Change>): Generator<Change[], void, undefined> {
  let batch: Change[] = [];
  for (const change of changes) {
    batch.push(change);
    if (batch.length < MESSAGE_CHANGES_MAX) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function messageOf(form: BodyForm, changes: readonly Change[], token: string): Buffer {
  const out = answerWriter(form);
  out.openObject(2);
  out.key('changes');
  out.openArray(changes.length);
  for (const change of changes) writeChange(out, change, true);
  out.closeArray();
  out.key('token');
  out.value(token);
  out.closeObject();
  return out.take();
}

/** ws tells of room by the callback of a message alone (docs/REPLICATION.md). @throws Error when it was not taken */
function sent(socket: WebSocket, bytes: Buffer, form: BodyForm, stalledMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stalled = setTimeout(() => socket.terminate(), stalledMs);
    socket.send(bytes, { binary: form === 'msgpack' }, (error) => {
      clearTimeout(stalled);
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}
