/** The change feed as an iteration without an end: over connections that break, from node to node, from each change to the next one.
 *
 *    node ─► events ─► (broken, silent, refused for now) ─► the next node, or all again after a while ─► from behind the last change
 *
 *  Invariant: every change is given once, in the order of the log; what was given last says where the next connection begins. What another node
 *  may still have (ChangesGone) is asked of every node before it is thrown; PositionLost is thrown at once, because a node that does not
 *  know better yet would go on with what is lost. Must not know: how bytes travel. */

import { delayMs, jittered } from '../model/backoff.js';
import type { ChangeBody } from '../wire/http-bodies.js';
import { ChildAbort, pause } from './aborting.js';
import { errorOf } from './answer.js';
import type { Change, ChangesOptions, ChangesRequest } from './change-types.js';
import type { ClientSettings, Shared } from './client-settings.js';
import { apiErrorFrom, errors, SkeinApiError, SkeinConnectionError } from './errors.js';
import { filterToWire } from './filter-form.js';
import { errorStatus } from './import-stream.js';
import { mustKnow } from './known-names.js';
import { vectorsFromWire } from './named-forms.js';
import { DEFAULT_RETRIES } from './retry.js';
import { ServerEvents } from './server-events.js';
import { positionOfPlace, type Session } from './session.js';
import type { StreamAnswer } from './transport.js';
import { vectorFrom } from './vector-form.js';

const PATH = '/v1/changes';
/** A server that gives no sign of life for so many of its heartbeats is gone. */
const HEARTBEATS = 3;
const HEARTBEAT_MS = 15_000;
/** For the head of the answer: longer than a replica is waited for. */
const HEAD_MS = 10_000;

export interface FollowParts {
  readonly settings: ClientSettings;
  readonly shared: Pick<Shared, 'transport' | 'cluster' | 'closing'>;
  readonly session: Session | null;
}

const OPTIONS = {
  ...{ signal: true, readPreference: true, maxStalenessMs: true, failuresMax: true, onFailure: true },
} as const satisfies Readonly<Record<keyof ChangesOptions, true>>;

/** @throws TypeError for an option that there is not · SkeinApiError, SkeinConnectionError · the reason of the signal */
export async function* followChanges(
  parts: FollowParts,
  request: ChangesRequest,
  options: ChangesOptions,
): AsyncGenerator<Change, void, undefined> {
  mustKnow(options, OPTIONS, 'a feed of changes');
  const end = new ChildAbort(options.signal);
  const { closing } = parts.shared;
  const onClosed = (reason: unknown): void => end.abort(reason);
  closing.add(onClosed, true);
  try {
    yield* new Following(parts, request, options, end.signal).changes();
  } finally {
    end.abort();
    closing.remove(onClosed);
  }
}

class Following {
  readonly #parts: FollowParts;
  readonly #request: ChangesRequest;
  readonly #options: ChangesOptions;
  readonly #signal: AbortSignal;
  #from: string;
  /** Those that were asked since something came last. */
  readonly #tried = new Set<string>();
  #failures = 0;
  /** What a node said that another may know better. */
  #gone: SkeinApiError | null = null;

  constructor(parts: FollowParts, request: ChangesRequest, options: ChangesOptions, signal: AbortSignal) {
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.#signal = signal;
    this.#from = request.from ?? 'now';
  }

  async *changes(): AsyncGenerator<Change, void, undefined> {
    for (;;) {
      this.#signal.throwIfAborted();
      const url = await this.#nextNode();
      try {
        yield* this.#ofNode(url);
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#mustBear(url, error);
      }
    }
  }

