/** A question to an index on its way to its answer, in short slices: what a worker does between two messages.
 *  Must not know: messages, threads. */

import type { HealthLook } from '../vector-index/vector-index.js';
import { runFacet, runMatch } from './filter-run.js';
import type { IndexAnswers, IndexAsk, IndexAskKind } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { ServedContent } from './served-content.js';
import { TextContent } from './text-content.js';
import { TextRun } from './text-run.js';
import { VectorContent } from './vector-content.js';
import { VectorRun } from './vector-run.js';

export interface AskRun {
  /** Works for about budgetMs. @returns the answer, or null: there is more to do. The content must not change until then,
   *  but for a question of the background */
  advance(budgetMs: number): IndexAnswers[IndexAskKind] | null;
}

/** @throws Error when the content is of another kind than the question */
export function beginRun(content: ServedContent, ask: IndexAsk, around: RunSurroundings): AskRun {
  switch (ask.kind) {
    case 'vector':
      if (content instanceof VectorContent) return new VectorRun(content, ask, around);
      break;
    case 'text':
      if (content instanceof TextContent) return new TextRun(content, ask, around);
      break;
    case 'match':
      return { advance: () => runMatch(content, ask, around) };
    case 'facet':
      return { advance: () => runFacet(content, ask, around) };
    case 'health':
      if (content instanceof VectorContent) return runLook(content.index.lookAtHealth(ask.sampleMax));
  }
  throw new Error(`this index has no answer to a question of kind ${ask.kind}`);
}

function runLook(look: HealthLook): AskRun {
  return { advance: (budgetMs) => (look.advance(budgetMs) ? { health: look.health() } : null) };
}
