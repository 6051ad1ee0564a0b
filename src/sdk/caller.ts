/** One call from start to end: encode, send, decode, try again, remember the position.
 *
 *    body ─► bytes (once) ─► transport (─► master) ─► answer | error ─► retry? (retry.ts) ─► … until the call's time is over
 *
 *  Invariant: what may not happen twice is sent twice only under an idempotency key, or when the server saw nothing of it.
 *  Must not know: routes, shapes of bodies, sockets. */

import { packMessage, unpackMessage } from '../codec/msgpack.js';
import { apiErrorFrom, SkeinApiError, SkeinTimeoutError } from './errors.js';
import { delayBeforeRetry, type RetrySettings } from './retry.js';
import type { Session } from './session.js';
import type { Transport, TransportAnswer, TransportRequest } from './transport.js';
import type { ReadOptions, WriteOptions } from './types.js';

export type Encoding = 'msgpack' | 'json';
type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  /** For messages: what the caller asked for. */
  readonly what: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** Reads carry the session's position and may be repeated freely; writes carry an idempotency key. */
  readonly kind: 'read' | 'write';
  readonly options: ReadOptions & WriteOptions;
  /** Statuses beyond 2xx whose body is the answer. */
  readonly alsoFine?: readonly number[];
}

export interface CallerSettings {
  readonly transport: Transport;
  /** Base address. */
  readonly url: string;
  readonly encoding: Encoding;
  readonly apiKey: string | null;
  readonly timeoutMs: number;
  readonly retries: RetrySettings;
  /** Null: positions are not tracked. */
  readonly session: Session | null;
}

const CONTENT_TYPES = { msgpack: 'application/msgpack', json: 'application/json' } as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Caller {
  readonly #settings: CallerSettings;

  constructor(settings: CallerSettings) {
    this.#settings = settings;
  }

  /** @returns the decoded body
   *  @throws SkeinApiError · SkeinConnectionError · SkeinTimeoutError · the reason of an aborted signal */
  async run(call: Call): Promise<unknown> {
    const { encoding, retries } = this.#settings;
    const time = new CallTime(call.what, call.options.timeoutMs ?? this.#settings.timeoutMs, call.options.signal);
    const body = call.body === undefined ? null : encode(call.body, encoding);
    const headers = this.#headers(call);
    const path = pathOf(call);
    // 'not-needed' says that doing it twice is harmless; without a key and without that, only what never arrived is sent again.
    const repeatable =
      call.kind === 'read' || headers['idempotency-key'] !== undefined || call.options.idempotencyKey === 'not-needed';
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = await this.#send({ method: call.method, path, headers, body, signal: time.signal });
          return this.#read(call, answer);
        } catch (error) {
          const delayMs = time.over ? null : delayBeforeRetry({ error, attempt, repeatable }, retries, Math.random());
          if (delayMs === null) throw time.over ? time.reason(error) : error;
          await time.pause(delayMs, error);
        }
      }
    } finally {
      time.end();
    }
  }

  /** Sends a body that is made while it is sent, and gives the answer piece by piece. Never repeated; without a timeout unless one is given. */
  async *stream(call: Call, contentType: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const time = new CallTime(call.what, call.options.timeoutMs ?? null, call.options.signal);
    try {
      const headers = { ...this.#headers(call), 'content-type': contentType, accept: 'application/x-ndjson, application/json' };
      const answer = await this.#settings.transport.stream({
        method: call.method,
        path: pathOf(call),
        headers,
        signal: time.signal,
        chunks,
      });
      if (answer.status >= 200 && answer.status < 300) {
        yield* answer.chunks;
        return;
      }
      const parts: Uint8Array[] = [];
      for await (const part of answer.chunks) parts.push(part);
      throw apiErrorFrom(answer.status, decode(joined(parts), answer.headers), answer.headers);
    } catch (error) {
      throw time.over ? time.reason(error) : error;
    } finally {
      time.end();
    }
  }

  /** A write that a replica sends on goes to the master that the replica names, once, with the same headers, the key included: whoever
   *  trusts a server with its key trusts it to name its master. Never from https to http, where others could read the key. */
  async #send(request: TransportRequest): Promise<TransportAnswer> {
    const { transport, url } = this.#settings;
    const answer = await transport.send(request);
    const master = answer.status === 307 ? masterAddress(answer, url) : null;
    return master === null ? answer : transport.send({ ...request, url: master });
  }

  #headers(call: Call): Record<string, string> {
    const { encoding, apiKey, session } = this.#settings;
    const type = CONTENT_TYPES[encoding];
    const headers: Record<string, string> = { accept: type };
    if (call.body !== undefined) headers['content-type'] = type;
    if (apiKey !== null) headers['authorization'] = `Bearer ${apiKey}`;
    if (call.kind === 'read') {
      const position = call.options.minPosition ?? session?.position ?? null;
      if (position !== null) headers['x-skein-min-position'] = position;
    } else {
      const key = call.options.idempotencyKey ?? crypto.randomUUID();
      if (key !== false && key !== 'not-needed') headers['idempotency-key'] = key;
    }
    return headers;
  }

  #read(call: Call, answer: TransportAnswer): unknown {
    const fine = (answer.status >= 200 && answer.status < 300) || call.alsoFine?.includes(answer.status) === true;
    const body = decode(answer.body, answer.headers);
    if (!fine || body === undefined) throw apiErrorFrom(answer.status, body, answer.headers);
    const position = answer.headers['x-skein-position'];
    if (position !== undefined) this.#settings.session?.saw(position);
    return body;
  }
}

