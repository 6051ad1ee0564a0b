/** What the stages of one query have in common while they are answered. */

import type { CollectionInfo, Engine, SearchHit } from '../../../engine/engine.js';
import type { AnswerBudget } from '../../../model/answer-budget.js';
import type { Cancellation } from '../../../model/cancellation.js';
import type { PointId, QueryVector } from '../../../model/point.js';
import type { Position } from '../../../model/position.js';
import type { Span } from '../../../model/tracer.js';
import type { VectorInput } from './stages.js';

export interface QueryContext {
  readonly engine: Engine;
  readonly collection: CollectionInfo;
  /** Of all points that the request holds, whatever they are read for. */
  readonly budget: AnswerBudget;
  readonly timeoutMs: number | null;
  readonly cancellation: Cancellation | undefined;
  readonly span: Span | undefined;
  readonly notBeforeSeq: number;
  /** Of a draw. */
  readonly seed: () => number;
  /** Of the answers that the query is made of; the oldest is the query's. */
  readonly positions: Position[];
}

/** A hit of the dialect. */
export interface DialectHit extends SearchHit {
  /** Of a point in the order of a field. */
  readonly orderValue?: number;
}

/** The vectors that the inputs of one stage stand for. */
export interface StageVectors {
  of(input: VectorInput): QueryVector;
  /** Points of this collection that stand for their vectors: they are no hits. */
  readonly ids: readonly PointId[];
}
