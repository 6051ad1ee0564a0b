/** Between the wire's snake_case and the client's camelCase, for what a server says of its health and its recall. Nothing is
 *  invented: null stays null. */

import type { HealthDetailsBody, ReadyBody, RecallAnswerBody, RecallBody } from '../wire/http-bodies.js';
import { apiError, type SkeinApiError } from './errors.js';
import { filterToWire } from './filter-form.js';
import type { ComponentHealth, EngineHealth, HealthDetails, RecallAnswer, RecallRequest } from './health-types.js';
import { present } from './present.js';

/** @throws SkeinApiError for a server that starts or stops */
export function healthDetailsFromWire(answer: HealthDetailsBody | ReadyBody): HealthDetails {
  if (!('components' in answer)) throw notReady(answer);
  const { components, recall, ...body } = answer;
  const others = Object.entries(components).map(([name, component]) => [name, componentFromWire(component)]);
  return {
    status: body.status,
    reasons: body.reasons,
    checkedAt: body.checked_at,
    components: {
      ...(Object.fromEntries(others) as Record<string, ComponentHealth>),
      vector: engineFromWire(components.vector),
      text: engineFromWire(components.text),
      storage: componentFromWire(components.storage),
    },
    fallback: body.fallback,
    breakers: body.breakers,
    recall: {
      figures: recall.figures.map(({ filter_class: filterClass, ...figure }) => ({ ...figure, filterClass })),
      skipped: recall.skipped,
      discarded: recall.discarded,
    },
    history: body.history.map(({ took_ms: tookMs, ...look }) => ({ ...look, tookMs })),
    transitions: body.transitions,
  };
}

function notReady({ state, message, step, progress, eta_ms }: ReadyBody): SkeinApiError {
  return apiError({
    type: state === 'starting' ? 'Starting' : 'ShuttingDown',
    status: 503,
    message,
    details: { step, progress, eta_ms },
    retryable: true,
    requestId: null,
    retryAfterMs: null,
  });
}

function componentFromWire(body: HealthDetailsBody['components']['storage']): ComponentHealth {
  const { status, message, latency_ms: latencyMs, details } = body;
  return { status, message, latencyMs, ...(details !== undefined && { details }) };
}

function engineFromWire(body: HealthDetailsBody['components']['vector']): EngineHealth {
  const { breaker, restarts, stalled, collections, loading } = body;
  return { ...componentFromWire(body), breaker, restarts, stalled, collections, loading };
}

export function recallToWire({ efSearch, filter, measureTimeoutMs, ...others }: RecallRequest): RecallBody {
  const renamed = { ef_search: efSearch, filter: filter && filterToWire(filter), timeout_ms: measureTimeoutMs };
  return present<RecallBody>(others, renamed);
}

export function recallFromWire(body: RecallAnswerBody): RecallAnswer {
  const { recall, sampled, limit, ef_search: efSearch, worst, took_ms: tookMs, position, by_filter_class: byFilterClass } = body;
  const answer = { recall, sampled, limit, efSearch, worst, tookMs, position };
  return byFilterClass === undefined ? answer : { ...answer, byFilterClass };
}
