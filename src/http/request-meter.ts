/** Requests as measures and log lines: how many by route and status, how long they took. Series are made once and kept. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../model/log.js';
import type { Counter, CounterSeries, Histogram, HistogramSeries, Meter } from '../model/meter.js';

/** In seconds, from 0.1 ms. */
export const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
/** What no route has counts under this; paths and methods from outside never become labels. */
const NO_ROUTE = 'none';

/** The series of one route, by status. */
export class MeasuredRoute {
  readonly route: string;
  readonly #durations: HistogramSeries;
  readonly #counter: (status: string) => CounterSeries;
  readonly #counters = new Map<number, CounterSeries>();

  constructor(route: string, durations: HistogramSeries, counter: (status: string) => CounterSeries) {
    this.route = route;
    this.#durations = durations;
    this.#counter = counter;
  }

  count(status: number, durationMs: number): void {
    let counter = this.#counters.get(status);
    if (counter === undefined) {
      counter = this.#counter(String(status));
      this.#counters.set(status, counter);
    }
    counter.add(1);
    this.#durations.observe(durationMs / 1000);
  }
}

export class RequestMeter {
  readonly #log: Log;
  readonly #requests: Counter;
  readonly #durations: Histogram;
  readonly #unknown: MeasuredRoute;

  constructor(meter: Meter, log: Log) {
    this.#log = log;
    this.#requests = meter.counter({
      name: 'http_requests_total',
      help: 'Requests answered, by route and status.',
      labels: ['method', 'route', 'status'],
    });
    const help = 'From the headers of a request to the end of its answer.';
    this.#durations = meter.histogram(
      { name: 'http_request_duration_seconds', help, labels: ['method', 'route'] },
      LATENCY_BUCKETS,
    );
    this.#unknown = this.route(NO_ROUTE, NO_ROUTE);
  }

  route(method: string, route: string): MeasuredRoute {
    const durations = this.#durations.series({ method, route });
    return new MeasuredRoute(route, durations, (status) => this.#requests.series({ method, route, status }));
  }

  /** After an answer was sent, or its connection was lost. */
  answered(route: MeasuredRoute | null, request: FastifyRequest, reply: FastifyReply): void {
    const measured = route ?? this.#unknown;
    const status = reply.statusCode;
    const durationMs = reply.elapsedTime;
    measured.count(status, durationMs);
    const fields = {
      request_id: request.id,
      method: request.method,
      route: measured.route,
      status,
      duration_ms: Math.round(durationMs * 1000) / 1000,
    };
    if (status >= 500) this.#log.warn('request', fields);
    else this.#log.debug('request', fields);
  }
}
