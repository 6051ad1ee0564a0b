/** Labels to scored rows in their order: what every answer with hits is made of.
 *
 *  A superseded label still counts with its own row; of two labels of one point, which two indexes at different seqs may name, the better
 *  stays. What was removed meanwhile is counted, never passed over in silence.
 *  Must not know: how the labels were found, which hits are answered, threads. */

import { decodeDenseVector } from '../codec/vector-set.js';
import type { CollectionSpec } from '../model/collection.js';
import { compareScores, type Distance, passesThreshold, scorer } from '../model/distance.js';
import type { Filter } from '../model/filter.js';
import { DEFAULT_VECTOR, type PointId } from '../model/point.js';
import type { PointHead, PointRow, StoreReads } from '../storage/storage.js';
import type { FoundPoint, SearchHit } from './engine.js';
import { onRows, rowTest } from './filter-rows.js';
import {
  type RowSelection,
  rowByLabel,
  type SelectedRow,
  selectedVectors,
  vectorSetOf,
  vectorsLost,
  vectorsOf,
} from './row-reads.js';

/** How hits are ordered. */
export type Ranking =
  /** By the exact score of their vectors under this key (left out: the default ones); given ones were computed already. */
  | {
      readonly by: 'distance';
      readonly key?: string;
      readonly distance: Distance;
      readonly query: Float32Array;
      readonly scores: Float64Array | null;
    }
  /** By scores of another kind, higher is better. */
  | { readonly by: 'score'; readonly scores: Float64Array };

/** Labels that an index named, and what becomes hits of them. */
export interface RankedLabels {
  readonly uid: number;
  readonly labels: Uint32Array;
  readonly ranking: Ranking;
  /** Rows that were written after this seq are asked again whether they pass. */
  readonly recheck: { readonly filter: Filter; readonly spec: CollectionSpec; readonly afterSeq: number } | null;
  readonly selection: RowSelection;
  /** The bound of the whole answer, and what other searches have put into it. */
  readonly bytesMax: number;
  readonly bytesBefore: number;
}

export interface LabelledHit extends SearchHit {
  readonly label: number;
}

/** Of the labels so many had no row any more, so many pass no more. */
export interface GoneRows {
  readonly lost: number;
  readonly stale: number;
}

/** Scores the rows of all labels, in the order of the labels. @param hitOf what is kept of a row */
export function scoreRows<Hit>(
  reads: StoreReads,
  request: RankedLabels,
  selection: RowSelection,
  hitOf: (row: SelectedRow, score: number, vectors: Pick<FoundPoint, 'vector' | 'vectors'>) => Hit,
): GoneRows & { readonly hits: Hit[] } {
  const scoreOf = scoring(reads, request.ranking);
  const passes = recheckOf(reads, request);
  const hits: Hit[] = [];
  let lost = 0;
  let stale = 0;
  const { labels } = request;
  for (let place = 0; place < labels.length; place++) {
    const row = rowByLabel(reads, request.uid, labels[place] as number, selection);
    if (row === undefined) lost += 1;
    else if (!passes(row)) stale += 1;
    else {
      const { score, vectorSet } = scoreOf(row, place);
      const vectors = vectorSet === null ? vectorsOf(reads, row, selection) : selectedVectors(vectorSet, selection);
      hits.push(hitOf(row, score, vectors));
    }
  }
  return { hits, lost, stale };
}

/** vectorSet: what had to be read for the score, else null. */
type Scoring = (row: PointHead, place: number) => { readonly score: number; readonly vectorSet: Uint8Array | null };

function scoring(reads: StoreReads, ranking: Ranking): Scoring {
  const { scores } = ranking;
  if (ranking.by === 'distance' && scores === null) {
    const { key = DEFAULT_VECTOR } = ranking;
    const score = scorer(ranking.distance, ranking.query);
    return (row) => {
      const vectorSet = vectorSetOf(reads, row);
      const vector = decodeDenseVector(vectorSet, key);
      if (vector === null) throw vectorsLost(row);
      return { score: score(vector), vectorSet };
    };
  }
  return (_row, place) => ({ score: scores?.[place] as number, vectorSet: null });
}

/** Rows may have been written again after the index was asked: what they hold now must pass as well. */
function recheckOf(reads: StoreReads, { uid, recheck }: RankedLabels): (row: PointHead) => boolean {
  if (recheck === null) return () => true;
  let test: ((row: PointRow) => boolean) | null = null;
  return (row) => {
    if (row.version <= recheck.afterSeq) return true;
    test ??= onRows(reads, rowTest(recheck.spec, recheck.filter));
    const whole = reads.pointByLabel(uid, row.label);
    return whole !== undefined && test(whole);
  };
}

/** Best first, each point once. Ties stand in the order in which the indexes cut them, by label, or pages would overlap. */
export function sortHits<Hit extends { readonly id: PointId; readonly label: number; readonly score: number }>(
  hits: Hit[],
  ranking: Ranking,
): Hit[] {
  const distance = directionOf(ranking);
  hits.sort((a, b) => compareScores(distance, a.score, b.score) || a.label - b.label);
  const seen = new Set<PointId>();
  return hits.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** Does the score of a hit pass the threshold? None: every one does. */
export function thresholdTest(ranking: Ranking, threshold: number | undefined): (hit: { readonly score: number }) => boolean {
  if (threshold === undefined) return () => true;
  const distance = directionOf(ranking);
  return ({ score }) => passesThreshold(distance, score, threshold);
}

/** Scores that are no distances are better when they are higher, like inner products. */
function directionOf(ranking: Ranking): Distance {
  return ranking.by === 'distance' ? ranking.distance : 'dot';
}
