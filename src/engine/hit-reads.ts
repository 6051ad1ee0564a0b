/** Hits out of labels: rows of what an index named, scored, ordered, cut to the page that is asked for.
 *
 *  All rows are of one durable state. What was removed meanwhile is counted, never passed over in silence.
 *  Must not know: how the labels were found, threads. */

import { pointBytes } from '../model/answer-budget.js';
import type { CollectionSpec } from '../model/collection.js';
import { compareScores, type Distance, passesThreshold, scorer } from '../model/distance.js';
import type { Filter } from '../model/filter.js';
import { comparePointIds, type PointId } from '../model/point.js';
import type { PointTest } from '../search/evaluate-filter.js';
import type { PointHead, StoreReads } from '../storage/storage.js';
import type { SearchHit, Selection } from './engine.js';
import { rowTest } from './filter-rows.js';
import { bytesWithin, found, rowByLabel, type SelectedRow, vectorOf } from './row-reads.js';
import { payloadOf } from './stored-payload.js';

/** How hits are ordered. */
export type Ranking =
  /** By the exact score of their vectors; given ones were computed already. */
  | { readonly by: 'distance'; readonly distance: Distance; readonly query: Float32Array; readonly scores: Float64Array | null }
  /** By scores of another kind, higher is better. */
  | { readonly by: 'score'; readonly scores: Float64Array };

/** Which of the hits are answered. */
export interface HitsPage {
  readonly offset: number;
  readonly limit: number;
  readonly scoreThreshold?: number;
  /** A point that is no hit. */
  readonly without?: PointId;
}

export interface LabelledHit extends SearchHit {
  readonly label: number;
}

export interface HitsRequest {
  readonly kind: 'hits';
  readonly uid: number;
  readonly labels: Uint32Array;
  readonly ranking: Ranking;
  /** Rows that were written after this seq are asked again whether they pass. */
  readonly recheck: { readonly filter: Filter; readonly spec: CollectionSpec; readonly afterSeq: number } | null;
  readonly selection: Selection;
  readonly page: HitsPage;
  /** The bound of the whole answer, and what other searches have put into it. */
  readonly bytesMax: number;
  readonly bytesBefore: number;
}

/** Of the state of the index that named the labels; of these `rows` still had their row, `lost` had none, `stale` pass no more. */
export interface HitsAnswer {
  readonly hits: LabelledHit[];
  readonly rows: number;
  readonly lost: number;
  readonly stale: number;
  readonly bytes: number;
}

/** Turns labels into hits, best first, ties by id. A superseded label still answers with its own row; of two labels of one point, which two
 *  indexes at different seqs may name, the better stays.
 *  Only the hits of the page count for the bound: what does not fit while all are ranked is dropped, and read again if it is on the page. */
export function readHits(reads: StoreReads, request: HitsRequest): HitsAnswer {
  const { uid, ranking, labels, selection, bytesMax, bytesBefore } = request;
  return reads.snapshot(() => {
    const scoreOf = scoring(reads, ranking);
    const passes = recheckOf(reads, request);
    const ranked: LabelledHit[] = [];
    const dropped = new Set<LabelledHit>();
    let lost = 0;
    let stale = 0;
    let bytes = bytesBefore;
    for (const [place, label] of labels.entries()) {
      const row = rowByLabel(reads, uid, label, selection);
      if (row === undefined) {
        lost += 1;
        continue;
      }
      if (!passes(row)) {
        stale += 1;
        continue;
      }
      const { score, vector } = scoreOf(row, place, selection.withVector);
      const { id, version, payload = null } = row;
      const hit = { id, version, payload, vector: selection.withVector ? vector : null, score, label };
      bytes += pointBytes(hit);
      if (bytes > bytesMax) {
        hit.payload = null;
        hit.vector = null;
        dropped.add(hit);
      }
      ranked.push(hit);
    }
    const rows = sortHits(ranked, ranking);
    const hits: LabelledHit[] = [];
    bytes = bytesBefore;
    for (const hit of onPage(rows, request)) {
      // Of the same snapshot, so the row is there.
      const whole = dropped.has(hit)
        ? { ...hit, ...found(reads, rowByLabel(reads, uid, hit.label, selection) as SelectedRow, selection) }
        : hit;
      bytes = bytesWithin(bytesMax, bytes, whole);
      hits.push(whole);
    }
    return { hits, rows: rows.length, lost, stale, bytes: bytes - bytesBefore };
  });
}

type Scoring = (
  row: PointHead,
  place: number,
  withVector: boolean,
) => { readonly score: number; readonly vector: Float32Array | null };

function scoring(reads: StoreReads, ranking: Ranking): Scoring {
  const { scores } = ranking;
  if (ranking.by === 'distance' && scores === null) {
    const score = scorer(ranking.distance, ranking.query);
    return (row) => {
      const vector = vectorOf(reads, row);
      return { score: score(vector), vector };
    };
  }
  return (row, place, withVector) => ({ score: scores?.[place] as number, vector: withVector ? vectorOf(reads, row) : null });
}

/** Rows may have been written again after the index was asked: what they hold now must pass as well. */
function recheckOf(reads: StoreReads, { uid, recheck }: HitsRequest): (row: PointHead) => boolean {
  if (recheck === null) return () => true;
  let test: PointTest | null = null;
  return (row) => {
    if (row.version <= recheck.afterSeq) return true;
    test ??= rowTest(recheck.spec, recheck.filter);
    const whole = reads.pointByLabel(uid, row.label);
    return whole !== undefined && test(row.id, payloadOf(whole));
  };
}

function sortHits(hits: LabelledHit[], ranking: Ranking): LabelledHit[] {
  const distance = ranking.by === 'distance' ? ranking.distance : 'dot';
  hits.sort((a, b) => compareScores(distance, a.score, b.score) || comparePointIds(a.id, b.id));
  const seen = new Set<PointId>();
  return hits.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function onPage(ranked: readonly LabelledHit[], { ranking, page }: HitsRequest): readonly LabelledHit[] {
  const { offset, limit, scoreThreshold, without } = page;
  const distance = ranking.by === 'distance' ? ranking.distance : 'dot';
  let hits = without === undefined ? ranked : ranked.filter((hit) => hit.id !== without);
  if (scoreThreshold !== undefined) hits = hits.filter((hit) => passesThreshold(distance, hit.score, scoreThreshold));
  return hits.slice(offset, offset + limit);
}
