/** Looks at all components at once, each within its own deadline: what does not answer by then is reported as it is, and never waited for.
 *
 *    report ─► a result that is young enough? that one ─► a run under way? its result ─► a run
 *  So callers share, and however often they ask the node does the work at most once in `reuseMs`. A look that outlived its deadline is not
 *  begun again before it has ended: at most one of each is under way. Must not know: what is looked at, who asks. */

import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { ComponentReport, HealthCheck, HealthFinding, HealthRegistry, HealthReport } from '../model/health.js';
import { nodeHealth } from './health-rules.js';

export interface HealthRunnerParts {
  readonly clock: Clock;
  /** How old a result may be that is given again, in milliseconds. */
  readonly reuseMs: number;
  /** A check threw: what is told of it to others is its type alone. */
  onError(component: string, error: unknown): void;
}

/** Checks that may be registered. */
const CHECKS_MAX = 100;

export class HealthRunner implements HealthRegistry {
  readonly #parts: HealthRunnerParts;
  readonly #checks = new Map<string, HealthCheck>();
  /** Since when a look has been under way that is overdue, on the monotonic clock. */
  readonly #overdue = new Map<HealthCheck, number>();
  #running: Promise<HealthReport> | null = null;
  #last: { readonly report: HealthReport; readonly endedMs: number } | null = null;
  /** Counts what makes earlier looks worthless. */
  #changes = 0;

  constructor(parts: HealthRunnerParts) {
    this.#parts = parts;
  }

  add(check: HealthCheck): () => void {
    const { name } = check;
    if (this.#checks.has(name)) throw new Error(`there is a health check named ${name} already`);
    if (this.#checks.size >= CHECKS_MAX) throw new Error(`there are ${CHECKS_MAX} health checks already`);
    this.#checks.set(name, check);
    this.forget();
    return () => {
      if (this.#checks.get(name) !== check) return;
      this.#checks.delete(name);
      this.forget();
    };
  }

  /** The node is another than it was a moment ago: who asks next gets a new look. */
  forget(): void {
    this.#changes += 1;
    this.#last = null;
  }

  /** The newest report; null when there is none that is at most so old. */
  lastWithin(ms: number): HealthReport | null {
    if (this.#last === null || this.#parts.clock.monotonicMs() - this.#last.endedMs > ms) return null;
    return this.#last.report;
  }

  /** Never rejects. Takes as long as the slowest check, and no longer than the longest deadline. */
  report(): Promise<HealthReport> {
    const { clock, reuseMs } = this.#parts;
    if (this.#last !== null && clock.monotonicMs() - this.#last.endedMs < reuseMs) return Promise.resolve(this.#last.report);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<HealthReport> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const changes = this.#changes;
    const components = await Promise.all([...this.#checks.values()].map((check) => this.#look(check)));
    const endedMs = clock.monotonicMs();
    const report = { ...nodeHealth(components), components, atMs: clock.wallMs(), tookMs: endedMs - startMs };
    if (changes === this.#changes) this.#last = { report, endedMs };
    return report;
  }

  async #look(check: HealthCheck): Promise<ComponentReport> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const since = this.#overdue.get(check);
    const finding = since === undefined ? await this.#within(check, startMs) : this.#silent(check, startMs - since);
    return { name: check.name, ...finding, tookMs: clock.monotonicMs() - startMs };
  }

  async #within(check: HealthCheck, startMs: number): Promise<HealthFinding> {
    const deadline = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<HealthFinding>((resolve) => {
      timer = setTimeout(() => {
        this.#overdue.set(check, startMs);
        resolve(this.#silent(check, check.deadlineMs));
        deadline.abort(new Error('the deadline of a health check has passed'));
      }, check.deadlineMs);
    });
    const work = this.#found(check, deadline.signal).finally(() => {
      clearTimeout(timer);
      this.#overdue.delete(check);
    });
    return Promise.race([work, tooLate]);
  }

  async #found(check: HealthCheck, signal: AbortSignal): Promise<HealthFinding> {
    try {
      return await check.check(signal);
    } catch (error) {
      this.#parts.onError(check.name, error);
      const type = error instanceof SkeinError ? error.type : 'Internal';
      return {
        status: check.whenSilent,
        message: `the check of ${check.name} failed (${type})`,
        latencyMs: null,
        ...missing(check),
      };
    }
  }

  #silent(check: HealthCheck, waitedMs: number): HealthFinding {
    const message = `${check.name} gave no answer in ${Math.round(waitedMs)} ms`;
    return { status: check.whenSilent, message, latencyMs: null, ...missing(check) };
  }
}

/** Where silence is the worst, requests depend on it. */
function missing({ whenSilent }: HealthCheck): Pick<HealthFinding, 'serves'> {
  return whenSilent === 'unhealthy' ? { serves: 'no' } : {};
}
