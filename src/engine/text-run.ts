/** A text search in its worker: which documents may be answered, then the ranking. Must not know: rows, threads. */

import { allowedLabels } from './filter-run.js';
import type { IndexAnswers, TextAsk } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import { Stopwatch } from './stopwatch.js';
import type { TextContent } from './text-content.js';

export class TextRun {
  readonly #content: TextContent;
  readonly #ask: TextAsk;
  readonly #around: RunSurroundings;

  constructor(content: TextContent, ask: TextAsk, around: RunSurroundings) {
    this.#content = content;
    this.#ask = ask;
    this.#around = around;
  }

  /** Cost: one turn; the postings of the query's words. */
  advance(): IndexAnswers['text'] {
    const watch = new Stopwatch();
    const allowed = allowedLabels(this.#content, this.#ask, this.#around);
    if ('narrow' in allowed) return allowed;
    if (allowed.labels !== null) watch.step('filter');
    const { index } = this.#content;
    const hits = index.search(this.#ask.query, this.#ask.wanted, allowed.labels ?? undefined);
    watch.step('text');
    const { labels, scores, matched, visited, rejected, terms } = hits;
    const live = index.status().documents;
    const estimated = allowed.estimated ?? live;
    return {
      labels,
      scores,
      matches: matched,
      estimated,
      visited,
      rejected,
      terms,
      live,
      seq: this.#around.seq,
      steps: watch.steps,
      unindexed: allowed.unindexed,
    };
  }
}
