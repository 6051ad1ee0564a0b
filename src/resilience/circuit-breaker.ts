/** Circuit breaker: after so many failures in a row calls are refused for a while, then one at a time is let through to see.
 *
 *    closed ─ failures in a row ─► open ─ resetMs ─► half-open ─ successes in a row ─► closed
 *                                    ▲──────── failure ──────────┘
 *
 *  Somebody who asks by hand need not wait for resetMs: `tryNow` half-opens it at once.
 *
 *  A thin policy over cockatiel (npmjs.com/package/cockatiel, after M. Nygard, "Release It!", 2007), which closes with the first success:
 *  ProvingBreaker tells it about the rest. While one call tries in the half-open state the others are refused, so that nobody waits for how
 *  it ends; a first try that ends with neither success nor failure proves nothing and leaves it open. Which errors count as failures is
 *  for the owner to say. Must not know: what is called. */

import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  circuitBreaker,
  handleWhen,
  type IBreaker,
} from 'cockatiel';
import { SkeinError } from '../model/errors.js';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface BreakerOptions {
  /** What it stands for, in errors and metrics. */
  readonly name: string;
  /** Failures in a row that open it, ≥ 1. */
  readonly failuresMax: number;
  /** Successes in a row that close it again, ≥ 1; by default one. */
  readonly successesMin?: number;
  /** How long it stays open, in milliseconds. */
  readonly resetMs: number;
  /** Is this error the fault of what was called? Others pass and count as neither failure nor success. */
  isFailure(error: Error): boolean;
  onState?(state: BreakerState, name: string): void;
}

/** A try that ended with an error that is no failure: cockatiel would take it for a success. */
class Unproven extends Error {
  override readonly name = 'Unproven';
}

/** Opens after failures in a row, and at once while it is not yet proven that it works again: cockatiel counts itself closed then. */
class ProvingBreaker implements IBreaker {
  state: unknown;
  readonly #failuresMax: number;
  readonly #successesMin: number;
  readonly #onProven: () => void;
  #failures = 0;
  #successesLeft = 0;

  constructor(failuresMax: number, successesMin: number, onProven: () => void) {
    this.#failuresMax = failuresMax;
    this.#successesMin = successesMin;
    this.#onProven = onProven;
  }

  /** From here on as many successes are needed as after it was open. */
  mustProve(): void {
    this.#successesLeft = this.#successesMin;
  }

  /** Are there successes missing since it was open? */
  get isProving(): boolean {
    return this.#successesLeft > 0;
  }

  success(state: CircuitState): void {
    this.#failures = 0;
    if (state === CircuitState.HalfOpen) this.#successesLeft = this.#successesMin - 1;
    else if (this.#successesLeft > 0) {
      this.#successesLeft -= 1;
      if (this.#successesLeft === 0) this.#onProven();
    }
  }

  failure(): boolean {
    this.#failures += 1;
    const opens = this.#successesLeft > 0 || this.#failures >= this.#failuresMax;
    this.#successesLeft = 0;
    return opens;
  }
}

/** After so many times resetMs any call may try: there may be no other kind. */
const OVERDUE = 2;

export class CircuitBreaker {
  readonly name: string;
  readonly #options: BreakerOptions;
  readonly #policy: CircuitBreakerPolicy;
  readonly #proving: ProvingBreaker;
  #tries = false;
  #failures = 0;
  #failuresTotal = 0;
  #openedAtMs = 0;

  constructor(options: BreakerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#proving = new ProvingBreaker(options.failuresMax, options.successesMin ?? 1, () =>
      options.onState?.('closed', options.name),
    );
    this.#policy = circuitBreaker(
      handleWhen((error) => error instanceof Unproven || options.isFailure(error)),
      { halfOpenAfter: options.resetMs, breaker: this.#proving },
    );
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Isolated) return;
      if (state === CircuitState.Open) this.#openedAtMs = performance.now();
      if (state === CircuitState.Closed && this.#proving.isProving) return;
      options.onState?.(stateName(state), options.name);
    });
    this.#policy.onFailure(({ handled, reason }) => {
      if (!handled || ('error' in reason && reason.error instanceof Unproven)) return;
      this.#failures += 1;
      this.#failuresTotal += 1;
    });
    this.#policy.onSuccess(() => {
      this.#failures = 0;
    });
  }

  get state(): BreakerState {
    return this.#proving.isProving ? 'half_open' : stateName(this.#policy.state);
  }

  /** Failures in a row, up to now. */
  get failures(): number {
    return this.#failures;
  }

  /** Failures since it was made. */
  get failuresTotal(): number {
    return this.#failuresTotal;
  }

  /** Is it open, and any call may try, but none did? */
  get overdue(): boolean {
    return this.state === 'open' && performance.now() - this.#openedAtMs > OVERDUE * this.#options.resetMs;
  }

  /** Lets one call at a time try from now on, however short ago it opened. Does nothing unless it is open. */
  tryNow(): void {
    if (this.#policy.state !== CircuitState.Open) return;
    this.#proving.mustProve();
    // Cockatiel half-opens by time alone. Held and let go it counts itself closed, as it does whenever there is something to prove.
    this.#policy.isolate().dispose();
    this.#options.onState?.('half_open', this.name);
  }

  /** @param mayTry false: while it is open this call is not the one that tries, because how it ends would say little
   *  @throws CircuitOpen without a call while it is open, or another call tries · whatever `work` throws */
  async run<T>(work: () => Promise<T>, mayTry = true): Promise<T> {
    const { state } = this;
    if (this.#proving.isProving) return this.#proven(work);
    if (state === 'half_open' || (state === 'open' && !mayTry && !this.overdue)) throw this.#refusal();
    try {
      // When it is called in the state `open` it is the one that tries: the state is changed only after the call was begun.
      return await this.#policy.execute(() => (this.state === 'closed' ? work() : this.#tried(work)));
    } catch (error) {
      if (error instanceof Unproven) throw error.cause;
      if (error instanceof BrokenCircuitError) throw this.#refusal();
      throw error;
    }
  }

  /** One more success, as one call at a time. One that ends with neither success nor failure changes nothing. */
  async #proven<T>(work: () => Promise<T>): Promise<T> {
    if (this.#tries) throw this.#refusal();
    this.#tries = true;
    try {
      return await this.#policy.execute(work);
    } finally {
      this.#tries = false;
    }
  }

  async #tried<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Error && this.#options.isFailure(error)) throw error;
      throw new Unproven('a try proved nothing', { cause: error });
    }
  }

  #refusal(): SkeinError {
    const retryAfterMs = Math.max(1, Math.ceil(this.#openedAtMs + this.#options.resetMs - performance.now()));
    return new SkeinError('CircuitOpen', `${this.name} failed repeatedly and is not asked for ${retryAfterMs} ms`, {
      dependency: this.name,
      retry_after_ms: retryAfterMs,
    });
  }
}

function stateName(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half_open' : 'open';
}
