/** Questions to the indexes of a collection as a search asks them: each engine behind its own breaker, in a bounded time, and asked again
 *  with labels when it could not answer a filter alone.
 *
 *  What is the fault of the request or of the moment (a dropped collection, a full queue, a stop) is no failure of the engine.
 *  Must not know: plans, hits, HTTP. */

import { SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import { type BreakerState, CircuitBreaker } from '../resilience/circuit-breaker.js';
import { type CatalogueEntry, shownSeq } from './catalogue.js';
import type { AskOf, IndexAnswers, IndexAsk, IndexAskKind, Narrow, Step, Unindexed } from './index-asks.js';
import type { IndexKeeper } from './index-keeper.js';
import type { EngineKind } from './index-messages.js';
import type { Reader } from './reader.js';
import type { RowFilter } from './reads.js';

export interface EngineCallOptions {
  readonly keeper: IndexKeeper;
  readonly reader: Reader;
  /** Failures in a row that open an engine's breaker, and how long it stays open. */
  readonly breakerFailuresMax: number;
  readonly breakerResetMs: number;
  readonly durableSeq: () => number;
  onBreaker(engine: EngineKind, state: BreakerState): void;
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

type Searching = 'vector' | 'text' | 'match' | 'facet';
type Whole<K extends Searching> = Exclude<IndexAnswers[K], Narrow>;

const FAILURES: ReadonlySet<string> = new Set(['Timeout', 'Internal', 'SearchUnavailable', 'CorruptData']);

export class EngineCalls {
  readonly #options: EngineCallOptions;
  readonly breakers: Readonly<Record<EngineKind, CircuitBreaker>>;

  constructor(options: EngineCallOptions) {
    this.#options = options;
    const breaker = (engine: EngineKind): CircuitBreaker =>
      new CircuitBreaker({
        name: `${engine} index`,
        failuresMax: options.breakerFailuresMax,
        resetMs: options.breakerResetMs,
        isFailure: (error) => !(error instanceof SkeinError) || FAILURES.has(error.type),
        onState: (state) => options.onBreaker(engine, state),
      });
    this.breakers = { vector: breaker('vector'), text: breaker('text') };
  }

  /** @param leftMs how long the answer is of use
   *  @throws CircuitOpen, SearchUnavailable, Timeout, CollectionNotFound, Overloaded, ShuttingDown, CorruptData */
  async ask<K extends Searching>(
    engine: EngineKind,
    entry: CatalogueEntry,
    ask: AskOf<K>,
    leftMs: () => number,
  ): Promise<Found<Whole<K>>> {
    const { uid, spec } = entry.row;
    // Of one kind with the question, which the compiler cannot follow through the union of all questions.
    const first = (await this.#call(engine, uid, ask as IndexAsk, leftMs)) as Whole<K> | Narrow;
    if (!isNarrow(first)) return { answer: first, unindexed: [], steps: [], shownSeq: this.#shown(engine, entry, first.seq) };
    const { narrow, unindexed } = first;
    if (ask.filter === null) throw new Error('an index wants to narrow a search without a filter');
    const startMs = performance.now();
    const reading = this.#options.reader.read({ kind: 'narrow', uid, filter: ask.filter, spec, labels: narrow });
    const { labels } = await within(reading, leftMs(), 'Reading the rows that a filter may match took too long');
    const steps = [{ name: 'rows of the filter', tookMs: performance.now() - startMs }];
    const second = (await this.#call(engine, uid, { ...ask, labels } as IndexAsk, leftMs)) as Whole<K> | Narrow;
    if (isNarrow(second)) throw new Error('an index wants to narrow what was narrowed');
    return { answer: second, unindexed, steps, shownSeq: this.#shown(engine, entry, Math.min(first.seq, second.seq)) };
  }

  /** The labels that match, or may match, at the seq of the vector index.
   *  @throws as ask() */
  async matches(entry: CatalogueEntry, filter: Filter, timeoutMs: number): Promise<RowFilter['among']> {
    const answer = await this.#call('vector', entry.row.uid, { kind: 'match', filter, labels: null }, () => timeoutMs);
    if (!isNarrow(answer)) return { labels: answer.labels, exact: true, seq: answer.seq };
    return { labels: answer.narrow, exact: false, seq: answer.seq };
  }

  #shown(engine: EngineKind, entry: CatalogueEntry, seq: number): number {
    const durable = this.#options.durableSeq();
    return Math.min(durable, Math.max(seq, shownSeq(entry[engine] ?? entry.vector, entry, durable)));
  }

  #call<K extends IndexAskKind>(engine: EngineKind, uid: number, ask: AskOf<K>, leftMs: () => number): Promise<IndexAnswers[K]> {
    const timeoutMs = Math.max(1, Math.ceil(leftMs()));
    const call = (): Promise<IndexAnswers[K]> => this.#options.keeper.pool(engine).ask(uid, ask, timeoutMs);
    // While a breaker tries one call, others wait for it: they too have only so much time.
    return within(this.breakers[engine].run(call), timeoutMs, `The ${engine} index did not answer within ${timeoutMs} ms`);
  }
}

function isNarrow<Answer>(answer: Answer | Narrow): answer is Narrow {
  return typeof answer === 'object' && answer !== null && 'narrow' in answer;
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
