/** Requests as measures and log lines: how many by route and status, how long they took. Series are made once and kept.
 *
 *  A failure is a warning, but not each of thousands: of the failures of one route and status one a second is written, with the number
 *  of those left out before it, so that refusing work never costs more than the work. All are counted. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../model/clock.js';
import type { ErrorType } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { Counter, CounterSeries, Histogram, HistogramSeries, Meter } from '../model/meter.js';
import { traceFields } from './tracing.js';

/** In seconds, from 0.1 ms. */
export const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const FAILURE_EVERY_MS = 1_000;
/** What no route has counts under this; paths and methods from outside never become labels. */
const NO_ROUTE = 'none';

interface StatusSeries {
  readonly counter: CounterSeries;
  /** When the next failure may be written. */
  nextLineMs: number;
  leftOut: number;
}

interface RouteSeries {
  readonly durations: HistogramSeries;
  requests(status: string): CounterSeries;
  errors(type: ErrorType): CounterSeries;
}

/** The series of one route, by status and by error type. */
export class MeasuredRoute {
  readonly route: string;
  readonly #durations: HistogramSeries;
  readonly #counter: (status: string) => CounterSeries;
  readonly #error: (type: ErrorType) => CounterSeries;
  readonly #errors = new Map<ErrorType, CounterSeries>();
  readonly #statuses = new Map<number, StatusSeries>();

  constructor(route: string, { durations, requests, errors }: RouteSeries) {
    this.route = route;
    this.#durations = durations;
    this.#counter = requests;
    this.#error = errors;
  }

  /** It was answered with an error of this type. */
  refused(type: ErrorType): void {
    let series = this.#errors.get(type);
    if (series === undefined) {
      series = this.#error(type);
      this.#errors.set(type, series);
    }
    series.add(1);
  }

  count(status: number, durationMs: number): void {
    this.#series(status).counter.add(1);
    this.#durations.observe(durationMs / 1000);
  }

  /** @returns how many failures of this status were left out since the last one that was written, or null: leave out this one too */
  failure(status: number, nowMs: number): number | null {
    const series = this.#series(status);
    if (nowMs < series.nextLineMs) {
      series.leftOut += 1;
      return null;
    }
    const { leftOut } = series;
    series.leftOut = 0;
    series.nextLineMs = nowMs + FAILURE_EVERY_MS;
    return leftOut;
  }

  #series(status: number): StatusSeries {
    let series = this.#statuses.get(status);
    if (series === undefined) {
      series = { counter: this.#counter(String(status)), nextLineMs: Number.NEGATIVE_INFINITY, leftOut: 0 };
      this.#statuses.set(status, series);
    }
    return series;
  }
}

export class RequestMeter {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #requests: Counter;
  readonly #errors: Counter;
  readonly #durations: Histogram;
  readonly #unknown: MeasuredRoute;

  constructor(meter: Meter, log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#requests = meter.counter({
      name: 'http_requests_total',
      help: 'Requests answered, by route and status.',
      labels: ['method', 'route', 'status'],
    });
    this.#errors = meter.counter({
      name: 'http_errors_total',
      help: 'Requests answered with an error, by route and error type.',
      labels: ['method', 'route', 'type'],
    });
    const help = 'From the headers of a request to the end of its answer.';
    this.#durations = meter.histogram(
      { name: 'http_request_duration_seconds', help, labels: ['method', 'route'] },
      LATENCY_BUCKETS,
    );
    this.#unknown = this.route(NO_ROUTE, NO_ROUTE);
  }

  route(method: string, route: string): MeasuredRoute {
    return new MeasuredRoute(route, {
      durations: this.#durations.series({ method, route }),
      requests: (status) => this.#requests.series({ method, route, status }),
      errors: (type) => this.#errors.series({ method, route, type }),
    });
  }

  /** After an answer was sent, or its connection was lost. */
  answered(route: MeasuredRoute | null, request: FastifyRequest, reply: FastifyReply): void {
    const measured = route ?? this.#unknown;
    const status = reply.statusCode;
    const durationMs = reply.elapsedTime;
    measured.count(status, durationMs);
    if (request.refusal !== null) measured.refused(request.refusal);
    const fields = {
      request_id: request.id,
      ...traceFields(request),
      method: request.method,
      route: measured.route,
      status,
      ...(request.refusal === null ? {} : { type: request.refusal }),
      duration_ms: Math.round(durationMs * 1000) / 1000,
    };
    const leftOut = status >= 500 ? measured.failure(status, this.#clock.monotonicMs()) : null;
    if (leftOut === null) this.#log.debug('request', fields);
    else this.#log.warn('request', leftOut === 0 ? fields : { ...fields, left_out: leftOut });
  }
}
