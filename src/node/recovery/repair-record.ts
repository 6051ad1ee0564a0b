/** What was tried to repair damage: counts by way and outcome, and the newest tries. Must not know: ways, clocks. */

import type { Outcome, RecoveryAttempt, Way } from '../../model/recovery.js';

const SHOWN_MAX = 100;

interface Counted {
  readonly way: Way;
  readonly outcome: Outcome;
  readonly count: number;
}

export class RepairRecord {
  readonly #counts = new Map<string, Counted>();
  #newest: readonly RecoveryAttempt[] = [];

  add(attempt: RecoveryAttempt): void {
    const { way, outcome } = attempt;
    const key = `${way}:${outcome}`;
    this.#counts.set(key, { way, outcome, count: (this.#counts.get(key)?.count ?? 0) + 1 });
    this.#newest = [attempt, ...this.#newest].slice(0, SHOWN_MAX);
  }

  get counts(): readonly Counted[] {
    return [...this.#counts.values()];
  }

  /** Newest first, at most 100. */
  get newest(): readonly RecoveryAttempt[] {
    return this.#newest;
  }
}
