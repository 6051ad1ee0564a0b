/** The settings of calls to outside dependencies, as resilience takes them. */

import type { DEPENDENCY_FIELDS } from './dependency-fields.js';
import type { ValuesOf } from './field.js';

export type DependencyValues = ValuesOf<typeof DEPENDENCY_FIELDS>;

interface BreakerSettings {
  readonly failuresMax: number;
  readonly resetMs: number;
  readonly successesMin: number;
}

export interface DependencySettings {
  readonly retry: {
    readonly attemptsMax: number;
    readonly strategy: DependencyValues['dependencyRetryStrategy'];
    readonly baseDelayMs: number;
    readonly maxDelayMs: number;
    readonly factor: number;
    readonly jitter: boolean;
  };
  readonly breaker: BreakerSettings;
  readonly slowBreaker: BreakerSettings;
  /** As they were given, to be shown. */
  readonly values: DependencyValues;
}

export function readDependencies(values: DependencyValues): {
  readonly settings: DependencySettings;
  readonly problems: readonly string[];
} {
  const { dependencyRetryDelayMs: baseDelayMs, dependencyRetryDelayMsMax: maxDelayMs } = values;
  const problems =
    baseDelayMs > maxDelayMs
      ? [
          `dependency_retry_delay_ms is ${baseDelayMs} and dependency_retry_delay_ms_max ${maxDelayMs}: the longest wait comes first`,
        ]
      : [];
  const isOff = values.dependencyFailuresMax === 0;
  const successesMin = values.dependencySuccessesMin;
  const settings: DependencySettings = {
    retry: {
      ...{ baseDelayMs, maxDelayMs, attemptsMax: values.dependencyAttemptsMax, strategy: values.dependencyRetryStrategy },
      ...{ factor: values.dependencyRetryFactor, jitter: values.dependencyRetryJitter },
    },
    breaker: breaker(isOff, { failuresMax: values.dependencyFailuresMax, resetMs: values.dependencyResetMs, successesMin }),
    slowBreaker: breaker(isOff, {
      failuresMax: values.dependencySlowFailuresMax,
      resetMs: values.dependencySlowResetMs,
      successesMin,
    }),
    values,
  };
  return { settings: Object.freeze(settings), problems };
}

/** No count of failures reaches infinity. */
function breaker(isOff: boolean, given: BreakerSettings): BreakerSettings {
  return isOff ? { ...given, failuresMax: Number.POSITIVE_INFINITY } : given;
}
