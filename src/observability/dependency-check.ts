/** Health of outside dependencies, as their breakers know them: one that is not asked any more degrades the node.
 *  Must not know: what is called. */

import type { HealthCheck, HealthFinding } from '../model/health.js';
import type { DependencyStatus } from '../resilience/dependencies.js';

export function dependencyCheck(status: () => readonly DependencyStatus[], deadlineMs: number): HealthCheck {
  return { name: 'dependencies', deadlineMs, whenSilent: 'degraded', check: () => dependencyFinding(status()) };
}

/** The messages of failures may hold what a dependency said, so only the details have them. */
export function dependencyFinding(all: readonly DependencyStatus[]): HealthFinding {
  const broken = all.filter(({ state }) => state !== 'closed');
  const details = Object.fromEntries(
    all.map(({ name, state, failures, lastFailure }) => {
      const last = lastFailure === null ? null : { message: lastFailure.message, at: new Date(lastFailure.atMs).toISOString() };
      return [name, { state, failures, last_failure: last }];
    }),
  );
  return {
    status: broken.length > 0 ? 'degraded' : 'healthy',
    message: broken.length > 0 ? broken.map(said).join('; ') : wellSaid(all.length),
    latencyMs: null,
    details,
  };
}

function said({ name, state }: DependencyStatus): string {
  return `${name} failed repeatedly and ${state === 'open' ? 'is not asked for a while' : 'is being tried'}`;
}

function wellSaid(count: number): string {
  return count === 0
    ? 'nothing outside is called'
    : `${count} outside ${count === 1 ? 'dependency answers' : 'dependencies answer'}`;
}
