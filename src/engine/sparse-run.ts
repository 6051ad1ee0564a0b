/** A search of sparse vectors in its worker: which points may be answered, then list by list, in slices. Exact, whatever was asked for.
 *  Only a few of a worker add up at once; the others wait for their turn, as long as somebody waits for them.
 *  Must not know: rows, threads. */

import type { SparseVector } from '../model/point.js';
import type { SparseIndex } from '../vector-index/open-index.js';
import { type Allowed, allowedLabels } from './filter-run.js';
import type { IndexAnswers, VectorAsk } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import { Stopwatch } from './stopwatch.js';
import type { VectorContent } from './vector-content.js';

type SparseAsk = VectorAsk & { readonly query: SparseVector };

export class SparseRun {
  readonly #content: VectorContent;
  readonly #index: SparseIndex;
  readonly #ask: SparseAsk;
  readonly #around: RunSurroundings;
  readonly #watch = new Stopwatch();
  #begun: { readonly allowed: Allowed; readonly scan: ReturnType<SparseIndex['scan']> } | null = null;

  constructor(content: VectorContent, index: SparseIndex, ask: SparseAsk, around: RunSurroundings) {
    this.#content = content;
    this.#index = index;
    this.#ask = ask;
    this.#around = around;
  }

  advance(budgetMs: number): IndexAnswers['vector'] | null {
    if (this.#begun === null) {
      const allowed = allowedLabels(this.#content, this.#ask, this.#around);
      if ('narrow' in allowed) return allowed;
      if (this.#ask.filter !== null) this.#watch.step('filter');
      const { query, wanted, modifier = null } = this.#ask;
      this.#begun = { allowed, scan: this.#index.scan(query, wanted, allowed.labels, modifier) };
    }
    const { allowed, scan } = this.#begun;
    if (!scan.advance(budgetMs)) return null;
    const { labels, scores, matches, visited, rejected } = scan.hits();
    this.#watch.step('scan');
    return {
      labels,
      scores,
      exact: true,
      plan: 'scan',
      reason: 'sparse vectors are compared by the lists of their indices',
      estimated: Math.round(allowed.estimated ?? this.#index.status().live),
      matches,
      visited,
      rejected,
      live: this.#index.status().live,
      seq: this.#around.seq,
      steps: this.#watch.steps,
      unindexed: allowed.unindexed,
    };
  }

  end(): void {
    this.#begun?.scan.end();
  }
}
