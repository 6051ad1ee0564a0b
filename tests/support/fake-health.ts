/** Health as the routes see it: the real checks and rules over an engine that a test has in its hands, asked anew each time. */

import type { Engine } from '../../src/engine/engine.js';
import type { HealthService } from '../../src/http/http.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { engineChecks } from '../../src/observability/engine-checks.js';
import { HealthRunner } from '../../src/observability/health-runner.js';

export function fakeHealth(engine: () => Engine, concerns: () => readonly string[] = () => []): HealthService {
  const runner = new HealthRunner({ clock: systemClock, reuseMs: 0, onError: () => {} });
  const checks = engineChecks({
    engine,
    limits: DEFAULT_LIMITS,
    timeoutMs: 1_000,
    storeConcern: () => concerns()[0] ?? null,
    recovery: () => null,
  });
  for (const check of checks) runner.add(check);
  return { report: () => runner.report(), history: () => [], transitions: () => [], breakers: () => [] };
}
