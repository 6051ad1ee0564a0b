/** Watches over the node by itself: looks at an interval, keeps the last results, tells what has changed, once.
 *
 *    look ─► keep ─► each component and the node: confirmed by so many looks in a row? ─► one line of log, one event for listeners
 *  What routes show is the newest look; a change is told only when it lasted. Looks that others asked for in between are not counted, so
 *  that nobody hurries an alert by asking. Must not know: what is looked at, where alerts go. */

import { compareHealth, type HealthRecord, type HealthReport, type HealthTransition } from '../model/health.js';
import type { Log } from '../model/log.js';
import { type Confirmed, confirm, PRESUMED_HEALTHY } from './health-hysteresis.js';
import type { HealthRunner } from './health-runner.js';

export interface HealthMonitorParts {
  readonly runner: HealthRunner;
  /** 0: nothing is looked at unless somebody asks. */
  readonly intervalMs: number;
  /** How many results are kept, and how many changes. */
  readonly historyMax: number;
  /** Looks in a row that confirm a change. */
  readonly confirmations: number;
  readonly log: Log;
  /** After each look of its own. */
  onLook?(report: HealthReport): void;
}

/** What has changed with one look. */
export interface HealthChange {
  readonly report: HealthReport;
  readonly transitions: readonly HealthTransition[];
}

export class HealthMonitor {
  readonly #parts: HealthMonitorParts;
  readonly #confirmed = new Map<string | null, Confirmed>();
  readonly #listeners = new Set<(change: HealthChange) => void>();
  #history: HealthRecord[] = [];
  #transitions: HealthTransition[] = [];
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;

  constructor(parts: HealthMonitorParts) {
    this.#parts = parts;
  }

  /** Oldest first. */
  get history(): readonly HealthRecord[] {
    return this.#history;
  }

  /** Oldest first. */
  get transitions(): readonly HealthTransition[] {
    return this.#transitions;
  }

  /** The listener must not throw and not wait. @returns how to end it */
  onChange(listener: (change: HealthChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first look comes at once. */
  start(): void {
    if (!this.#stopped || this.#parts.intervalMs === 0) return;
    this.#stopped = false;
    void this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** The next turn begins after the end of this one, so that looks never pile up. */
  async #turn(): Promise<void> {
    const report = await this.#parts.runner.report();
    if (this.#stopped) return;
    this.take(report);
    this.#timer = setTimeout(() => void this.#turn(), this.#parts.intervalMs);
  }

  /** Takes in the result of one look. */
  take(report: HealthReport): void {
    const { historyMax } = this.#parts;
    const { atMs, status, tookMs, components } = report;
    const failing = components.filter((component) => component.status !== 'healthy').map(({ name }) => name);
    this.#history = [...this.#history, { atMs, status, tookMs, failing }].slice(-historyMax);
    const seen = components.map((component) => this.#confirm(component.name, component.status, component.message, atMs));
    seen.push(this.#confirm(null, status, report.reasons.join('; '), atMs));
    const transitions = seen.filter((transition) => transition !== null);
    this.#forget(new Set([null, ...components.map(({ name }) => name)]));
    this.#parts.onLook?.(report);
    if (transitions.length === 0) return;
    this.#transitions = [...this.#transitions, ...transitions].slice(-historyMax);
    for (const transition of transitions) this.#tell(transition);
    for (const listener of this.#listeners) listener({ report, transitions });
  }

  #confirm(component: string | null, seen: HealthReport['status'], message: string, atMs: number): HealthTransition | null {
    const before = this.#confirmed.get(component) ?? PRESUMED_HEALTHY;
    const after = confirm(before, seen, this.#parts.confirmations);
    this.#confirmed.set(component, after);
    if (after.status === before.status) return null;
    return { atMs, component, from: before.status, to: after.status, message };
  }

  /** A component that is gone takes its state with it. */
  #forget(known: ReadonlySet<string | null>): void {
    for (const name of this.#confirmed.keys()) if (!known.has(name)) this.#confirmed.delete(name);
  }

  #tell({ component, from, to, message }: HealthTransition): void {
    const fields = { component: component ?? 'node', from, to, message };
    if (compareHealth(to, from) > 0) this.#parts.log.warn('health_changed', fields);
    else this.#parts.log.info('health_changed', fields);
  }
}
