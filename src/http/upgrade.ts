/** Connections that ask to become something else. A WebSocket on the path of replication is handed to the node, one on the path of the change
 *  feed goes the way of any request (changes/change-socket.ts); every other wish is passed over, as HTTP allows, and the request is answered like any other: Node cannot ask us before it has taken the
 *  connection out of HTTP, so the request is put back without its wish.
 *
 *  Requests before the wish are answered first, so that answers keep their order.
 *  Invariant: a connection that was taken out is handed on, put back, or answered and closed. Must not know: frames, keys of nodes. */

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { AnswersBefore } from './answers-before.js';
import { asSkeinError, endWithError } from './error-reply.js';
import type { ReplicationService } from './service.js';

export const STREAM_PATH = '/replication/stream';
export const CHANGES_PATH = '/v1/changes';

export interface UpgradeOptions {
  readonly server: Server;
  readonly replication: ReplicationService;
  readonly log: Log;
  readonly nameRequest: (headers: IncomingMessage['headers']) => string;
  readonly closing: { readonly now: boolean };
  /** Only a connection whose certificate was checked is handed on. */
  readonly verifiedPeers: boolean;
  /** Takes a connection that asks to follow changes. */
  readonly follow: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** @returns how to cut off those that the node has not ended */
export function addUpgrades(options: UpgradeOptions): () => void {
  const taken = new Set<Duplex>();
  const before = new AnswersBefore(options.server);
  options.server.on('upgrade', (request, socket, head) => {
    before.wait(socket, () => {
      const path = socketPath(request);
      if (path !== STREAM_PATH && path !== CHANGES_PATH) return putBack(options.server, request, socket, head);
      taken.add(socket);
      socket.once('close', () => taken.delete(socket));
      // A reset of the connection must find somebody, whoever owns it by then.
      socket.on('error', () => socket.destroy());
      if (path === STREAM_PATH) handOn(options, request, socket, head);
      else options.follow(request, socket, head);
    });
  });
  return () => {
    before.cut();
    for (const socket of taken) socket.destroy();
  };
}

/** Undefined: it is no WebSocket that is asked for. */
function socketPath({ method, url, headers }: IncomingMessage): string | undefined {
  const isSocket = method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket';
  return isSocket ? url?.split('?', 1)[0] : undefined;
}

function handOn(options: UpgradeOptions, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  try {
    if (options.closing.now) throw new SkeinError('ShuttingDown', 'The server is stopping');
    if (options.verifiedPeers && !(socket instanceof TLSSocket && socket.authorized))
      throw new SkeinError('Unauthorized', 'A link to this node needs a certificate of its authority');
    // A browser names the page that asks; a node does not. No page may be a node (RFC 6455 §10.2).
    if (request.headers.origin !== undefined) throw new SkeinError('Forbidden', 'Links are for nodes, not for web pages');
    options.replication.upgrade(request, socket, head);
  } catch (thrown) {
    const error = asSkeinError(thrown);
    const requestId = options.nameRequest(request.headers);
    if (error.type === 'Internal') options.log.error('upgrade_failed', { request_id: requestId, error: error.cause ?? error });
    // Who asked for another version is told which there is (RFC 6455 §4.2.2).
    endWithError(socket, error, requestId, error.type === 'InvalidRequest' ? { headers: VERSION } : {});
  }
}

const VERSION = 'sec-websocket-version: 13\r\n';
const ABOUT_UPGRADE = new Set(['upgrade', 'http2-settings']);

/** In the next turn, because the parser that took the connection out is still at work in this one. */
function putBack(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const gone = (): void => void socket.destroy();
  socket.on('error', gone);
  setImmediate(() => {
    socket.off('error', gone);
    if (socket.destroyed) return;
    socket.unshift(Buffer.concat([headWithoutWish(request), head]));
    server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
  });
}

function headWithoutWish({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    const lower = name.toLowerCase();
    if (ABOUT_UPGRADE.has(lower)) continue;
    const kept = lower === 'connection' ? withoutWish(value) : value;
    if (kept !== '' || lower !== 'connection') lines.push(`${name}: ${kept}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function withoutWish(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => option !== '' && !ABOUT_UPGRADE.has(option.toLowerCase())).join(', ');
}
