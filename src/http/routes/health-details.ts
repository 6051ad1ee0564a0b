/** GET /health/detailed: every part of the server with how it is, for people and for machines that look closer than a probe does. */

import type { EngineStatus, SearchEngineStatus } from '../../engine/engine.js';
import { HealthDetailsBody } from '../../wire/http-bodies.js';
import { sendValue } from '../answer.js';
import { queryOf } from '../parameters.js';
import { conditionOf, readyBody, statusOf } from '../readiness.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';

type IndexComponent = HealthDetailsBody['components']['vector'];
type Component = HealthDetailsBody['components']['storage'];

/** Asks for the key, unlike /health: it names collections. */
export function healthDetailsRoute(room: Room): Route {
  return {
    method: 'GET',
    path: '/health/detailed',
    operationId: 'healthDetails',
    summary: 'How is each part of the server? 503 when it cannot serve',
    tag: 'server',
    answer: HealthDetailsBody,
    handle: (request, reply) => {
      queryOf(request, []);
      const ready = readyBody(room);
      if (ready.state !== 'ready')
        return sendValue(request, reply, { ...ready, reasons: [`${ready.state}: ${ready.message}`] }, 503);
      const body = details(room);
      return sendValue(request, reply, body, statusOf(body));
    },
  };
}

function details(room: Room): HealthDetailsBody {
  const status = room.service.engine().status();
  const { vector, text, fallback, recall } = status.search;
  const components = { vector: indexComponent(vector), text: indexComponent(text), storage: storageComponent(status) };
  return {
    ...conditionOf(room, status),
    components,
    fallback: {
      active: fallback.active,
      since: fallback.sinceMs === null ? null : new Date(fallback.sinceMs).toISOString(),
      count: fallback.count,
    },
    breakers: {
      vector: { state: vector.breaker, failures: vector.failures },
      text: { state: text.breaker, failures: text.failures },
    },
    recall: {
      figures: recall.figures.map(({ filterClass, ...figure }) => ({ ...figure, filter_class: filterClass })),
      skipped: recall.skipped,
      discarded: recall.discarded,
    },
  };
}

function indexComponent({ breaker, restarts, stalled, collections, loading, latencyMs }: SearchEngineStatus): IndexComponent {
  const facts = { breaker, restarts, stalled, collections, loading, latency_ms: latencyMs };
  if (breaker === 'open') return { status: 'unhealthy', message: 'failed repeatedly and is not asked for a while', ...facts };
  if (breaker === 'half_open') return { status: 'degraded', message: 'failed repeatedly; one search tries', ...facts };
  if (stalled > 0) return { status: 'unhealthy', message: 'a thread has stood still for seconds', ...facts };
  if (loading > 0) return { status: 'degraded', message: `${loading} of ${collections} indexes are not there yet`, ...facts };
  return { status: 'healthy', message: collections === 0 ? 'no collection has one' : 'answers', ...facts };
}

function storageComponent({ storage, commits }: EngineStatus): Component {
  const latency = { latency_ms: commits.count === 0 ? null : commits.lastMs };
  if (storage.readOnly) return { status: 'degraded', message: 'the data folder cannot be written', ...latency };
  if (storage.full) return { status: 'degraded', message: 'the disk is full or below its watermark', ...latency };
  return { status: 'healthy', message: 'takes writes', ...latency };
}
