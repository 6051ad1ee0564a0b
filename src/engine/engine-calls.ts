/** Questions to the indexes of a collection as a search asks them: each engine behind its own breaker, in a bounded time, and asked again
 *  with labels when it could not answer a filter alone.
 *
 *  What is the fault of the request or of the moment (a dropped collection, a full queue, hardly any time, a stop) is no failure of the
 *  engine. Nor is an index that is not there yet: it is refused before its engine is asked, as other collections have theirs.
 *  Must not know: plans, hits, HTTP. */

import type { Cancellation } from '../model/cancellation.js';
import { SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import { labelFilterOf } from '../model/label-filter.js';
import { type Span, spanned } from '../model/tracer.js';
import { type BreakerState, CircuitBreaker } from '../resilience/circuit-breaker.js';
import { type CatalogueEntry, shownSeq } from './catalogue.js';
import { isAbandoned } from './given-up.js';
import type { AskOf, IndexAnswers, IndexAsk, IndexAskKind, Narrow, Step, Unindexed } from './index-asks.js';
import type { IndexKeeper } from './index-keeper.js';
import type { EngineKind } from './index-messages.js';
import type { IndexedMatches } from './matching-rows.js';
import type { Reader } from './reader.js';
import { describeFound } from './search-spans.js';

export interface EngineCallOptions {
  readonly keeper: IndexKeeper;
  readonly reader: Reader;
  /** Failures in a row that open an engine's breaker, and how long it stays open. */
  readonly breakerFailuresMax: number;
  readonly breakerResetMs: number;
  /** A question with so much time or more that is not answered is a failure. */
  readonly fairTimeoutMs: number;
  readonly durableSeq: () => number;
  /** False once the collection was dropped. */
  readonly isThere: (uid: number) => boolean;
  onBreaker(engine: EngineKind, state: BreakerState): void;
  onAnswer(engine: EngineKind): void;
}

/** What an engine found, and what was done beside it so that it could. */
export interface Found<Answer> {
  readonly answer: Answer;
  readonly unindexed: Unindexed;
  readonly steps: readonly Step[];
  /** The seq whose state the answer shows: the durable one when the collection was not changed since. Settled when the answer came, as the
   *  index moves on while the search goes on. */
  readonly shownSeq: number;
}

/** For whom an index is asked. */
interface Asker {
  /** The answer shows the state of this seq or of a later one. */
  readonly notBeforeSeq?: number;
  readonly span?: Span;
  /** When nobody waits for it any more. */
  readonly cancellation?: Cancellation;
}

type Searching = 'vector' | 'text' | 'match' | 'facet';
type Whole<K extends Searching> = Exclude<IndexAnswers[K], Narrow>;

const WANT_OF_TIME: ReadonlySet<string> = new Set(['Timeout', 'IndexBehind']);
const FAILURES: ReadonlySet<string> = new Set(['Internal', 'SearchUnavailable']);

export class EngineCalls {
  readonly #options: EngineCallOptions;
  readonly breakers: Readonly<Record<EngineKind, CircuitBreaker>>;
  readonly #latencyMs: Record<EngineKind, number | null> = { vector: null, text: null };

  constructor(options: EngineCallOptions) {
    this.#options = options;
    const breaker = (engine: EngineKind): CircuitBreaker =>
      new CircuitBreaker({
        name: `${engine} index`,
        failuresMax: options.breakerFailuresMax,
        resetMs: options.breakerResetMs,
        isFailure: (error) => this.#isFailure(error),
        onState: (state) => options.onBreaker(engine, state),
      });
    this.breakers = { vector: breaker('vector'), text: breaker('text') };
  }

  #isFailure(error: Error): boolean {
    if (!(error instanceof SkeinError)) return true;
    if (error.details['repeated'] === true || isAbandoned(error)) return false;
    if (error.type !== 'Timeout') return FAILURES.has(error.type);
    return error.details['stalled'] === true || this.#isFair(Number(error.details['timeout_ms'] ?? 0));
  }

  #isFair(timeoutMs: number): boolean {
    return timeoutMs >= this.#options.fairTimeoutMs;
  }

  /** Does it say something of the engine that it did not answer within timeoutMs? Hardly any time is the caller's own choice. */
  isFault(error: unknown, timeoutMs: number): boolean {
    if (!(error instanceof SkeinError)) return true;
    if (isAbandoned(error)) return false;
    return this.#isFair(timeoutMs) || !WANT_OF_TIME.has(error.type) || error.details['stalled'] === true;
  }

  /** An engine that may try again, and is not asked, is asked what costs nothing: it recovers where nobody searches. */
  probe(engine: EngineKind, uid: number): void {
    if (!this.breakers[engine].overdue) return;
    const nothing = labelFilterOf(new Uint32Array(0));
    const ask = { kind: 'match', filter: null, labels: nothing } as const;
    this.#call(engine, uid, ask, () => this.#options.fairTimeoutMs).catch(() => undefined);
  }

  /** Milliseconds that the newest answer of an engine took, its way there and back included; null before the first. */
  latencyMs(engine: EngineKind): number | null {
    return this.#latencyMs[engine];
  }

  /** For whoever has another engine to ask. @throws SearchUnavailable while this index of the collection answers nothing */
  mustServe(engine: EngineKind, entry: CatalogueEntry): void {
    if (entry[engine]?.serving !== false) return;
    this.#options.keeper.pool(engine).mustBeLoaded(entry.row.uid);
    throw notServing(engine);
  }

  /** @param leftMs how long the answer is of use  @throws CircuitOpen, SearchUnavailable, Timeout, IndexBehind, CollectionNotFound, Overloaded, ShuttingDown, CorruptData */
  ask<K extends Searching>(
    engine: EngineKind,
    entry: CatalogueEntry,
    ask: AskOf<K>,
    leftMs: () => number,
    asker: Asker = {},
  ): Promise<Found<Whole<K>>> {
    return spanned(asker.span, `index ${ask.kind}`, async (span) => {
      const found = await this.#asked(engine, entry, ask, leftMs, asker);
      if (span !== undefined) describeFound(span, found, performance.now());
      return found;
    });
  }

  async #asked<K extends Searching>(
    engine: EngineKind,
    entry: CatalogueEntry,
    ask: AskOf<K>,
    leftMs: () => number,
    { notBeforeSeq = 0, cancellation }: Asker,
  ): Promise<Found<Whole<K>>> {
    const found = await this.#found(engine, entry, ask, leftMs, cancellation);
    // Who asks has waited for the indexes that were thought well. One that was not may be asked nevertheless, and be behind.
    const goal = Math.min(notBeforeSeq, entry.row.lastSeq);
    if (found.shownSeq >= goal) return found;
    if (await entry[engine]?.indexed.reach(goal, leftMs())) {
      const newer = await this.#found(engine, entry, ask, leftMs, cancellation);
      if (newer.shownSeq >= goal) return newer;
    }
    throw new SkeinError('IndexBehind', `The ${engine} index has not reached the requested position`, {
      requested: notBeforeSeq,
      applied: found.shownSeq,
    });
  }

  async #found<K extends Searching>(
    engine: EngineKind,
    entry: CatalogueEntry,
    ask: AskOf<K>,
    leftMs: () => number,
    cancellation?: Cancellation,
  ): Promise<Found<Whole<K>>> {
    const { uid, spec } = entry.row;
    await this.#served(engine, entry, leftMs);
    // Of one kind with the question, which the compiler cannot follow through the union of all questions.
    const first = (await this.#call(engine, uid, ask as IndexAsk, leftMs, cancellation)) as Whole<K> | Narrow;
    if (!isNarrow(first)) return { answer: first, unindexed: [], steps: [], shownSeq: this.#shown(engine, entry, first.seq) };
    const { narrow, unindexed } = first;
    if (ask.filter === null) throw new Error('an index wants to narrow a search without a filter');
    const startMs = performance.now();
    const reading = this.#options.reader.read(
      { kind: 'narrow', uid, filter: ask.filter, spec, labels: narrow },
      0,
      leftMs(),
      cancellation,
    );
    const { labels } = await within(reading, leftMs(), 'Reading the rows that a filter may match took too long');
    const steps = [{ name: 'rows of the filter', tookMs: performance.now() - startMs }];
    const again = { ...ask, labels, sinceLabel: first.nextLabel, estimated: first.estimated } as IndexAsk;
    const second = (await this.#call(engine, uid, again, leftMs, cancellation)) as Whole<K> | Narrow;
    if (isNarrow(second)) throw new Error('an index wants to narrow what was narrowed');
    // What changed in place meanwhile was not looked for, so nothing newer than the first answer is shown.
    const shown = second.seq === first.seq ? this.#shown(engine, entry, first.seq) : first.seq;
    return { answer: second, unindexed, steps, shownSeq: Math.min(shown, this.#options.durableSeq()) };
  }

  /** The labels that match, or may match, at the seq of the vector index.
   *  @throws as ask() */
  async matches(entry: CatalogueEntry, filter: Filter, timeoutMs: number): Promise<IndexedMatches> {
    this.mustServe('vector', entry);
    const answer = await this.#call('vector', entry.row.uid, { kind: 'match', filter, labels: null }, () => timeoutMs);
    const { seq, nextLabel } = answer;
    return isNarrow(answer)
      ? { labels: answer.narrow, exact: false, seq, nextLabel }
      : { labels: answer.labels, exact: true, seq, nextLabel };
  }

  #shown(engine: EngineKind, entry: CatalogueEntry, seq: number): number {
    const durable = this.#options.durableSeq();
    return Math.min(durable, Math.max(seq, shownSeq(entry[engine] ?? entry.vector, entry, durable)));
  }

  /** An index that is being built is waited for; one that was lost is not.
   *  @throws SearchUnavailable */
  async #served(engine: EngineKind, entry: CatalogueEntry, leftMs: () => number): Promise<void> {
    const state = entry[engine];
    if (state === null || state.serving) return;
    this.#options.keeper.pool(engine).mustBeLoaded(entry.row.uid);
    // Whatever it reports once it serves is a seq from 1 on.
    if (!(await state.indexed.reach(1, leftMs()))) throw notServing(engine);
  }

  async #call<K extends IndexAskKind>(
    engine: EngineKind,
    uid: number,
    ask: AskOf<K>,
    leftMs: () => number,
    cancellation?: Cancellation,
  ): Promise<IndexAnswers[K]> {
    const timeoutMs = Math.max(1, Math.ceil(leftMs()));
    const startMs = performance.now();
    const call = (): Promise<IndexAnswers[K]> => this.#options.keeper.pool(engine).ask(uid, ask, timeoutMs, cancellation);
    try {
      const answer = await this.breakers[engine].run(call, this.#isFair(timeoutMs));
      this.#latencyMs[engine] = performance.now() - startMs;
      this.#options.onAnswer(engine);
      return answer;
    } catch (error) {
      // A change of its settings took this index away, not the collection.
      const isGone = error instanceof SkeinError && error.type === 'CollectionNotFound' && this.#options.isThere(uid);
      throw isGone ? notServing(engine, 'it was taken away while the search ran') : error;
    }
  }
}

function notServing(engine: EngineKind, message = 'it is being built'): SkeinError {
  return new SkeinError('SearchUnavailable', `The ${engine} index cannot answer`, {
    failed: [{ engine, message }],
  });
}

function isNarrow<Answer>(answer: Answer | Narrow): answer is Narrow {
  return typeof answer === 'object' && answer !== null && 'narrow' in answer;
}

const ENGINE_FAILURES: ReadonlySet<string> = new Set(['Timeout', 'Internal', 'SearchUnavailable', 'CircuitOpen', 'IndexBehind']);

/** Is it the engine that could not answer, so that another way may? */
export function isEngineFailure(error: unknown): boolean {
  return !(error instanceof SkeinError) || ENGINE_FAILURES.has(error.type);
}

/** @throws Timeout when it takes longer; what `work` does then is nobody's business any more */
export async function within<T>(work: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SkeinError('Timeout', message, { timeout_ms: timeoutMs })), Math.max(1, timeoutMs));
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