  /** Waits where all have been asked in vain. */
  async #nextNode(): Promise<string> {
    const { shared, settings } = this.#parts;
    const { cluster } = shared;
    const { readPreference = settings.readPreference ?? 'nearest', maxStalenessMs = settings.maxStalenessMs } = this.#options;
    await cluster.ready(this.#tried.size > 0);
    const next = (): string | null => cluster.nodes.forRead(readPreference, this.#tried, performance.now(), maxStalenessMs);
    const url = next();
    if (url !== null) return url;
    if (this.#gone !== null) throw this.#gone;
    this.#tried.clear();
    await this.#pause();
    return next() ?? cluster.first;
  }

  /** @throws what the feed cannot go on after */
  #mustBear(url: string, error: unknown): void {
    const { failuresMax = Number.POSITIVE_INFINITY } = this.#options;
    const { nodes } = this.#parts.shared.cluster;
    this.#tried.add(url);
    this.#failures += 1;
    if (error instanceof errors.ChangesGone) this.#gone = error;
    else if (error instanceof SkeinApiError ? !error.retryable : !(error instanceof SkeinConnectionError)) throw error;
    else if (error instanceof SkeinConnectionError) nodes.failed(url, performance.now());
    if (this.#failures >= failuresMax) throw error;
    this.#options.onFailure?.(error);
  }

  async #pause(): Promise<void> {
    const { firstDelayMs: baseDelayMs, delayMsMax: maxDelayMs } = { ...DEFAULT_RETRIES, ...(this.#parts.settings.retries || {}) };
    const waitMs = jittered(
      delayMs({ strategy: 'exponential', factor: 2, baseDelayMs, maxDelayMs }, this.#failures),
      Math.random(),
    );
    await pause(waitMs, this.#signal);
    this.#signal.throwIfAborted();
  }

  /** Never ends but by throwing. */
  async *#ofNode(url: string): AsyncGenerator<Change, void, undefined> {
    this.#signal.throwIfAborted();
    const connection = new AbortController();
    const cut = (): void => connection.abort(this.#signal.reason);
    this.#signal.addEventListener('abort', cut, { once: true });
    const silent = new SkeinConnectionError(`the feed of ${url} is silent`, { code: 'ETIMEDOUT', url, maybeSent: true });
    const watch = new Watch(() => connection.abort(silent));
    try {
      const answer = await watch.over(HEAD_MS, this.#open(url, connection.signal));
      // Since when "now" is: who begins anew before anything came begins there.
      if (this.#from === 'now') this.#from = answer.headers['x-skein-position'] ?? this.#from;
      const silenceMs = HEARTBEATS * (Number(answer.headers['x-skein-heartbeat-ms']) || HEARTBEAT_MS);
      const pieces = answer.chunks[Symbol.asyncIterator]();
      const events = new ServerEvents();
      for (;;) {
        const { done, value } = await watch.over(silenceMs, pieces.next());
        if (done === true) break;
        for (const { id, name, data } of events.take(value)) {
          if (name === 'error') throw endOf(data);
          if (id !== null) this.#moveOn(id);
          if (data !== null) yield changeFrom(JSON.parse(data) as ChangeBody, this.#from);
        }
      }
      throw new SkeinConnectionError(`the feed of ${url} ended`, { code: 'ECONNRESET', url, maybeSent: true });
    } finally {
      this.#signal.removeEventListener('abort', cut);
      connection.abort(silent);
    }
  }

  /** What came is behind the reader, and the nodes are worth asking again. */
  #moveOn(place: string): void {
    if (this.#failures > 0 || this.#tried.size > 0) {
      this.#failures = 0;
      this.#tried.clear();
      this.#gone = null;
    }
    if (this.#from === place) return;
    this.#from = place;
    this.#parts.session?.saw(positionOfPlace(place));
  }

  async #open(url: string, signal: AbortSignal): Promise<StreamAnswer> {
    const { shared, session } = this.#parts;
    const { transport, cluster } = shared;
    const headers = this.#headers();
    const startMs = performance.now();
    const answer = await transport.stream({ method: 'GET', url: `${url}${this.#path()}`, headers, signal, chunks: NOTHING });
    const nowMs = performance.now();
    if (answer.status === 200) {
      cluster.nodes.answered(url, nowMs - startMs, nowMs);
      return answer;
    }
    const error = errorOf({ ...answer, body: await gathered(answer.chunks) });
    if (error instanceof errors.PositionLost) session?.forget(headers['x-skein-min-position']);
    throw error;
  }

  #headers(): Record<string, string> {
    const { settings, session } = this.#parts;
    const headers: Record<string, string> = { accept: 'text/event-stream, application/json' };
    if (settings.apiKey !== undefined) headers['authorization'] = `Bearer ${settings.apiKey}`;
    const position = session?.position ?? null;
    // A place says itself what a node must have.
    if (position !== null && (this.#from === 'now' || this.#from === 'snapshot')) headers['x-skein-min-position'] = position;
    return headers;
  }

  #path(): string {
    const { from: _, collection, filter, withPayload, withVector, withLeaves, ...others } = this.#request;
    const { maxStalenessMs = this.#parts.settings.maxStalenessMs } = this.#options;
    const query = {
      ...others,
      ...{ from: this.#from, collection, filter: typeof filter === 'object' ? JSON.stringify(filterToWire(filter)) : filter },
      ...{ with_payload: withPayload, with_vector: withVector, with_leaves: withLeaves, max_staleness_ms: maxStalenessMs },
    };
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    return `${PATH}?${given.map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`).join('&')}`;
  }
}

/** Bounds each wait by itself: who takes changes slowly is not silent. */
class Watch {
  readonly #late: () => void;

  constructor(late: () => void) {
    this.#late = late;
  }

  async over<Value>(timeoutMs: number, waiting: Promise<Value>): Promise<Value> {
    const timer = setTimeout(this.#late, timeoutMs);
    try {
      return await waiting;
    } finally {
      clearTimeout(timer);
    }
  }
}

const NOTHING: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  for await (const chunk of chunks) {
    const longer = new Uint8Array(bytes.length + chunk.length);
    longer.set(bytes);
    longer.set(chunk, bytes.length);
    bytes = longer;
  }
  return bytes;
}

/** The last event of a feed says why there are no more. */
function endOf(data: string | null): SkeinApiError {
  const body = JSON.parse(data ?? '{}') as { readonly error?: unknown };
  return apiErrorFrom(errorStatus(body.error), body, {});
}

function changeFrom(body: ChangeBody, token: string): Change {
  const { type, expires_at: expiresAt, vector, vectors, time, snapshot, ...rest } = body;
  const told = { ...rest, type, time: time ?? null, snapshot: snapshot ?? false, token };
  if (type !== 'upsert') return told as Change;
  const own = {
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(vector === undefined ? {} : { vector: vectorFrom(vector) }),
    ...(vectors === undefined ? {} : { vectors: vectorsFromWire(vectors) }),
  };
  return { ...told, ...own, version: body.seq } as Change;
}
