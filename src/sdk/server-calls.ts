/** The calls about one node as a process: its health, configuration, metrics, log and slow queries. They go to the node that was named first, and to no
 *  other. Errors are those of every call. Must not know: sockets, when to retry. */

import type { LogLevel } from '../model/log.js';
import type {
  HealthBody,
  HealthDetailsBody,
  LogBody,
  ReadyBody,
  SlowQueriesBody,
  SlowQueryBody,
  SlowQuerySettingsBody,
  VersionBody,
} from '../wire/http-bodies.js';
import type { Call } from './call.js';
import type { Caller } from './caller.js';
import { healthDetailsFromWire } from './health-forms.js';
import type { HealthDetails } from './health-types.js';
import type { CallOptions, HealthAnswer, ReadyAnswer, VersionAnswer } from './types.js';

export type { LogLevel };

export interface LogState {
  readonly level: LogLevel;
  /** Null: standard error. */
  readonly file: string | null;
  /** That their destination did not take, since the start. */
  readonly lostLines: number;
}

export interface SlowQuery {
  /** ISO 8601. */
  readonly endedAt: string;
  readonly method: string;
  readonly route: string;
  readonly collection: string | null;
  readonly status: number;
  readonly errorType: string | null;
  readonly durationMs: number;
  readonly requestId: string;
  readonly traceId: string | null;
  /** What was asked and found, as the server sent it; null where there is nothing of it. */
  readonly asked: Readonly<Record<string, unknown>> | null;
  readonly found: Readonly<Record<string, unknown>> | null;
}

export interface SlowQuerySettings {
  /** From when on a request is slow; 0: none is. */
  readonly thresholdMs: number;
  /** Since the start, those included that are not kept any more. */
  readonly count: number;
  readonly kept: number;
}

export class ServerCalls {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Resolves when the process turns. @throws SkeinConnectionError, SkeinTimeoutError when it does not */
  async live(options: CallOptions = {}): Promise<void> {
    await this.#ask('is it alive', 'GET', '/health/live', options);
  }

  /** How it is and why; an unhealthy server is an answer, not an error. */
  async health(options: CallOptions = {}): Promise<HealthAnswer> {
    const body = (await this.#look('health', '/health', options)) as HealthBody;
    return { status: body.status, reasons: body.reasons, body };
  }

  /** Every part with how it is, with history and breakers. @throws SkeinApiError while it starts or stops */
  async healthDetails(options: CallOptions = {}): Promise<HealthDetails> {
    return healthDetailsFromWire(
      (await this.#look('health details', '/health/detailed', options)) as HealthDetailsBody | ReadyBody,
    );
  }

  /** Whether it may serve, and how far its start is; a starting server is an answer, not an error. */
  async ready(options: CallOptions = {}): Promise<ReadyAnswer> {
    const body = (await this.#look('readiness', '/health/ready', options)) as ReadyBody;
    return { status: body.state, step: body.step, progress: body.progress, etaMs: body.eta_ms, message: body.message };
  }

  /** Name and version of the server, of its API and of Node. */
  async version(options: CallOptions = {}): Promise<VersionAnswer> {
    const { native_build: nativeBuild, ...body } = (await this.#look('version', '/v1/version', options)) as VersionBody;
    const { name, version, api, node } = body;
    return { name, version, api, node, nativeBuild };
  }

  /** Metrics in the Prometheus text format. */
  async metrics(options: CallOptions = {}): Promise<string> {
    const call = { what: 'metrics', method: 'GET', path: '/metrics', kind: 'read', ofNode: true, isText: true, options } as const;
    return (await this.#caller.run(call)) as string;
  }

  /** The configuration in force, with the names of the settings file; secrets are masked. */
  async config(options: CallOptions = {}): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#ask('configuration', 'GET', '/v1/config', options)) as Record<string, unknown>;
  }

  /** Level and place of the log, and how many lines were lost. */
  async log(options: CallOptions = {}): Promise<LogState> {
    return logFromWire((await this.#ask('log', 'GET', '/v1/log', options)) as LogBody);
  }

  /** Until the next start of the node. */
  async setLogLevel(level: LogLevel, options: CallOptions = {}): Promise<LogState> {
    return logFromWire((await this.#ask('set log level', 'PATCH', '/v1/log', options, { level })) as LogBody);
  }

  /** Requests for points that took long, newest first. @param limit default 100 */
  async slowQueries(
    { limit = 100 }: { readonly limit?: number } = {},
    options: CallOptions = {},
  ): Promise<SlowQuerySettings & { readonly slowQueries: readonly SlowQuery[] }> {
    const body = (await this.#ask('slow queries', 'GET', `/v1/slow-queries?limit=${limit}`, options)) as SlowQueriesBody;
    return { ...settingsFromWire(body), slowQueries: body.slow_queries.map(slowQueryFromWire) };
  }

  /** Until the next start of the node. */
  async setSlowQueryThreshold(thresholdMs: number, options: CallOptions = {}): Promise<SlowQuerySettings> {
    const body = { threshold_ms: thresholdMs };
    const answer = await this.#ask('set slow query threshold', 'PATCH', '/v1/slow-queries', options, body);
    return settingsFromWire(answer as SlowQuerySettingsBody);
  }

  /** A node that cannot serve is an answer. */
  #look(what: string, path: string, options: CallOptions): Promise<unknown> {
    return this.#caller.run({ what, method: 'GET', path, kind: 'read', ofNode: true, options, alsoFine: [503] });
  }

  /** Changes here are settings: doing them twice is harmless. */
  #ask(what: string, method: 'GET' | 'PATCH', path: string, options: CallOptions, body?: object): Promise<unknown> {
    const call = { what, method, path, ofNode: true, ...(body === undefined ? {} : { body }) } as const;
    const full: Call =
      method === 'GET'
        ? { ...call, kind: 'read', options }
        : { ...call, kind: 'write', options: { idempotencyKey: 'not-needed', ...options } };
    return this.#caller.run(full);
  }
}

function logFromWire({ level, file, lost_lines: lostLines }: LogBody): LogState {
  return { level, file, lostLines };
}

function settingsFromWire({ threshold_ms: thresholdMs, count, kept }: SlowQuerySettingsBody): SlowQuerySettings {
  return { thresholdMs, count, kept };
}

function slowQueryFromWire(body: SlowQueryBody): SlowQuery {
  const facts = { asked: body.asked, found: body.found } as Pick<SlowQuery, 'asked' | 'found'>;
  const {
    ended_at: endedAt,
    error_type: errorType,
    duration_ms: durationMs,
    request_id: requestId,
    trace_id: traceId,
    ...rest
  } = body;
  return { ...rest, ...facts, endedAt, errorType, durationMs, requestId, traceId };
}
