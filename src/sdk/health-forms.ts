/** Between the wire's snake_case and the client's camelCase, for what a server says of its health. Nothing is invented: null stays null. */

import type { HealthDetailsBody } from '../wire/http-bodies.js';
import type { ComponentHealth, EngineHealth, HealthDetails } from './health-types.js';

export function healthDetailsFromWire({ components, recall, ...body }: HealthDetailsBody): HealthDetails {
  return {
    status: body.status,
    reasons: body.reasons,
    components: {
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
  };
}

function componentFromWire(body: HealthDetailsBody['components']['storage']): ComponentHealth {
  return { status: body.status, message: body.message, latencyMs: body.latency_ms };
}

function engineFromWire(body: HealthDetailsBody['components']['vector']): EngineHealth {
  const { breaker, restarts, collections, loading } = body;
  return { ...componentFromWire(body), breaker, restarts, collections, loading };
}
