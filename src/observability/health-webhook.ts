/** Tells another server when the health of the node has changed: a POST of JSON, tried a few times, never waited for by anybody.
 *
 *    change ─► pending (at most 100 transitions, the oldest go) ─► one delivery at a time ─► taken
 *                 ▲                                                   ├─► refused: these transitions are given up, the state is owed
 *                 └──────── kept until the next change or look ◄──────┘─► no answer
 *  A state that is owed is told again after each look until it is taken: a receiver that was mended learns how the node is.
 *  A slow receiver delays nothing but later deliveries, which then come together in one. Redirects are not followed, so that the secret goes
 *  nowhere else; certificates of https are verified. The address may hold a token, so it is never logged.
 *  Must not know: what is watched. */

import type { Clock } from '../model/clock.js';
import type { HealthCheck, HealthTransition } from '../model/health.js';
import type { Log } from '../model/log.js';
import type { Dependency } from '../resilience/dependencies.js';
import type { HealthChange } from './health-monitor.js';

export interface WebhookParts {
  readonly url: string;
  /** Sent as `authorization: Bearer …`; null: none. */
  readonly secret: string | null;
  /** Of one try, in milliseconds. */
  readonly timeoutMs: number;
  /** Tries again, behind a breaker; what it is to take for a failure is mayPass(). */
  readonly dependency: Pick<Dependency, 'call'>;
  readonly clock: Clock;
  readonly log: Log;
  /** What the receiver is told of who speaks. */
  about(): Readonly<Record<string, unknown>>;
}

/** Of transitions. */
export interface WebhookCounts {
  readonly delivered: number;
  /** Given up for good: refused, or too many before they were taken. */
  readonly failed: number;
}

const PENDING_MAX = 100;

/** The receiver refused it: the same again would end the same way. */
class Refused extends Error {
  override readonly name = 'Refused';
}

/** May the same try succeed later? */
export function mayPass(error: unknown): boolean {
  return !(error instanceof Refused);
}

export class HealthWebhook {
  readonly #parts: WebhookParts;
  readonly #stop = new AbortController();
  #pending: HealthTransition[] = [];
  #newest: HealthChange['report'] | null = null;
  /** Transitions that had to go before the receiver heard of them. */
  #leftOut = 0;
  /** The receiver refused the last it was told, so it does not know how the node is. */
  #isOwed = false;
  #delivering = false;
  #counts = { delivered: 0, failed: 0 };
  /** Why the last delivery was given up; null when it came through. */
  #failure: string | null = null;
  #lastMs: number | null = null;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  get counts(): WebhookCounts {
    return this.#counts;
  }

  /** Returns at once. */
  notify({ report, transitions }: HealthChange): void {
    const all = [...this.#pending, ...transitions];
    this.#giveUp(Math.max(0, all.length - PENDING_MAX));
    this.#pending = all.slice(-PENDING_MAX);
    this.#newest = report;
    if (!this.#delivering) void this.#deliver();
  }

  /** After a look: tries again what is pending or owed, if anything is. @param report the newest */
  nudge(report: HealthChange['report']): void {
    this.#newest = report;
    if (this.#hasMore() && !this.#delivering) void this.#deliver();
  }

  /** A receiver that did not take the last change is a degraded dependency, until it takes one. */
  check(timeoutMs: number): HealthCheck {
    const look = (): ReturnType<HealthCheck['check']> => ({
      status: this.#failure === null ? 'healthy' : 'degraded',
      message:
        this.#failure === null
          ? this.#lastMs === null
            ? 'the webhook has had nothing to tell'
            : 'the webhook took the last change'
          : `the webhook did not take the last change (${this.#failure})`,
      latencyMs: this.#lastMs,
      details: { ...this.#counts },
    });
    return { name: 'webhook', deadlineMs: timeoutMs, whenSilent: 'degraded', check: look };
  }

  /** Breaks off what is under way. */
  stop(): void {
    this.#stop.abort(new Error('the node is stopping'));
  }

  async #deliver(): Promise<void> {
    this.#delivering = true;
    const { dependency } = this.#parts;
    const { signal } = this.#stop;
    let failed = false;
    while (this.#hasMore() && !failed && !signal.aborted) {
      try {
        // Each try sends what is pending by then.
        await dependency.call('telling of a change of health', () => this.#post(), { signal });
        this.#note(null);
      } catch (error) {
        if (signal.aborted) break;
        failed = true;
        this.#note(error instanceof Error ? error.message : 'no answer');
      }
    }
    this.#delivering = false;
  }

  #hasMore(): boolean {
    return this.#pending.length > 0 || this.#isOwed;
  }

  #giveUp(transitions: number): void {
    this.#leftOut += transitions;
    this.#counts.failed += transitions;
  }

  #note(failure: string | null): void {
    if (failure !== null && this.#failure === null) this.#parts.log.error('health_webhook_failed', { reason: failure });
    this.#failure = failure;
  }

  #drop(batch: readonly HealthTransition[]): void {
    this.#pending = this.#pending.filter((transition) => !batch.includes(transition));
  }

  /** @throws Refused, Error (no answer, 408, 429, 5xx) */
  async #post(): Promise<void> {
    const { url, secret, timeoutMs, clock } = this.#parts;
    const batch = this.#pending;
    const leftOut = this.#leftOut;
    const startMs = clock.monotonicMs();
    const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'skein' };
    if (secret !== null) headers['authorization'] = `Bearer ${secret}`;
    const body = JSON.stringify(this.#message(batch));
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
    let status: number;
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
      status = answer.status;
      // What it says besides is of no use, and may be long.
      await answer.body?.cancel();
    } catch (error) {
      throw new Error(reasonOf(error, timeoutMs));
    }
    this.#lastMs = clock.monotonicMs() - startMs;
    if (status >= 500 || status === 408 || status === 429) throw new Error(`status ${status}`);
    this.#drop(batch);
    this.#isOwed = status < 200 || status >= 300;
    if (this.#isOwed) {
      this.#giveUp(batch.length);
      throw new Refused(`status ${status}`);
    }
    this.#leftOut -= leftOut;
    this.#counts.delivered += batch.length;
  }

  #message(transitions: readonly HealthTransition[]): object {
    const report = this.#newest;
    return {
      event: 'health_changed',
      ...this.#parts.about(),
      status: report?.status ?? null,
      reasons: report?.reasons ?? [],
      at: new Date(report?.atMs ?? this.#parts.clock.wallMs()).toISOString(),
      transitions: transitions.map(({ atMs, ...transition }) => ({ ...transition, at: new Date(atMs).toISOString() })),
      left_out: this.#leftOut,
    };
  }
}

/** The address is no part of it. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${timeoutMs} ms`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : 'no answer';
}
