/** Outside dependencies: what the server calls beyond its own process (a place for backups, a webhook, an exporter of traces). Each has a
 *  breaker of its own, and calls that are worth it are retried:
 *
 *    call ─► retry ─► breaker ─► work        (a breaker that is open ends the tries at once)
 *
 *  Whoever is refused learns why: a call that failed itself has its own error, another one CircuitOpen with what failed last.
 *
 *  Invariant: every dependency that was made is in `status()`, under a name that no other has. Must not know: what is called. */

import { messageOf, SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.js';
import { RETRY_DEFAULTS, type RetrySettings, retry } from './retry.js';

export interface BreakerSettings {
  readonly failuresMax: number;
  readonly resetMs: number;
  readonly successesMin: number;
}

/** What holds for every dependency that says nothing else. */
export interface DependencyDefaults {
  readonly retry: RetrySettings;
  readonly breaker: BreakerSettings;
  /** Of those whose calls take long. */
  readonly slowBreaker: BreakerSettings;
}

const DEFAULTS: DependencyDefaults = {
  retry: RETRY_DEFAULTS,
  breaker: { failuresMax: 5, resetMs: 60_000, successesMin: 3 },
  slowBreaker: { failuresMax: 3, resetMs: 120_000, successesMin: 3 },
};

export interface DependencyOptions {
  /** Also the label in metrics: few, and never from outside. */
  readonly name: string;
  /** Do its calls take long, and does it take long to come back? */
  readonly isSlow?: boolean;
  readonly breaker?: BreakerSettings;
  readonly retry?: Partial<RetrySettings>;
  /** Is this error the dependency’s, and may pass? Others reach the caller at once and say nothing about it. */
  isFailure(error: unknown): boolean;
}

export interface DependencyStatus {
  readonly name: string;
  readonly state: BreakerState;
  /** In a row, up to now. */
  readonly failures: number;
  /** Since the start. */
  readonly failuresTotal: number;
  readonly lastFailure: { readonly message: string; readonly atMs: number } | null;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** False: a second try could do harm, or is not possible. By default true. */
  readonly repeatable?: boolean;
  /** True: somebody waits for it, so it may try although the breaker is open. By default false. */
  readonly asked?: boolean;
}

export interface DependenciesParts {
  readonly log: Log;
  readonly wallMs: () => number;
  /** By default those of the settings’ own defaults. */
  readonly defaults?: DependencyDefaults;
}

export class Dependencies {
  readonly #parts: DependenciesParts;
  readonly #made = new Map<string, Dependency>();

  constructor(parts: DependenciesParts) {
    this.#parts = parts;
  }

  /** @throws RangeError when the name is taken: a dependency is made once, by its owner */
  add(options: DependencyOptions): Dependency {
    if (this.#made.has(options.name)) throw new RangeError(`there is a dependency ${options.name} already`);
    const dependency = new Dependency(options, this.#parts);
    this.#made.set(options.name, dependency);
    return dependency;
  }

  /** In the order in which they were made. */
  status(): DependencyStatus[] {
    return [...this.#made.values()].map((dependency) => dependency.status());
  }
}

export class Dependency {
  readonly name: string;
  readonly #options: DependencyOptions;
  readonly #parts: DependenciesParts;
  readonly #breaker: CircuitBreaker;
  readonly #retry: RetrySettings;
  #state: BreakerState = 'closed';
  #lastFailure: DependencyStatus['lastFailure'] = null;

  constructor(options: DependencyOptions, parts: DependenciesParts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    const { retry: retries, breaker, slowBreaker } = parts.defaults ?? DEFAULTS;
    this.#retry = { ...retries, ...options.retry };
    this.#breaker = new CircuitBreaker({
      ...(options.breaker ?? (options.isSlow === true ? slowBreaker : breaker)),
      name: options.name,
      isFailure: (error) => options.isFailure(error),
      onState: (state) => this.#onState(state),
    });
  }

  /** Calls it. @param operation what for, in log lines  @throws CircuitOpen · what `work` throws · the signal’s reason */
  async call<T>(operation: string, work: () => Promise<T>, options: CallOptions = {}): Promise<T> {
    const { signal, repeatable = true, asked = false } = options;
    if (asked) this.#breaker.tryNow();
    let met: unknown = null;
    const guarded = (): Promise<T> =>
      this.#breaker.run(() =>
        this.#watched(work).catch((error: unknown) => {
          met = error;
          throw error;
        }),
      );
    try {
      if (!repeatable) return await guarded();
      return await retry(guarded, {
        operation: `${this.name}: ${operation}`,
        settings: this.#retry,
        isWorthRetrying: (error) => !isRefusal(error) && this.#options.isFailure(error),
        log: this.#parts.log,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw isRefusal(error) ? (met ?? this.#explained(error)) : error;
    }
  }

  status(): DependencyStatus {
    const { state, failures, failuresTotal } = this.#breaker;
    return { name: this.name, state, failures, failuresTotal, lastFailure: this.#lastFailure };
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.#options.isFailure(error)) this.#lastFailure = { message: messageOf(error), atMs: this.#parts.wallMs() };
      throw error;
    }
  }

  #explained(refusal: SkeinError): SkeinError {
    if (this.#lastFailure === null) return refusal;
    const { message } = this.#lastFailure;
    return new SkeinError('CircuitOpen', `${refusal.message}; it failed last with: ${message}`, {
      ...refusal.details,
      last_failure: message,
    });
  }

  #onState(state: BreakerState): void {
    const fields = { dependency: this.name, from: this.#state, to: state, last_failure: this.#lastFailure?.message ?? null };
    this.#state = state;
    if (state === 'open') this.#parts.log.warn('circuit_breaker', fields);
    else this.#parts.log.info('circuit_breaker', fields);
  }
}

function isRefusal(error: unknown): error is SkeinError {
  return error instanceof SkeinError && error.type === 'CircuitOpen';
}
