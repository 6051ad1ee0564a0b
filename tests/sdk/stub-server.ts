/** A small HTTP server on a free port that answers as a test tells it to and keeps what it was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { packMessage, unpackMessage } from '../../src/codec/msgpack.js';
import type { TestContext } from '../support/suite.js';

export const READY_PATH = '/health/ready';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** Decoded by its content type; null without a body. */
  readonly body: unknown;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Packed as msgpack, unless a string. */
  readonly body?: unknown;
}

export type Handler = (
  request: Received,
  response: ServerResponse,
  incoming: IncomingMessage,
) => Reply | null | Promise<Reply | null>;

export interface StubServer {
  readonly url: string;
  readonly received: Received[];
  /** Connections accepted so far. */
  connections(): number;
}

/** @param handler null: it has answered, or will not, by itself
 *  @param readBody false: the handler reads the body */
export async function stubServer(t: TestContext, handler: Handler, readBody = true): Promise<StubServer> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = readBody ? await bodyOf(incoming) : Buffer.alloc(0);
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const request: Received = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers,
      bytes,
      body: decoded(bytes, headers),
    };
    received.push(request);
    const reply = await handler(request, response, incoming);
    if (reply === null) return;
    const text = typeof reply.body === 'string';
    const type = text ? 'text/html' : 'application/msgpack';
    response.writeHead(reply.status ?? 200, { ...(reply.body === undefined ? {} : { 'content-type': type }), ...reply.headers });
    response.end(reply.body === undefined ? undefined : text ? String(reply.body) : packMessage(reply.body));
  };
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, connections: () => connections };
}

/** Says to who looks that it is a ready master, and else answers as `handler` does. */
export function ofMaster(handler: Handler): Handler {
  return (request, response, incoming) => {
    if (request.path !== READY_PATH) return handler(request, response, incoming);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'healthy', state: 'ready', role: 'master', epoch: 1 }));
    return null;
  };
}

/** What came beside looks at what the server is. */
export function callsOf({ received }: StubServer): Received[] {
  return received.filter(({ path }) => path !== READY_PATH);
}

export function apiError(status: number, type: string, rest: object = {}): Reply {
  return {
    status,
    body: { error: { type, message: `${type} it is`, details: {}, retryable: false, request_id: 'r-1', ...rest } },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function decoded(bytes: Buffer, headers: Readonly<Record<string, string>>): unknown {
  if (bytes.length === 0) return null;
  if (headers['content-type'] === 'application/msgpack') return unpackMessage(bytes);
  return headers['content-type'] === 'application/json' ? JSON.parse(bytes.toString()) : bytes.toString();
}
