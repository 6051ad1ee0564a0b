/** The page of hits that a search answers, out of the labels that an index named. All rows are of one durable state.
 *  Must not know: how the labels were found, threads. */

import { pointBytes } from '../model/answer-budget.js';
import type { PointId } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { type GoneRows, type LabelledHit, type RankedLabels, scoreRows, sortHits, thresholdTest } from './hit-ranking.js';
import { bytesWithin, found, rowByLabel, type SelectedRow } from './row-reads.js';

/** Which of the hits are answered. */
export interface HitsPage {
  readonly offset: number;
  readonly limit: number;
  readonly scoreThreshold?: number;
  /** Points that are no hits. */
  readonly without: readonly PointId[];
}

export interface HitsRequest extends RankedLabels {
  readonly kind: 'hits';
  readonly page: HitsPage;
}

/** Of the state of the index that named the labels; `rows` of them still had their row and pass. */
export interface HitsAnswer extends GoneRows {
  readonly hits: LabelledHit[];
  readonly rows: number;
  readonly bytes: number;
}

/** Only the hits of the page count for the bound: what does not fit while all are ranked is dropped, and read again if it is on the page. */
export function readHits(reads: StoreReads, request: HitsRequest): HitsAnswer {
  const { uid, ranking, selection, bytesMax, bytesBefore } = request;
  return reads.snapshot(() => {
    const dropped = new Set<LabelledHit>();
    let bytes = bytesBefore;
    const ranked = scoreRows(reads, request, selection, ({ id, version, label, payload = null }, score, vectors) => {
      const hit: { -readonly [Field in keyof LabelledHit]: LabelledHit[Field] } = {
        id,
        version,
        payload,
        ...vectors,
        score,
        label,
      };
      bytes += pointBytes(hit);
      if (bytes > bytesMax) {
        hit.payload = null;
        hit.vector = null;
        delete hit.vectors;
        dropped.add(hit);
      }
      return hit;
    });
    const rows = sortHits<LabelledHit>(ranked.hits, ranking);
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
    // Two labels of one point leave a gap as well.
    const stale = ranked.stale + ranked.hits.length - rows.length;
    return { hits, rows: rows.length, lost: ranked.lost, stale, bytes: bytes - bytesBefore };
  });
}

function onPage(ranked: readonly LabelledHit[], { ranking, page }: HitsRequest): readonly LabelledHit[] {
  const { offset, limit, scoreThreshold, without } = page;
  const left = new Set(without);
  const passes = thresholdTest(ranking, scoreThreshold);
  return ranked.filter((hit) => !left.has(hit.id) && passes(hit)).slice(offset, offset + limit);
}
