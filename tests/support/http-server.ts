/** A server of the HTTP room on a free loopback port, over a fake engine, and short ways to ask it. */

import { packMessage, unpackMessage } from '../../src/codec/msgpack.js';
import type { Engine } from '../../src/engine/engine.js';
import { UNGUARDED_HTTP } from '../../src/http/guards.js';
import { buildHttpServer } from '../../src/http/http.js';
import type { HttpService } from '../../src/http/service.js';
import type { AuditEntry } from '../../src/model/audit.js';
import { type Clock, systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits.js';
import type { LogControl, LogLevel } from '../../src/model/log.js';
import type { Tracer } from '../../src/model/tracer.js';
import { ErrorTracker } from '../../src/observability/error-tracker.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { SlowQueries, type SlowQueriesParts } from '../../src/observability/slow-queries.js';
import type { NameRules } from '../../src/wire/web-callers.js';
import { fakeBackups } from './fake-backups.js';
import { FakeEngine } from './fake-engine.js';
import { fakeHealth } from './fake-health.js';
import { fakeReplication } from './fake-replication.js';
import { keptLog, type LogLine } from './kept-log.js';
import { mustHaveNoSecret, tellSecret, tellSecretsIn, tellSecretsOfHead } from './secret-watch.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Decoded by its content type; text when it is neither JSON nor MessagePack. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface TestHttp {
  readonly url: string;
  readonly engine: FakeEngine;
  readonly log: LogLine[];
  /** What administrators did. */
  readonly audited: AuditEntry[];
  /** JSON both ways. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** MessagePack both ways. */
  askPacked(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Bytes as they are. */
  send(method: string, path: string, body: RequestInit['body'], headers: Record<string, string>): Promise<Answer>;
  close(deadlineMs?: number): Promise<void>;
}

export interface TestHttpOptions {
  readonly limits?: Partial<Limits>;
  readonly apiKey?: string;
  readonly service?: Partial<HttpService>;
  readonly engine?: Engine;
  readonly docs?: boolean;
  /** Left out: the dialect is served. */
  readonly qdrant?: { readonly version: string } | null;
  readonly callers?: NameRules;
  readonly requestTimeoutMs?: number;
  readonly clock?: Clock;
  readonly slowQueries?: Partial<Pick<SlowQueriesParts, 'thresholdMs' | 'entriesMax' | 'withContent'>>;
  readonly measured?: boolean;
  readonly tracer?: Tracer;
  /** What the node itself knows to be wrong. */
  readonly concerns?: () => readonly string[];
}

/** The write concern of a master that nobody follows. */
export const ALONE: HttpService['writeConcern'] = {
  admit: () => Promise.resolve(),
  mayAcknowledge: () => true,
  defaultRequired: () => 1,
  voters: () => 1,
  joining: () => 0,
  wait: () => Promise.resolve(1),
};

export async function startHttp(t: { after(cleanup: () => unknown): void }, options: TestHttpOptions = {}): Promise<TestHttp> {
  tellSecret(options.apiKey ?? '');
  const fake = new FakeEngine();
  const audited: AuditEntry[] = [];
  const { log, lines } = keptLog();
  const metrics = createMetrics();
  const clock = options.clock ?? systemClock;
  const errors = new ErrorTracker(clock);
  const slowQueries = new SlowQueries({
    ...{ thresholdMs: 0, entriesMax: 10, withContent: false, ...options.slowQueries },
    ...{ log, meter: metrics.meter, clock },
  });
  let level: LogLevel = 'info';
  const logControl: LogControl = {
    status: () => ({ level, file: null, lostLines: 0 }),
    setLevel: (next) => {
      level = next;
    },
  };
  const service: HttpService = {
    engine: () => options.engine ?? fake,
    health: fakeHealth(() => options.engine ?? fake, options.concerns),
    accessKeys: () => (options.engine ?? fake).keys,
    tokenRules: null,
    startProgress: () => ({ step: 'ready', progress: 1, etaMs: 0, message: 'ready' }),
    nativeBuild: 'none',
    version: '0.0.0-test',
    writeConcern: ALONE,
    replication: fakeReplication(),
    backups: fakeBackups(),
    observing: { log: logControl, slowQueries, errors },
    guards: UNGUARDED_HTTP,
    configuration: () => ({ port: 0, api_key: '***' }),
    ...options.service,
  };
  const server = await buildHttpServer({
    service,
    config: {
      host: '127.0.0.1',
      callers: options.callers ?? { hosts: [] },
      port: 0,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      apiKey: options.apiKey === undefined ? null : Buffer.from(options.apiKey),
      docs: options.docs ?? false,
      qdrant: options.qdrant === undefined ? { version: '1.18.0' } : options.qdrant,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    },
    log,
    audit: (entry) => void audited.push(entry),
    meter: metrics.meter,
    metrics: options.measured === false ? null : metrics,
    clock,
    tracer: options.tracer ?? null,
  });
  const { port } = await server.listen();
  let closed: Promise<void> | null = null;
  const close = (deadlineMs = 1_000): Promise<void> => {
    closed ??= server.close(deadlineMs);
    return closed;
  };
  t.after(async () => {
    await close(100);
    mustHaveNoSecret(JSON.stringify(lines), 'the log');
    mustHaveNoSecret(JSON.stringify(audited), 'the audit log');
  });
  const url = `http://127.0.0.1:${port}`;
  const send: TestHttp['send'] = async (method, path, body, headers) => {
    tellSecretsOfHead(headers);
    const response = await fetch(url + path, {
      method,
      headers,
      body: body ?? null,
      redirect: 'manual',
      ...({ duplex: 'half' } as object),
    });
    return { status: response.status, headers: response.headers, body: await decoded(response) };
  };
  return {
    url,
    engine: fake,
    audited,
    log: lines,
    send,
    ask: (method, path, body, headers = {}) =>
      body === undefined
        ? send(method, path, null, headers)
        : send(method, path, JSON.stringify(body), { 'content-type': 'application/json', ...headers }),
    askPacked: (method, path, body, headers = {}) => {
      const accepting = { accept: 'application/msgpack', ...headers };
      if (body === undefined) return send(method, path, null, accepting);
      return send(method, path, Buffer.from(packMessage(body)), { 'content-type': 'application/msgpack', ...accepting });
    },
    close,
  };
}

async function decoded(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  const bytes = Buffer.from(await response.arrayBuffer());
  if (type.startsWith('application/json')) {
    tellSecretsIn(bytes.toString());
    return JSON.parse(bytes.toString());
  }
  if (type.startsWith('application/msgpack')) return unpackMessage(bytes);
  return bytes.toString();
}
