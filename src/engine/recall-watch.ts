/** Is approximate search right? A share of the vector searches that are answered is repeated exactly, in the time that the index worker has
 *  to spare, and the two answers are compared.
 *
 *    answered ─ chosen ─► compared with everything anyway? 1 ─ else ─► one is running, or the time is spent? skipped
 *             ─ else ─► asked again, exactly ─ the index has moved meanwhile? discarded ─ else ─► recall, by collection and filter class
 *
 *  Invariant: one repetition at a time, and of worker time at most msPerS a second on average: what one costs too much the next ones wait
 *  for. Must not know: how a search is answered, metrics. */

import type { Clock } from '../model/clock.js';
import { DEFAULT_VECTOR } from '../model/point.js';
import { type FilterClass, filterClassOf } from '../model/recall.js';
import { isLowerBetter, targetsOf } from '../model/vector-spec.js';
import { recallOf } from '../search/recall.js';
import type { CatalogueEntry } from './catalogue.js';
import type { IndexAnswers, VectorAsk, VectorFound } from './index-asks.js';
import type { RecallFigure, RecallStatus, RecallWatchSettings, ShortfallFigure } from './search-status.js';

export interface RecallWatchParts {
  readonly settings: RecallWatchSettings;
  readonly clock: Clock;
  /** 0 … 1 */
  readonly random: () => number;
  /** Asks the vector index of a collection. */
  readonly ask: (uid: number, ask: VectorAsk, timeoutMs: number) => Promise<IndexAnswers['vector']>;
  /** Null once the collection was dropped. */
  readonly nameOf: (uid: number) => string | null;
}

/** Collections with figures of their own; what is beyond counts together. */
const COLLECTIONS_MAX = 100;
/** The mean is of about so many newest checks. */
const MEAN_OF = 1_000;
const CHECK_TIMEOUT_MS = 10_000;
/** So many seconds of unspent time may be kept. */
const SAVED_SECONDS_MAX = 10;
const REST_UID = -1;

interface Figures {
  readonly recall: Map<FilterClass, { checks: number; mean: number }>;
  shortfalls: number;
}

export class RecallWatch {
  readonly #parts: RecallWatchParts;
  readonly #figures = new Map<number, Figures>();
  #skipped = 0;
  #discarded = 0;
  #checking = false;
  #savedMs: number;
  #savedAtMs: number;

  constructor(parts: RecallWatchParts) {
    this.#parts = parts;
    this.#savedMs = parts.settings.msPerS * SAVED_SECONDS_MAX;
    this.#savedAtMs = parts.clock.monotonicMs();
  }

  /** A search was answered by the vector index. Cost: a random number; for one that is chosen a question beside others.
   *  @param narrowed rows had to be read for its filter  @returns resolves when its check has ended, for those who want to know */
  answered(entry: CatalogueEntry, ask: VectorAsk, found: VectorFound, narrowed: boolean): Promise<void> | null {
    const { settings, random } = this.#parts;
    if (ask.exact || settings.share === 0 || random() >= settings.share) return null;
    if (found.plan !== 'graph') {
      this.#count(entry, ask, found, 1);
      return null;
    }
    if (narrowed || this.#checking || this.#timeLeftMs() <= 0) {
      this.#skipped += 1;
      return null;
    }
    return this.#check(entry, ask, found);
  }

  /** A search of this collection gave fewer hits than there are. */
  shortfall({ row }: CatalogueEntry): void {
    this.#of(row.uid).shortfalls += 1;
  }

  async #check(entry: CatalogueEntry, ask: VectorAsk, found: VectorFound): Promise<void> {
    const { clock } = this.#parts;
    this.#checking = true;
    const startMs = clock.monotonicMs();
    let tookMs: number | null = null;
    try {
      const truth = await this.#parts.ask(entry.row.uid, { ...ask, exact: true, background: true }, CHECK_TIMEOUT_MS);
      if ('narrow' in truth) {
        this.#skipped += 1;
        return;
      }
      tookMs = truth.steps.reduce((sum, step) => sum + step.tookMs, 0);
      if (truth.seq !== found.seq || truth.live !== found.live) {
        this.#discarded += 1;
        return;
      }
      const recall = recallOf(
        found,
        truth,
        ask.wanted,
        targetsOf(entry.row.spec).some((target) => target.key === (ask.key ?? DEFAULT_VECTOR) && isLowerBetter(target)),
      );
      if (recall !== null) this.#count(entry, ask, found, recall);
    } catch {
      // A full queue, a lost worker, no time: others are told of it, and a check is no more than a wish.
      this.#skipped += 1;
    } finally {
      this.#savedMs = this.#timeLeftMs() - (tookMs ?? clock.monotonicMs() - startMs);
      this.#checking = false;
    }
  }

  #timeLeftMs(): number {
    const nowMs = this.#parts.clock.monotonicMs();
    const { msPerS } = this.#parts.settings;
    const earnedMs = ((nowMs - this.#savedAtMs) / 1_000) * msPerS;
    this.#savedAtMs = nowMs;
    this.#savedMs = Math.min(msPerS * SAVED_SECONDS_MAX, this.#savedMs + earnedMs);
    return this.#savedMs;
  }

  #count({ row }: CatalogueEntry, ask: VectorAsk, { matches, live }: VectorFound, recall: number): void {
    const { recall: byClass } = this.#of(row.uid);
    const filterClass = filterClassOf(ask.filter !== null, matches, live);
    const { checks, mean } = byClass.get(filterClass) ?? { checks: 0, mean: 0 };
    byClass.set(filterClass, { checks: checks + 1, mean: mean + (recall - mean) / Math.min(checks + 1, MEAN_OF) });
  }

  #of(uid: number): Figures {
    const known = this.#figures.get(uid);
    if (known !== undefined) return known;
    this.#forgetDropped();
    const own = this.#figures.size < COLLECTIONS_MAX ? uid : REST_UID;
    const figures = this.#figures.get(own) ?? { recall: new Map(), shortfalls: 0 };
    this.#figures.set(own, figures);
    return figures;
  }

  #forgetDropped(): void {
    for (const uid of this.#figures.keys()) if (uid !== REST_UID && this.#parts.nameOf(uid) === null) this.#figures.delete(uid);
  }

  /** Of collections that are there. */
  status(): RecallStatus {
    this.#forgetDropped();
    const figures: RecallFigure[] = [];
    const shortfalls: ShortfallFigure[] = [];
    for (const [uid, { recall, shortfalls: count }] of this.#figures) {
      const collection = uid === REST_UID ? null : this.#parts.nameOf(uid);
      for (const [filterClass, { checks, mean }] of recall) figures.push({ collection, filterClass, recall: mean, checks });
      if (count > 0) shortfalls.push({ collection, count });
    }
    return { figures, shortfalls, skipped: this.#skipped, discarded: this.#discarded };
  }
}
