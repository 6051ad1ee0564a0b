/** A vector search in its worker: which points may be answered, the plan, the walk or the scan, and the scan after a walk that fell short.
 *
 *    filter ─► plan ─► graph ─ enough ─► answer
 *                 └──► scan ◄─ given up, not reached, or too few ──┘         (a scan goes on in slices)
 *
 *  No silent under-fill: whatever way it went, there are min(wanted, points that may be answered) hits. Must not know: rows, threads. */

import type { LabelFilter } from '../model/label-filter.js';
import { planSearch, type SearchPlan } from '../search/plan.js';
import type { IndexHits, IndexScan, VectorIndex } from '../vector-index/vector-index.js';
import { type Allowed, allowedLabels } from './filter-run.js';
import type { DenseAsk, IndexAnswers } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import { Stopwatch } from './stopwatch.js';
import type { VectorContent } from './vector-content.js';

export class VectorRun {
  readonly #content: VectorContent;
  readonly #index: VectorIndex;
  readonly #ask: DenseAsk;
  readonly #around: RunSurroundings;
  readonly #watch = new Stopwatch();
  #allowed: Allowed | null = null;
  #reason = '';
  #scan: IndexScan | null = null;
  #scanMs = 0;
  /** What a walk did before the scan took over. */
  #visited = 0;
  #rejected = 0;

  constructor(content: VectorContent, index: VectorIndex, ask: DenseAsk, around: RunSurroundings) {
    this.#content = content;
    this.#index = index;
    this.#ask = ask;
    this.#around = around;
  }

  advance(budgetMs: number): IndexAnswers['vector'] | null {
    if (this.#scan !== null) return this.#scanOn(this.#scan, budgetMs);
    const allowed = allowedLabels(this.#content, this.#ask, this.#around);
    if ('narrow' in allowed) return allowed;
    if (this.#ask.filter !== null) this.#watch.step('filter');
    this.#allowed = allowed;
    const plan = this.#plan(allowed.labels);
    this.#reason = plan.reason;
    this.#watch.step('plan');
    if (plan.kind !== 'scan') {
      const found = this.#walk(plan, allowed.labels);
      if (found !== null) return found;
    }
    const startMs = performance.now();
    this.#scan = this.#index.scan(this.#ask.query, this.#ask.wanted, allowed.labels, { candidates: this.#ask.wanted });
    // Rows without a place in the graph are compared at once.
    this.#scanMs = performance.now() - startMs;
    return this.#scanOn(this.#scan, budgetMs);
  }

  #plan(labels: LabelFilter | null): SearchPlan {
    const { kind, live } = this.#index.status();
    const { exact, wanted, ef } = this.#ask;
    if (exact && kind === 'graph') return { kind: 'scan', reason: 'exact was asked for', visitsMax: 0 };
    const matches = labels?.size ?? null;
    return planSearch({ points: live, matches, hasGraph: kind === 'graph', wanted, ef, costs: this.#around.costs });
  }

  /** @returns null when the scan must take over */
  #walk(plan: SearchPlan, filter: LabelFilter | null): IndexAnswers['vector'] | null {
    const { query, wanted, ef } = this.#ask;
    const bound = Number.isFinite(plan.visitsMax) ? { visitsMax: plan.visitsMax } : {};
    const startMs = performance.now();
    const hits = this.#index.search(query, wanted, ef, { filter, ...bound });
    const tookMs = performance.now() - startMs;
    this.#watch.step(plan.kind === 'flat' ? 'rows' : 'graph');
    if (plan.kind === 'graph' && hits.visited > 0) {
      const { tombstones, growing, waiting } = this.#index.status();
      const plain = filter === null && tombstones + growing + waiting === 0;
      this.#around.learn({ kind: 'graph', count: hits.visited, tookNs: tookMs * 1e6, ef: plain ? Math.max(ef, wanted) : null });
    }
    // Rows are compared one by one, so that those that pass are counted; a filter may let points pass that have no such vector.
    const matches = plan.kind === 'flat' ? hits.scanned : this.#matches(filter);
    if (hits.reached && !hits.stopped && hits.labels.length >= Math.min(wanted, matches))
      return this.#answer(plan.kind, hits, matches);
    this.#visited = hits.visited;
    this.#rejected = hits.rejected;
    const shortfall = hits.stopped ? 'the matches lie far from the query' : 'the graph gave fewer points than there are';
    this.#reason = `${plan.reason}; ${shortfall}, so all that match were scanned`;
    return null;
  }

  #scanOn(scan: IndexScan, budgetMs: number): IndexAnswers['vector'] | null {
    const startMs = performance.now();
    const done = scan.advance(budgetMs);
    this.#scanMs += performance.now() - startMs;
    if (!done) return null;
    const hits = scan.hits();
    this.#watch.step('scan');
    this.#around.learn({ kind: 'scan', count: hits.scanned, tookNs: this.#scanMs * 1e6, ef: null });
    return this.#answer('scan', hits, hits.scanned);
  }

  #matches(filter: LabelFilter | null): number {
    return filter?.size ?? this.#index.status().live;
  }

  /** @param matches live points that may be answered */
  #answer(plan: 'flat' | 'graph' | 'scan', hits: IndexHits, matches: number): IndexAnswers['vector'] {
    return {
      labels: hits.labels,
      scores: hits.scores,
      exact: hits.exact,
      plan,
      reason: this.#reason,
      estimated: Math.round(this.#allowed?.estimated ?? matches),
      matches,
      visited: this.#visited + hits.visited + hits.scanned,
      rejected: this.#rejected + hits.rejected,
      live: this.#index.status().live,
      seq: this.#around.seq,
      steps: this.#watch.steps,
      unindexed: this.#allowed?.unindexed ?? [],
    };
  }
}
