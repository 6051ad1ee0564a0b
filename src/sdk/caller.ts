/** One call from start to end: encode, ask, try again, remember the position.
 *
 *    body ─► bytes (once) ─► a round over the nodes (round.ts) ─► answer | error ─► retry? (retry.ts) ─► … until the call's time is over
 *
 *  Invariant: what may not happen twice is sent twice only under an idempotency key, or when the server saw nothing of it.
 *  Must not know: routes, shapes of bodies, which node is asked, sockets. */

import { packMessage } from '../codec/msgpack.js';
import { ChildAbort, pause, timerFor } from './aborting.js';
import { errorOf } from './answer.js';
import type { Call, Query } from './call.js';
import type { Closing } from './closing.js';
import { SkeinApiError, SkeinTimeoutError } from './errors.js';
import { mustKnow } from './known-names.js';
import { delayBeforeRetry, type RetrySettings } from './retry.js';
import type { Round } from './round.js';
import type { Session } from './session.js';
import type { ReadOptions, WriteOptions } from './types.js';

export type Encoding = 'msgpack' | 'json';

export interface CallerSettings {
  readonly round: Round;
  readonly encoding: Encoding;
  readonly apiKey: string | null;
  readonly timeoutMs: number;
  readonly retries: RetrySettings;
  /** Null: positions are not tracked. */
  readonly session: Session | null;
  readonly closing: Closing;
}

const CONTENT_TYPES = { msgpack: 'application/msgpack', json: 'application/json' } as const;
const encoder = new TextEncoder();
const CALL_OPTIONS = {
  ...{ signal: true, timeoutMs: true },
  ...{ minPosition: true, maxWaitMs: true, maxStalenessMs: true, readPreference: true },
  ...{ w: true, wait: true, writeTimeoutMs: true, idempotencyKey: true },
} as const satisfies Readonly<Record<keyof ReadOptions | keyof WriteOptions, true>>;

export class Caller {
  readonly #settings: CallerSettings;

  constructor(settings: CallerSettings) {
    this.#settings = settings;
  }

  /** False: what is streamed is gathered first. */
  get sendsStreams(): boolean {
    return this.#settings.round.sendsStreams;
  }

  /** True: no call begins any more. */
  get isClosing(): boolean {
    return this.#settings.closing.hasBegun;
  }

  /** @returns the decoded body
   *  @throws SkeinApiError · SkeinConnectionError · SkeinTimeoutError · the reason of an aborted signal */
  async run(call: Call): Promise<unknown> {
    const { encoding, retries, round } = this.#settings;
    mustKnow(call.options, CALL_OPTIONS, 'a call');
    const body = call.body === undefined ? null : encode(call.body, encoding);
    const headers = this.#headers(call);
    const path = pathOf(call);
    const time = this.#timeOf(call, this.#settings.timeoutMs);
    // 'not-needed' says that doing it twice is harmless; without a key and without that, only what never arrived is sent again.
    const repeatable =
      call.kind === 'read' || headers['idempotency-key'] !== undefined || call.options.idempotencyKey === 'not-needed';
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const asked = { call, path, headers, body, repeatable, signal: time.signal };
          const answer = await round.ask(asked, attempt > 1);
          const position = answer.headers['x-skein-position'];
          if (position !== undefined) this.#settings.session?.saw(position);
          return answer.body;
        } catch (error) {
          const failed = { error, attempt, repeatable, hasOthers: round.hasOthers };
          const delayMs = time.over || call.once === true ? null : delayBeforeRetry(failed, retries, Math.random());
          if (delayMs === null) {
            // Said once: else no read of this client would ever be answered again.
            if (isLost(error)) this.#settings.session?.forget(headers['x-skein-min-position']);
            throw time.over ? time.reason(error) : error;
          }
          await time.pause(delayMs, error);
        }
      }
    } finally {
      time.end();
    }
  }

  /** Sends a body that is made while it is sent, and gives the answer piece by piece. Never repeated; without a timeout unless one is given. */
  async *stream(call: Call, contentType: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    mustKnow(call.options, CALL_OPTIONS, 'a call');
    const time = this.#timeOf(call, null);
    try {
      const headers = { ...this.#headers(call), 'content-type': contentType, accept: 'application/x-ndjson, application/json' };
      const answer = await this.#settings.round.stream({ call, path: pathOf(call), headers, signal: time.signal, chunks });
      if (answer.status >= 200 && answer.status < 300) {
        yield* answer.chunks;
        return;
      }
      const parts: Uint8Array[] = [];
      for await (const part of answer.chunks) parts.push(part);
      throw errorOf({ ...answer, body: joined(parts) });
    } catch (error) {
      throw time.over ? time.reason(error) : error;
    } finally {
      time.end();
    }
  }

  #timeOf({ what, options: { timeoutMs, signal } }: Call, defaultMs: number | null): CallTime {
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) throw new TypeError('timeoutMs is a number of milliseconds, from 0 up');
    return new CallTime({ what, timeoutMs: timeoutMs ?? defaultMs, signal, closing: this.#settings.closing });
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
      const key = call.options.idempotencyKey ?? freshKey();
      if (key !== false && key !== 'not-needed') headers['idempotency-key'] = key;
    }
    return headers;
  }
}

/** 128 bits of chance. Not crypto.randomUUID, which pages over plain http do not have. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function isLost(error: unknown): boolean {
  return error instanceof SkeinApiError && error.type === 'PositionLost';
}

interface CallTimeSettings {
  readonly what: string;
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  readonly closing: Closing;
}

/** The time of one call: ends it by its deadline, by the caller's signal or with the client; pauses between tries. */
class CallTime {
  readonly #own: ChildAbort;
  readonly #settings: CallTimeSettings;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #deadlineMs: number;
  readonly #onClosed = (reason: unknown): void => this.#own.abort(reason);

  constructor(settings: CallTimeSettings) {
    this.#settings = settings;
    const { what, timeoutMs, signal, closing } = settings;
    this.#own = new ChildAbort(signal);
    this.#deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (timeoutMs !== null)
      this.#timer = timerFor(timeoutMs, () => this.#own.abort(new SkeinTimeoutError(what, timeoutMs, null)));
    closing.add(this.#onClosed);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  get over(): boolean {
    return this.#own.signal.aborted;
  }

  /** Why the call ended early; a connection cut by us is not the news. */
  reason(met: unknown): unknown {
    const reason: unknown = this.#own.signal.reason;
    return reason instanceof SkeinTimeoutError && met instanceof SkeinApiError
      ? new SkeinTimeoutError(this.#settings.what, reason.timeoutMs, met)
      : reason;
  }

  /** @throws when the call ends before the pause does */
  async pause(delayMs: number, met: unknown): Promise<void> {
    if (performance.now() + delayMs >= this.#deadlineMs) throw met;
    await pause(delayMs, this.signal);
    if (this.over) throw this.reason(met);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#settings.closing.remove(this.#onClosed);
    this.#own.release();
  }
}

function encode(body: unknown, encoding: Encoding): Uint8Array {
  return encoding === 'msgpack' ? packMessage(body) : encoder.encode(JSON.stringify(body));
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
