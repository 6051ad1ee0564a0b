/** Hits by groups, out of the labels that an index named: hits are met best first, and each goes into the group of each of its values.
 *
 *  The groups that are met first are the answer's, so they stand in the order of their best hits. Payloads are read one by one, as far as
 *  it takes. All rows are of one durable state. Must not know: how the labels were found, whether more should be, threads. */

import { type FacetScalar, isKey, scalarBytes, scalarsAt } from '../model/facet.js';
import type { PointId } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { type GoneRows, type LabelledHit, type RankedLabels, scoreRows, sortHits, thresholdTest } from './hit-ranking.js';
import { bytesWithin, found, rowByLabel, type SelectedRow } from './row-reads.js';
import { payloadOf } from './stored-payload.js';

export interface GroupsPage {
  /** Dotted path of the field whose values are the groups. */
  readonly path: string;
  /** How many groups, and how many hits of each, at most. */
  readonly limit: number;
  readonly groupSize: number;
  /** Only texts and integers are groups. */
  readonly keysOnly: boolean;
  readonly scoreThreshold?: number;
  /** Points that are no hits. */
  readonly without: readonly PointId[];
}

export interface GroupsRequest extends RankedLabels {
  readonly kind: 'groups';
  readonly page: GroupsPage;
}

export interface LabelledGroup {
  readonly value: FacetScalar;
  readonly hits: LabelledHit[];
}

export interface GroupsAnswer extends GoneRows {
  readonly groups: LabelledGroup[];
  /** A hit did not pass the threshold, so nothing that is worse does. */
  readonly cut: boolean;
  readonly bytes: number;
}

interface RankedRow {
  readonly id: PointId;
  readonly score: number;
  readonly label: number;
}

/** @throws CorruptData, PayloadTooLarge */
export function readGroups(reads: StoreReads, request: GroupsRequest): GroupsAnswer {
  return reads.snapshot(() => {
    const none = { withPayload: false, withVector: false };
    const scored = scoreRows(reads, request, none, ({ id, label }, score): RankedRow => ({ id, label, score }));
    const { groups, cut } = grouped(reads, request, sortHits(scored.hits, request.ranking));
    let bytes = request.bytesBefore;
    const whole = [...groups].map(([value, rows]): LabelledGroup => {
      bytes += scalarBytes(value);
      const hits = rows.map((row) => {
        const hit = { ...wholeOf(reads, request, row), score: row.score, label: row.label };
        bytes = bytesWithin(request.bytesMax, bytes, hit);
        return hit;
      });
      return { value, hits };
    });
    return { groups: whole, cut, lost: scored.lost, stale: scored.stale, bytes: bytes - request.bytesBefore };
  });
}

/** @param ranked best first */
function grouped(
  reads: StoreReads,
  { uid, ranking, page }: GroupsRequest,
  ranked: readonly RankedRow[],
): { readonly groups: ReadonlyMap<FacetScalar, readonly RankedRow[]>; readonly cut: boolean } {
  const { path, limit, groupSize, keysOnly, scoreThreshold, without } = page;
  const passes = thresholdTest(ranking, scoreThreshold);
  const left = new Set(without);
  const steps = path.split('.');
  const groups = new Map<FacetScalar, RankedRow[]>();
  let open = limit;
  for (const row of ranked) {
    if (left.has(row.id)) continue;
    if (!passes(row)) return { groups, cut: true };
    // Of the same snapshot, so the row is there.
    const { payload } = reads.pointByLabel(uid, row.label) as { payload: Uint8Array };
    for (const value of scalarsAt(payloadOf({ payload }), steps)) {
      if (keysOnly && !isKey(value)) continue;
      const rows = groups.get(value) ?? [];
      if (rows.length === groupSize || (rows.length === 0 && groups.size === limit)) continue;
      groups.set(value, rows);
      if (rows.push(row) === groupSize) open -= 1;
    }
    if (open === 0) break;
  }
  return { groups, cut: false };
}

function wholeOf(reads: StoreReads, { uid, selection }: GroupsRequest, { label }: RankedRow) {
  return found(reads, rowByLabel(reads, uid, label, selection) as SelectedRow, selection);
}
