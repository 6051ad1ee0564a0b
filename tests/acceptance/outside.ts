/** What a stranger with the HTTP contract in hand needs: a suite over one server that lives as long as the file, and calls on it in
 *  JSON, in MessagePack and in raw bytes. Knows the contract and no code of the server. */

import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import * as assert from 'uvu/assert';
import { type ErrorBody, type ServerProcess, startServer } from '../support/server-process.js';
import { type Suite, suite, type TestContext } from '../support/suite.js';

const packr = new Packr({ useRecords: false });

export interface Answer<Body> {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Body;
  readonly bytes: Buffer;
}

export interface Outside {
  readonly test: Suite;
  /** The server of this file; started by the first test that runs. */
  server(): Promise<ServerProcess>;
  /** Sends JSON (a string or bytes as they are) and reads JSON. The path goes out exactly as written. */
  call<Body = ErrorBody>(method: string, path: string, body?: unknown, headers?: Headers): Promise<Answer<Body>>;
  /** The same in MessagePack, both ways. */
  pack<Body = ErrorBody>(method: string, path: string, body?: unknown, headers?: Headers): Promise<Answer<Body>>;
  /** Writes bytes on a bare socket and returns all that came until the server closed, or until `enough` says so. */
  socket(bytes: string, options?: { readonly end?: boolean; readonly enough?: (text: string) => boolean }): Promise<string>;
}

type Headers = Readonly<Record<string, string>>;

/** A suite whose tests share one server, which is stopped after the last of them. */
export function outside(name: string, options: { readonly deadlineMs?: number } = {}): Outside {
  const inner = suite(name, { deadlineMs: options.deadlineMs ?? 60_000 });
  const cleanups: Array<() => unknown> = [];
  let waiting = 0;
  let started: Promise<ServerProcess> | null = null;
  const start = async (): Promise<ServerProcess> => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-test-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    return startServer({ after: (cleanup) => void cleanups.push(cleanup) }, join(folder, 'data'));
  };
  const server = (): Promise<ServerProcess> => (started ??= start());
  const add = (title: string, body: (t: TestContext) => unknown): void => {
    waiting += 1;
    inner(title, async (t) => {
      waiting -= 1;
      t.after(async () => {
        if (waiting === 0) for (const cleanup of cleanups.reverse()) await cleanup();
      });
      await body(t);
    });
  };
  const send = async <Body>(method: string, path: string, body: Buffer | undefined, headers: Headers): Promise<Answer<Body>> =>
    exchange<Body>((await server()).url, method, path, body, headers);
  return {
    test: Object.assign(add, { run: inner.run }),
    server,
    call: async (method, path, body, headers = {}) =>
      send(method, path, bytesOf(body), body === undefined ? headers : { 'content-type': 'application/json', ...headers }),
    pack: async (method, path, body, headers = {}) =>
      send(method, path, body === undefined ? undefined : Buffer.isBuffer(body) ? body : packr.pack(body), {
        'content-type': 'application/msgpack',
        accept: 'application/msgpack',
        ...headers,
      }),
    socket: async (bytes, socketOptions = {}) => bareSocket((await server()).url, bytes, socketOptions),
  };
}

function bytesOf(body: unknown): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function exchange<Body>(
  url: string,
  method: string,
  path: string,
  body: Buffer | undefined,
  headers: Headers,
): Promise<Answer<Body>> {
  const framing = body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': String(body.length) };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, path, headers: { ...framing, ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: decode(answer.headers, bytes) as Body, bytes });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function decode(headers: http.IncomingHttpHeaders, bytes: Buffer): unknown {
  const type = headers['content-type'] ?? '';
  if (bytes.length === 0) return null;
  if (type.startsWith('application/msgpack')) return packr.unpack(bytes);
  return type.startsWith('application/json') ? JSON.parse(bytes.toString()) : bytes.toString();
}

function bareSocket(
  url: string,
  bytes: string,
  options: { readonly end?: boolean; readonly enough?: (text: string) => boolean },
): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
      if (options.enough?.(text) === true) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(bytes, 'latin1');
    if (options.end === true) socket.end();
  });
}

/** Asserts a typed error with every promise of §2: status, type, details (those named), request id in header and body. */
export function refused(
  answer: Answer<unknown>,
  status: number,
  type: string,
  details: Record<string, unknown> = {},
  what = '',
): void {
  const { error } = answer.body as { error: { type: string; message: string; details: Record<string, unknown> } & Body };
  const name = `${what} ${answer.bytes.subarray(0, 300).toString()}`;
  assert.equal([answer.status, error.type], [status, type], name);
  assert.type(error.message, 'string');
  assert.type(error.retryable, 'boolean');
  assert.is(error.request_id, answer.headers['x-request-id'], name);
  for (const [key, value] of Object.entries(details)) assert.equal(error.details[key], value, `${name} ${key}`);
}

interface Body {
  readonly retryable: boolean;
  readonly request_id: string;
}

/** Asserts a 400 InvalidRequest whose one issue is at `path`. */
export function invalidAt(answer: Answer<unknown>, path: string, what = ''): void {
  refused(answer, 400, 'InvalidRequest', {}, what);
  const { error } = answer.body as { error: { details: { issues: { path: string; message: string }[] } } };
  assert.is(error.details.issues[0]?.path, path, `${what} ${JSON.stringify(error.details)}`);
}

export const COLLECTIONS = '/v1/collections';

/** Binary vector as MessagePack carries it. */
export function float32(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}
