/** How requests travel in Node: HTTP/1.1 over connections that are kept open. The only file of the client that uses Node's own modules.
 *
 *  Invariant: an error says whether the server may have seen the request. Must not know: JSON, msgpack, retries, sessions. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { SOCKET_MANNERS } from '../model/socket-manners.js';
import { SkeinConnectionError } from './errors.js';
import type { StreamAnswer, StreamRequest, Transport, TransportAnswer, TransportRequest } from './transport.js';

/** A Duplex of node:stream, in words that ask no types of Node of whoever reads the client's own. */
export interface ByteStream {
  readonly readable: boolean;
  readonly writable: boolean;
  destroy(error?: Error): unknown;
}

export interface HttpTransportSettings {
  /** Connections at once; further requests wait for a free one. */
  readonly connectionsMax: number;
  /** Believe any certificate. For questions without a key to the machine itself, whose certificate names others; left out: none is believed
   *  that Node's authorities do not know. */
  readonly anyCertificate?: boolean;
  /** Makes the streams (Duplex) that stand in the place of connections, to one server inside this process. Left out: the network. */
  readonly connect?: () => ByteStream;
}

export class HttpTransport implements Transport {
  /** By scheme; a replica and its master may have different ones. */
  readonly #agents = new Map<string, http.Agent>();
  readonly #connectionsMax: number;
  readonly #anyCertificate: boolean;

  constructor(settings: HttpTransportSettings) {
    if (settings.connect !== undefined) this.#agents.set('http:', streamAgent(settings.connectionsMax, settings.connect));
    this.#connectionsMax = settings.connectionsMax;
    this.#anyCertificate = settings.anyCertificate === true;
  }

  send(request: TransportRequest): Promise<TransportAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request, reject, (answer) => {
        collect(answer, (body) => resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer), body }));
      });
      if (request.body === null) outgoing.end();
      else outgoing.end(request.body);
    });
  }

  stream(request: StreamRequest): Promise<StreamAnswer> {
    return new Promise((resolve, reject) => {
      // A source that fails while the answer is being read is the news, not the connection that is cut because of it.
      const failure: { ofSource?: Error } = {};
      const outgoing = this.#open(request, reject, (answer) => {
        const chunks = chunksOf(answer, outgoing, failure, new URL(request.url).origin);
        resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer), chunks });
      });
      pour(request.chunks, outgoing).catch((error: unknown) => {
        failure.ofSource = error instanceof Error ? error : new Error(String(error));
        outgoing.destroy();
        reject(error);
      });
    });
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #open(
    request: Omit<TransportRequest, 'body'> & { readonly body?: Uint8Array | null },
    reject: (error: unknown) => void,
    onAnswer: (answer: http.IncomingMessage) => void,
  ): http.ClientRequest {
    const { signal } = request;
    const target = new URL(request.url);
    const headers: Record<string, string | number> = { ...request.headers };
    if (request.body instanceof Uint8Array) headers['content-length'] = request.body.byteLength;
    const open = target.protocol === 'https:' ? https.request : http.request;
    const outgoing = open({
      agent: this.#agentFor(target.protocol),
      protocol: target.protocol,
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port,
      method: request.method,
      path: `${target.pathname}${target.search}`,
      headers,
    });
    const fail = (error: unknown): void => {
      reject(signal.aborted ? signal.reason : connectionError(error, outgoing, target.origin));
    };
    const abort = (): void => {
      outgoing.destroy();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    outgoing.on('error', fail);
    outgoing.on('close', () => signal.removeEventListener('abort', abort));
    outgoing.on('response', (answer) => {
      answer.on('error', fail);
      onAnswer(answer);
    });
    return outgoing;
  }

  #agentFor(protocol: string): http.Agent {
    let agent = this.#agents.get(protocol);
    if (agent === undefined) {
      const options = { keepAlive: true, maxSockets: this.#connectionsMax, scheduling: 'lifo' as const };
      agent =
        protocol === 'https:'
          ? new https.Agent({ ...options, ...(this.#anyCertificate && { rejectUnauthorized: false }) })
          : new http.Agent(options);
      this.#agents.set(protocol, agent);
    }
    return agent;
  }
}

function streamAgent(connectionsMax: number, connect: () => ByteStream): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connectionsMax, scheduling: 'lifo' });
  return Object.assign(agent, { createConnection: () => Object.assign(connect() as Duplex, SOCKET_MANNERS) });
}

async function* chunksOf(
  answer: http.IncomingMessage,
  outgoing: http.ClientRequest,
  failure: { readonly ofSource?: Error },
  origin: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* answer;
  } catch (error) {
    if (failure.ofSource !== undefined) throw failure.ofSource;
    throw connectionError(error, outgoing, origin);
  }
}

function connectionError(error: unknown, outgoing: http.ClientRequest, origin: string): SkeinConnectionError {
  const cause = error instanceof Error ? error : new Error(String(error));
  // Where a name has several addresses, the failures come as an AggregateError without a message.
  const inner = cause instanceof AggregateError && cause.errors[0] instanceof Error ? cause.errors[0] : cause;
  const code = 'code' in inner && typeof inner.code === 'string' ? inner.code : 'UNKNOWN';
  const maybeSent = outgoing.socket !== null && !outgoing.socket.connecting && code !== 'ECONNREFUSED' && code !== 'ENOTFOUND';
  return new SkeinConnectionError(`no answer from ${origin}: ${inner.message}`, { code, url: origin, maybeSent, cause });
}

/** Gathers a whole body; one that was cut off ends in `error` on the message instead. */
function collect(answer: http.IncomingMessage, done: (body: Uint8Array) => void): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.on('end', () => done(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
}

async function pour(chunks: AsyncIterable<Uint8Array>, outgoing: http.ClientRequest): Promise<void> {
  for await (const chunk of chunks) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  if (!outgoing.destroyed) outgoing.end();
}

/** Resolves when more may be written, or nothing will ever be. */
function drained(outgoing: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
  });
}

function headersOf(answer: http.IncomingMessage): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
