/** Circuit breaker: after so many failures in a row calls are refused for a while, then one is let through to see.
 *
 *    closed ─ failures in a row ─► open ─ resetMs ─► half-open ─ success ─► closed
 *                                    ▲──────── failure ──────────┘
 *
 *  A thin policy over cockatiel (npmjs.com/package/cockatiel, after M. Nygard, "Release It!", 2007). While one call tries in the half-open
 *  state the others wait for how it ends. Which errors count as failures is for the owner to say. Must not know: what is called. */

import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { SkeinError } from '../model/errors.js';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface BreakerOptions {
  /** What it stands for, in errors and metrics. */
  readonly name: string;
  /** Failures in a row that open it, ≥ 1. */
  readonly failuresMax: number;
  /** How long it stays open, in milliseconds. */
  readonly resetMs: number;
  /** Is this error the fault of what was called? Others pass and count as neither failure nor success. */
  isFailure(error: Error): boolean;
  onState?(state: BreakerState, name: string): void;
}

export class CircuitBreaker {
  readonly name: string;
  readonly #options: BreakerOptions;
  readonly #policy: CircuitBreakerPolicy;
  #failures = 0;
  #openedAtMs = 0;

  constructor(options: BreakerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#policy = circuitBreaker(
      handleWhen((error) => options.isFailure(error)),
      { halfOpenAfter: options.resetMs, breaker: new ConsecutiveBreaker(options.failuresMax) },
    );
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.#openedAtMs = performance.now();
      options.onState?.(stateName(state), options.name);
    });
    this.#policy.onFailure(() => {
      this.#failures += 1;
    });
  }

  get state(): BreakerState {
    return stateName(this.#policy.state);
  }

  /** Failures since it was made. */
  get failures(): number {
    return this.#failures;
  }

  /** @throws CircuitOpen without a call while it is open · whatever `work` throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#policy.execute(work);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      const retryAfterMs = Math.max(1, Math.ceil(this.#openedAtMs + this.#options.resetMs - performance.now()));
      throw new SkeinError('CircuitOpen', `${this.name} failed repeatedly and is not asked for ${retryAfterMs} ms`, {
        dependency: this.name,
        retry_after_ms: retryAfterMs,
      });
    }
  }
}

function stateName(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half_open' : 'open';
}
