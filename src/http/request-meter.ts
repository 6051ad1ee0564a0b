/** Requests as measures and log lines: how many by route and status, how long they took. Series are made once and kept. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../model/log.js';
import type { CounterSeries, HistogramSeries, Meter } from '../model/meter.js';

/** In seconds, from 0.1 ms. */
export const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const NO_ROUTE = 'none';

export class RequestMeter {
  readonly #log: Log;
  readonly #requests: (method: string, route: string, status: string) => CounterSeries;
  readonly #durations: (method: string, route: string) => HistogramSeries;
  readonly #counters = new Map<string, CounterSeries>();
  readonly #histograms = new Map<string, HistogramSeries>();

  constructor(meter: Meter, log: Log) {
    this.#log = log;
    const requests = meter.counter({
      name: 'http_requests_total',
      help: 'Requests answered, by route and status.',
      labels: ['method', 'route', 'status'],
    });
    const durations = meter.histogram(
      {
        name: 'http_request_duration_seconds',
        help: 'From the headers of a request to the end of its answer.',
        labels: ['method', 'route'],
      },
      LATENCY_BUCKETS,
    );
    this.#requests = (method, route, status) => requests.series({ method, route, status });
    this.#durations = (method, route) => durations.series({ method, route });
  }

  /** After an answer was sent, or its connection was lost. */
  answered(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.is404 ? NO_ROUTE : (request.routeOptions.url ?? NO_ROUTE);
    // Methods come from outside; only those of routes become labels.
    const method = route === NO_ROUTE ? NO_ROUTE : request.method;
    const status = reply.statusCode;
    const durationMs = reply.elapsedTime;
    this.#counter(method, route, String(status)).add(1);
    this.#histogram(method, route).observe(durationMs / 1000);
    const fields = {
      request_id: request.id,
      method: request.method,
      route,
      status,
      duration_ms: Math.round(durationMs * 1000) / 1000,
    };
    if (status >= 500) this.#log.warn('request', fields);
    else this.#log.debug('request', fields);
  }

  #counter(method: string, route: string, status: string): CounterSeries {
    const key = `${method} ${route} ${status}`;
    let series = this.#counters.get(key);
    if (series === undefined) {
      series = this.#requests(method, route, status);
      this.#counters.set(key, series);
    }
    return series;
  }

  #histogram(method: string, route: string): HistogramSeries {
    const key = `${method} ${route}`;
    let series = this.#histograms.get(key);
    if (series === undefined) {
      series = this.#durations(method, route);
      this.#histograms.set(key, series);
    }
    return series;
  }
}
