/** The slow queries of a server: a ring of the newest, bounded by number and by bytes, each counted and logged when it comes.
 *
 *  Of what comes in one second one is logged, with the number of those left out before it, so that a server that is slow all over is not
 *  slowed by saying so. All are counted. Must not know: requests, what a query is. */

import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { CounterSeries, Meter } from '../model/meter.js';
import type { SlowQuery, SlowQueryBook, SlowQueryStatus } from '../model/slow-query.js';

const LINE_EVERY_MS = 1_000;
/** Of all that are kept, as JSON. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

export interface SlowQueriesParts {
  readonly thresholdMs: number;
  readonly entriesMax: number;
  readonly withContent: boolean;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

interface Kept {
  readonly query: SlowQuery;
  readonly bytes: number;
}

export class SlowQueries implements SlowQueryBook {
  readonly withContent: boolean;
  readonly #parts: SlowQueriesParts;
  readonly #counter: (route: string) => CounterSeries;
  /** Oldest first. */
  readonly #kept: Kept[] = [];
  #bytes = 0;
  #count = 0;
  #thresholdMs: number;
  #nextLineMs = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  constructor(parts: SlowQueriesParts) {
    this.#parts = parts;
    this.withContent = parts.withContent;
    this.#thresholdMs = parts.thresholdMs;
    const total = parts.meter.counter({
      name: 'slow_queries_total',
      help: 'Requests for points that took as long as slow_query_ms, by route.',
      labels: ['route'],
    });
    this.#counter = (route) => total.series({ route });
    const threshold = parts.meter.gauge({
      name: 'slow_query_threshold_seconds',
      help: 'From when on a request for points is a slow query; 0: never.',
    });
    const shown = threshold.series();
    parts.meter.beforePrinting(() => shown.set(this.#thresholdMs / 1_000));
  }

  get fromMs(): number {
    return this.#thresholdMs === 0 ? Number.POSITIVE_INFINITY : this.#thresholdMs;
  }

  note(query: SlowQuery): void {
    this.#count += 1;
    this.#counter(query.route).add(1);
    const bytes = JSON.stringify(query).length;
    this.#kept.push({ query, bytes });
    this.#bytes += bytes;
    while (this.#kept.length > this.#parts.entriesMax || (this.#bytes > KEPT_BYTES_MAX && this.#kept.length > 1)) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0;
    }
    this.#say(query);
  }

  #say(query: SlowQuery): void {
    const now = this.#parts.clock.monotonicMs();
    if (now < this.#nextLineMs) {
      this.#leftOut += 1;
      return;
    }
    this.#nextLineMs = now + LINE_EVERY_MS;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#parts.log.warn('slow_query', {
      request_id: query.requestId,
      ...(query.traceId === null ? {} : { trace_id: query.traceId }),
      method: query.method,
      route: query.route,
      collection: query.collection,
      status: query.status,
      ...(query.errorType === null ? {} : { type: query.errorType }),
      duration_ms: query.durationMs,
      asked: query.asked,
      found: query.found,
      ...(leftOut === 0 ? {} : { left_out: leftOut }),
    });
  }

  list(limit: number): readonly SlowQuery[] {
    return this.#kept
      .slice(-limit)
      .reverse()
      .map(({ query }) => query);
  }

  status(): SlowQueryStatus {
    return { thresholdMs: this.#thresholdMs, count: this.#count, kept: this.#kept.length };
  }

  setThreshold(thresholdMs: number): void {
    this.#thresholdMs = thresholdMs;
  }
}
