/** Do the graphs still hold together? Every so often each one is looked at: points are searched for by their own vectors, links are counted.
 *
 *    a look ─ more than 1 % of the sample is not found ─► the graph is left for a fresh one, while it serves
 *
 *  One graph is looked at at a time, with pauses between them, so that looks take a small part of the time however many graphs there are. None is
 *  asked to renew itself more often than once an hour; where that does not help (a graph with few links may be no better), twice as seldom
 *  each time. Must not know: how a graph is looked at, messages, metrics. */

import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { IndexHealth } from '../vector-index/vector-index.js';
import type { CatalogueEntry } from './catalogue.js';
import type { HealthAsk } from './index-asks.js';

export interface IndexHealthWatchParts {
  /** 0: nothing is looked at. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly entries: () => Iterable<CatalogueEntry>;
  /** @returns null where there is no graph, or it cannot tell */
  readonly look: (uid: number, ask: HealthAsk, timeoutMs: number) => Promise<IndexHealth | null>;
  readonly renew: (uid: number) => void;
}

/** Cost of a look: as many searches, in the time that the worker has left (about 0.15 s at 30,000 points of 128 components, 1.4 s at 6,000
 *  of 1,536). */
const SAMPLE_MAX = 1_000;
const LOOK_TIMEOUT_MS = 60_000;
/** After a look, a pause of so many times its length. */
const PAUSE = 20;
const UNREACHABLE_SHARE = 0.01;
/** In fewer points one that is not found says little. */
const SAMPLED_MIN = 100;
const RENEWAL_PAUSE_MS = 3_600_000;
const RENEWAL_PAUSE_MS_MAX = 7 * 86_400_000;

interface Renewal {
  readonly askedAtMs: number;
  readonly pauseMs: number;
}

export class IndexHealthWatch {
  readonly #parts: IndexHealthWatchParts;
  /** By collection; only of those whose newest look was a bad one. */
  readonly #renewals = new Map<number, Renewal>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #stopped = false;
  /** Ends the pause that runs. */
  #wake = (): void => {};

  constructor(parts: IndexHealthWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    const { intervalMs } = this.#parts;
    if (intervalMs === 0) return;
    this.#timer = setInterval(() => void this.lookAtAll(), Math.min(intervalMs, 2 ** 31 - 1));
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#wake();
  }

  /** One round; nothing when one is under way. */
  async lookAtAll(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const entries = [...this.#parts.entries()];
      const there = new Set(entries.map(({ row }) => row.uid));
      for (const uid of this.#renewals.keys()) if (!there.has(uid)) this.#renewals.delete(uid);
      for (const entry of entries) {
        if (this.#stopped) return;
        const startMs = this.#parts.clock.monotonicMs();
        await this.#lookAt(entry);
        await this.#pause(PAUSE * (this.#parts.clock.monotonicMs() - startMs));
      }
    } finally {
      this.#looking = false;
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms < 1 || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #lookAt(entry: CatalogueEntry): Promise<void> {
    const { status } = entry.vector.report ?? {};
    if (status?.kind !== 'graph') {
      entry.health = null;
      return;
    }
    const { uid, name } = entry.row;
    try {
      const health = await this.#parts.look(uid, { kind: 'health', sampleMax: SAMPLE_MAX }, LOOK_TIMEOUT_MS);
      entry.health = health === null ? null : { ...health, checkedAtMs: this.#parts.clock.wallMs() };
      // What is on its way into a fresh graph is not to be hurried.
      if (health !== null && status.growing === 0) this.#judge(uid, name, health);
    } catch (error) {
      // The worker is busy, dead or gone with its collection, which others tell; the next round looks again.
      if (!this.#stopped) this.#parts.log.debug('index_health_not_checked', { collection: name, error });
    }
  }

  #judge(uid: number, collection: string, { sampled, reachable }: IndexHealth): void {
    if (sampled < SAMPLED_MIN || sampled - reachable <= UNREACHABLE_SHARE * sampled) {
      this.#renewals.delete(uid);
      return;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    const last = this.#renewals.get(uid);
    if (last !== undefined && nowMs - last.askedAtMs < last.pauseMs) return;
    const pauseMs = last === undefined ? RENEWAL_PAUSE_MS : Math.min(2 * last.pauseMs, RENEWAL_PAUSE_MS_MAX);
    this.#renewals.set(uid, { askedAtMs: nowMs, pauseMs });
    this.#parts.log.warn('index_renewal_asked', { collection, sampled, reachable });
    this.#parts.renew(uid);
  }
}