/** The time of one call: ends it by its deadline or by the caller's signal, pauses between tries. */
class CallTime {
  readonly #controller = new AbortController();
  readonly #what: string;
  readonly #timeoutMs: number | null;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #given: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#given?.reason);
  readonly #deadlineMs: number;

  constructor(what: string, timeoutMs: number | null, given: AbortSignal | undefined) {
    this.#what = what;
    this.#timeoutMs = timeoutMs;
    this.#given = given;
    this.#deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (timeoutMs !== null)
      this.#timer = setTimeout(() => this.#controller.abort(new SkeinTimeoutError(what, timeoutMs, null)), timeoutMs);
    if (given?.aborted) this.#onAbort();
    else given?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get over(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Why the call ended early; a connection cut by us is not the news. */
  reason(met: unknown): unknown {
    const reason: unknown = this.#controller.signal.reason;
    return reason instanceof SkeinTimeoutError && met instanceof SkeinApiError
      ? new SkeinTimeoutError(this.#what, reason.timeoutMs, met)
      : reason;
  }

  /** @throws when the call ends before the pause does */
  async pause(delayMs: number, met: unknown): Promise<void> {
    const { signal } = this.#controller;
    if (this.#timeoutMs !== null && performance.now() + delayMs >= this.#deadlineMs) throw met;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal.addEventListener('abort', done, { once: true });
    });
    if (signal.aborted) throw this.reason(met);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#given?.removeEventListener('abort', this.#onAbort);
  }
}

/** Where a NotMaster sends the request; null when it must not go there. */
function masterAddress(answer: TransportAnswer, from: string): string | null {
  const { location } = answer.headers;
  if (location === undefined || !URL.canParse(location)) return null;
  const { protocol } = new URL(location);
  if (protocol !== 'https:' && (protocol !== 'http:' || new URL(from).protocol === 'https:')) return null;
  return apiErrorFrom(answer.status, decode(answer.body, answer.headers), answer.headers).type === 'NotMaster' ? location : null;
}

function encode(body: unknown, encoding: Encoding): Uint8Array {
  return encoding === 'msgpack' ? packMessage(body) : encoder.encode(JSON.stringify(body));
}

/** By the answer's own type, so that the JSON of a proxy is read as well; null when it is empty, undefined when it cannot be read. */
function decode(bytes: Uint8Array, headers: Readonly<Record<string, string>>): unknown {
  const type = headers['content-type'] ?? '';
  if (bytes.byteLength === 0) return null;
  try {
    if (type.startsWith('application/msgpack')) return unpackMessage(bytes);
    if (/[/+](?:x-nd)?json/.test(type)) return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  return undefined;
}

function pathOf({ path, query, options }: Call): string {
  const all: Query = {
    ...query,
    max_wait_ms: options.maxWaitMs,
    max_staleness_ms: options.maxStalenessMs,
    w: options.w,
    wait: options.wait,
    timeout_ms: options.writeTimeoutMs,
  };
  const parts: string[] = [];
  for (const [name, value] of Object.entries(all)) if (value !== undefined) parts.push(`${name}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}
