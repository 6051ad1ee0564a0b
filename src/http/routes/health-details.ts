/** GET /health/detailed: every part of the server with how it is, for people and for machines that look closer than a probe does. */

import type { EngineStatus, SearchEngineStatus } from '../../engine/engine.js';
import type { ErrorReport } from '../../model/error-report.js';
import type { ComponentReport, HealthReport } from '../../model/health.js';
import { type ComponentBody, HealthDetailsBody } from '../../wire/http-bodies.js';
import { sendValue } from '../answer.js';
import type { HealthService } from '../health-service.js';
import { queryOf } from '../parameters.js';
import { readyBody, statusOf } from '../readiness.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';

type IndexComponent = HealthDetailsBody['components']['vector'];

/** Asks for the key, unlike /health: it names collections. */
export function healthDetailsRoute(room: Room): Route {
  return {
    method: 'GET',
    path: '/health/detailed',
    operationId: 'healthDetails',
    needs: 'replicate',
    summary: 'How is each part of the server? 503 when it cannot serve',
    tag: 'server',
    answer: HealthDetailsBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const ready = readyBody(room);
      if (ready.state !== 'ready')
        return sendValue(request, reply, { ...ready, reasons: [`${ready.state}: ${ready.message}`] }, 503);
      const engine = room.service.engine();
      const { health, observing } = room.service;
      const report = await health.report();
      const body = { ...details(report, engine.status(), health), errors: errorBodies(observing.errors.status()) };
      return sendValue(request, reply, body, statusOf(body));
    },
  };
}

function details(report: HealthReport, { search }: EngineStatus, health: HealthService): Omit<HealthDetailsBody, 'errors'> {
  const { vector, text, fallback, recall } = search;
  const found = Object.fromEntries(report.components.map((component) => [component.name, componentBody(component)]));
  return {
    status: report.status,
    reasons: [...report.reasons],
    checked_at: instant(report.atMs),
    took_ms: report.tookMs,
    components: {
      ...found,
      vector: indexBody(found['vector'], vector),
      text: indexBody(found['text'], text),
      storage: found['storage'] ?? NOT_LOOKED_AT,
    },
    fallback: {
      active: fallback.active,
      since: fallback.sinceMs === null ? null : instant(fallback.sinceMs),
      count: fallback.count,
    },
    breakers: {
      ...Object.fromEntries(health.breakers().map(({ name, state, failures }) => [name, { state, failures }])),
      vector: { state: vector.breaker, failures: vector.failures },
      text: { state: text.breaker, failures: text.failures },
    },
    recall: {
      figures: recall.figures.map(({ filterClass, ...figure }) => ({ ...figure, filter_class: filterClass })),
      skipped: recall.skipped,
      discarded: recall.discarded,
    },
    history: health.history().map(({ atMs, status, tookMs, failing }) => ({
      at: instant(atMs),
      status,
      took_ms: tookMs,
      failing: [...failing],
    })),
    transitions: health.transitions().map(({ atMs, ...transition }) => ({ at: instant(atMs), ...transition })),
  };
}

function errorBodies(errors: ErrorReport): HealthDetailsBody['errors'] {
  return errors.map(({ type, count, firstAtMs, lastAtMs, lastMessage, lastStack, lastContext }) => ({
    type,
    count,
    first_at: instant(firstAtMs),
    last_at: instant(lastAtMs),
    last_message: lastMessage,
    last_stack: lastStack,
    last_context: { ...lastContext },
  }));
}

const NOT_LOOKED_AT: ComponentBody = { status: 'degraded', message: 'nobody looks at it', latency_ms: null };

function componentBody({ status, message, latencyMs, tookMs, details: facts }: ComponentReport): ComponentBody {
  return { status, message, latency_ms: latencyMs, check_ms: tookMs, ...(facts !== undefined && { details: { ...facts } }) };
}

function indexBody(found: ComponentBody = NOT_LOOKED_AT, status: SearchEngineStatus): IndexComponent {
  const { breaker, restarts, stalled, collections, loading, latencyMs } = status;
  return { ...found, latency_ms: found.latency_ms ?? latencyMs, breaker, restarts, stalled, collections, loading };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
