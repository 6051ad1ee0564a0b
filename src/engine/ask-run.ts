/** A question to an index on its way to its answer, in short slices: what a worker does between two messages.
 *  Must not know: messages, threads. */

import { SkeinError } from '../model/errors.js';
import { DEFAULT_VECTOR } from '../model/point.js';
import type { HealthLook, VectorIndex } from '../vector-index/vector-index.js';
import { runFacet, runMatch } from './filter-run.js';
import type { IndexAnswers, IndexAsk, IndexAskKind, MatchAsk, VectorAsk } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { ServedContent } from './served-content.js';
import { SparseRun } from './sparse-run.js';
import { TextContent } from './text-content.js';
import { TextRun } from './text-run.js';
import { VectorContent } from './vector-content.js';
import { JointHealthLook } from './vector-figures.js';
import { VectorRun } from './vector-run.js';

export interface AskRun {
  /** Works for about budgetMs. @returns the answer, or null: there is more to do. The content must not change until then,
   *  but for a question of the background */
  advance(budgetMs: number): IndexAnswers[IndexAskKind] | null;
  /** Gives back what it holds: once it is answered, or given up. */
  end?(): void;
}

/** @throws Error when the content is of another kind than the question */
export function beginRun(content: ServedContent, ask: IndexAsk, around: RunSurroundings): AskRun {
  switch (ask.kind) {
    case 'vector':
      if (content instanceof VectorContent) return vectorRun(content, ask, around);
      break;
    case 'text':
      if (content instanceof TextContent) return new TextRun(content, ask, around);
      break;
    case 'match':
      return { advance: () => runMatch(content, denseIndex(content, ask), ask, around) };
    case 'facet':
      return { advance: () => runFacet(content, ask, around) };
    case 'health':
      if (content instanceof VectorContent) return runLook(new JointHealthLook(content.indexes, ask.sampleMax));
  }
  throw new Error(`this index has no answer to a question of kind ${ask.kind}`);
}

/** @throws IndexBehind while an index is not there that was declared a moment ago */
function vectorRun(content: VectorContent, ask: VectorAsk, around: RunSurroundings): AskRun {
  const { key = DEFAULT_VECTOR, query } = ask;
  const { sparse: ofSparse, dense: ofDense } = content.indexes;
  const sparse = ofSparse.get(key);
  if (sparse !== undefined && !(query instanceof Float32Array))
    return whileThere(() => ofSparse.get(key) === sparse, new SparseRun(content, sparse, { ...ask, query }, around));
  const dense = ofDense.get(key);
  if (dense !== undefined && query instanceof Float32Array)
    return whileThere(() => ofDense.get(key) === dense, new VectorRun(content, dense, { ...ask, query }, around));
  throw notThere();
}

/** A name may be taken away while a question of it waits: its index has nothing to say any more. */
function whileThere(isThere: () => boolean, run: AskRun): AskRun {
  return {
    advance: (budgetMs) => {
      if (!isThere()) throw notThere();
      return run.advance(budgetMs);
    },
    end: () => run.end?.(),
  };
}

/** Null: the question is not about one. @throws IndexBehind as vectorRun */
function denseIndex(content: ServedContent, { key }: MatchAsk): VectorIndex | null {
  if (key === undefined) return null;
  const index = content instanceof VectorContent ? content.indexes.dense.get(key) : undefined;
  if (index === undefined) throw notThere();
  return index;
}

function notThere(): SkeinError {
  return new SkeinError('IndexBehind', 'The index of these vectors was declared or taken away a moment ago');
}

function runLook(look: HealthLook): AskRun {
  return { advance: (budgetMs) => (look.advance(budgetMs) ? { health: look.health() } : null) };
}
