/** Reading points: one executor for every read that touches rows, used on the main thread for small requests and in the scan
 *  thread for large ones. Requests and answers are plain data, so they cross the border as they are.
 *
 *  Every answer belongs to one durable state, except scans longer than a page, which are paged by key: a point that lives unchanged from
 *  start to end is seen exactly once. Must not know: threads, names of collections, HTTP. */

import { decodeDenseVector } from '../codec/vector-set.js';
import { pointBytes } from '../model/answer-budget.js';
import { type CollectionSpec, collectionDropped } from '../model/collection.js';
import type { Damage } from '../model/damage.js';
import type { Distance } from '../model/distance.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelFilterOf, passesFilter } from '../model/label-filter.js';
import { comparePointIds, DEFAULT_VECTOR, type PointId } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { exactTopK } from '../vector-index/exact-scan.js';
import {
  type LookRequest,
  lookAgain,
  type RecountPage,
  type RecountRequest,
  recountPage,
  type ScrubPage,
  type ScrubRequest,
  scrubPage,
} from './care-reads.js';
import {
  type ChangesAnswer,
  type ChangesRequest,
  type ChangesScanAnswer,
  type ChangesScanRequest,
  readChanges,
  scanChanges,
} from './change-reads.js';
import { type CompareAnswers, type CompareKind, type CompareRequest, runCompare } from './compare.js';
import { type DigestRequest, readDigest } from './digest-reads.js';
import type { FoundPoint } from './engine.js';
import { type FacetReadAnswer, type FacetReadRequest, readFacet } from './facet-reads.js';
import { narrowLabels, rowTest } from './filter-rows.js';
import type { UnitBounds } from './filtered-units.js';
import { type GroupsAnswer, type GroupsRequest, readGroups } from './group-reads.js';
import { type HitsAnswer, type HitsRequest, readHits } from './hit-reads.js';
import { matching, type RowFilter, rowsAfter } from './matching-rows.js';
import type { DigestProbe } from './probe-answers.js';
import {
  type LoggedAnswer,
  type LoggedRequest,
  type OthersPage,
  type OthersRequest,
  readLogged,
  sumOthers,
} from './proof-reads.js';
import { type RankAnswer, type RankRequest, readRank } from './rank-reads.js';
import { bytesWithin, found, type RowSelection, rowById, type SelectedRow } from './row-reads.js';

const SCAN_PAGE_ROWS = 1_000;
const EXACT_PAGE_ROWS = 2_048;
const PAGE_BYTES = 8 * 1024 * 1024;

export type ReadRequest =
  | {
      readonly kind: 'get';
      readonly uid: number;
      readonly ids: readonly PointId[];
      readonly selection: RowSelection;
      readonly bytesMax: number;
    }
  | {
      readonly kind: 'scroll';
      readonly uid: number;
      readonly filter: RowFilter | null;
      readonly after: PointId | null;
      readonly limit: number;
      readonly bytesMax: number;
      readonly selection: RowSelection;
    }
  | { readonly kind: 'count'; readonly uid: number; readonly filter: RowFilter }
  | ({
      readonly kind: 'match';
      readonly uid: number;
      readonly filter: RowFilter;
      readonly after: PointId | null;
      /** The last point to look at; null: the last one there is. */
      readonly through: PointId | null;
    } & UnitBounds)
  /** Which of these labels pass, dead rows too. */
  | {
      readonly kind: 'narrow';
      readonly uid: number;
      readonly filter: Filter;
      readonly spec: CollectionSpec;
      readonly labels: LabelFilter;
    }
  | HitsRequest
  | GroupsRequest
  | FacetReadRequest
  | RankRequest
  | ScrubRequest
  | LookRequest
  | RecountRequest
  | LoggedRequest
  | OthersRequest
  | ChangesRequest
  | ChangesScanRequest
  | { readonly kind: 'log_bytes'; readonly afterSeq: number }
  | { readonly kind: 'compare'; readonly request: CompareRequest }
  | DigestRequest
  | {
      readonly kind: 'exact';
      readonly uid: number;
      /** Under which the vectors are stored; left out: the default ones. */
      readonly key?: string;
      readonly distance: Distance;
      readonly query: Float32Array;
      readonly limit: number;
      /** Null: all. */
      readonly among: LabelFilter | null;
    };

/** seq: the durable state the answer belongs to (its first page, for scans). */
export interface ReadAnswers {
  get: { readonly points: FoundPoint[]; readonly missing: PointId[]; readonly seq: number };
  scroll: { readonly points: FoundPoint[]; readonly next: PointId | null; readonly seq: number };
  count: { readonly count: number; readonly seq: number };
  match: { readonly ids: PointId[]; readonly more: boolean; readonly through: PointId | null; readonly seq: number };
  narrow: { readonly labels: LabelFilter };
  hits: HitsAnswer;
  groups: GroupsAnswer;
  facet: FacetReadAnswer;
  rank: RankAnswer;
  scrub: ScrubPage;
  look: { readonly damage: Damage | null };
  recount: RecountPage;
  logged: LoggedAnswer;
  others: OthersPage;
  changes: ChangesAnswer;
  changes_scan: ChangesScanAnswer;
  log_bytes: { readonly bytes: number };
  compare: CompareAnswers[CompareKind];
  digest: DigestProbe;
  exact: { readonly labels: Uint32Array; readonly scores: Float64Array; readonly visited: number; readonly seq: number };
}

export type ReadKind = ReadRequest['kind'];
export type RequestOf<K extends ReadKind> = ReadRequest & { kind: K };

/** What of these was read after the drop of its collection is less than there was. */
const WHOLE: ReadonlySet<ReadKind> = new Set<ReadKind>(['get', 'scroll', 'count', 'match', 'facet', 'rank']);

/** Runs one read.
 *  @throws CorruptData · CollectionNotFound (dropped since it was asked for) · PayloadTooLarge (the answer, not for scrolls, whose page is
 *  then shorter) */
export function runRead<K extends ReadKind>(reads: StoreReads, request: RequestOf<K>): ReadAnswers[K] {
  // The table ties every kind to its own answer; the compiler cannot follow that through the index.
  const run = READERS[request.kind] as (reads: StoreReads, request: RequestOf<K>) => ReadAnswers[K];
  const answer = run(reads, request);
  if (!WHOLE.has(request.kind) || !('uid' in request)) return answer;
  // Every id that was asked for was there, so nothing is less; the reading of a point is not the place for one of its collection.
  if ('missing' in answer && answer.missing.length === 0) return answer;
  if (reads.collection(request.uid)?.droppedSeq !== null) throw collectionDropped();
  return answer;
}

const READERS: { readonly [K in ReadKind]: (reads: StoreReads, request: RequestOf<K>) => ReadAnswers[K] } = {
  get: readByIds,
  scroll: readPage,
  count: countMatches,
  match: matchIds,
  narrow: (reads, { uid, filter, spec, labels }) => ({
    labels: labelFilterOf(narrowLabels(reads, uid, labels, rowTest(spec, filter))),
  }),
  hits: readHits,
  groups: readGroups,
  facet: readFacet,
  rank: readRank,
  exact: scanExactly,
  scrub: scrubPage,
  look: (reads, request) => ({ damage: lookAgain(reads, request) }),
  recount: recountPage,
  logged: readLogged,
  others: sumOthers,
  changes: readChanges,
  changes_scan: scanChanges,
  log_bytes: (reads, { afterSeq }) => ({ bytes: reads.logBytesAfter(afterSeq) }),
  compare: (reads, { request }) => runCompare(reads, request),
  digest: readDigest,
};

function readByIds(reads: StoreReads, { uid, ids, selection, bytesMax }: RequestOf<'get'>): ReadAnswers['get'] {
  return reads.snapshot(() => {
    const points: FoundPoint[] = [];
    const missing: PointId[] = [];
    let bytes = 0;
    for (const id of ids) {
      const row = rowById(reads, uid, id, selection);
      if (row === undefined) {
        missing.push(id);
        continue;
      }
      const point = found(reads, row, selection);
      bytes = bytesWithin(bytesMax, bytes, point);
      points.push(point);
    }
    return { points, missing, seq: reads.state().seq };
  });
}

function readPage(reads: StoreReads, request: RequestOf<'scroll'>): ReadAnswers['scroll'] {
  const { uid, filter, after, limit, selection } = request;
  if (filter !== null) return fillPage(reads, request, matching(reads, uid, filter, after, limit));
  const pageRows = Math.min(limit + 1, SCAN_PAGE_ROWS);
  const rows = rowsAfter<SelectedRow>(after, (from) =>
    selection.withPayload ? reads.pointsAfter(uid, from, pageRows, PAGE_BYTES) : reads.headsAfter(uid, from, pageRows),
  );
  return reads.snapshot(() => fillPage(reads, request, rows));
}

function fillPage(
  reads: StoreReads,
  { limit, bytesMax, selection }: RequestOf<'scroll'>,
  rows: Iterable<SelectedRow>,
): ReadAnswers['scroll'] {
  const points: FoundPoint[] = [];
  const { seq } = reads.state();
  let bytes = 0;
  for (const row of rows) {
    const last = points.at(-1);
    if (last !== undefined && (points.length === limit || bytes >= bytesMax)) return { points, next: last.id, seq };
    const point = found(reads, row, selection);
    bytes += pointBytes(point);
    points.push(point);
  }
  return { points, next: null, seq };
}

function countMatches(reads: StoreReads, { uid, filter }: RequestOf<'count'>): ReadAnswers['count'] {
  const { seq } = reads.state();
  let count = 0;
  for (const _ of matching(reads, uid, filter, null)) count += 1;
  return { count, seq };
}

/** One unit of what matches. Cost: a row and its payload for each, and its vectors where they count. */
function matchIds(reads: StoreReads, request: RequestOf<'match'>): ReadAnswers['match'] {
  const { uid, filter, after, limit, bytesMax, bytesEach, countsVectors } = request;
  const { seq } = reads.state();
  const through = request.through ?? reads.lastHead(uid)?.id ?? null;
  const ids: PointId[] = [];
  let bytes = 0;
  for (const { id, label, payload } of matching(reads, uid, filter, after)) {
    if (through === null || comparePointIds(id, through) > 0) break;
    if (ids.length === limit) return { ids, more: true, through, seq };
    bytes += bytesEach + payload.length + (countsVectors ? (reads.vectorSet(uid, label)?.length ?? 0) : 0);
    if (ids.length > 0 && bytes > bytesMax) return { ids, more: true, through, seq };
    ids.push(id);
  }
  return { ids, more: false, through, seq };
}

/** The exact neighbours at one seq, or among the labels that an index named: every vector row is read once, in label order, a page per read
 *  transaction.
 *  The caller keeps dead rows from being reaped meanwhile, so a point replaced during the scan is seen once, as it was. */
function scanExactly(reads: StoreReads, request: RequestOf<'exact'>): ReadAnswers['exact'] {
  const { uid, key = DEFAULT_VECTOR, distance, query, limit, among } = request;
  const { seq } = reads.state();
  const best = exactTopK(distance, query, limit);
  let visited = 0;
  for (let from = 0; ; ) {
    const rows = reads.labelsFrom(uid, from, EXACT_PAGE_ROWS, PAGE_BYTES);
    for (const row of rows) {
      if (among === null ? row.labelSeq > seq || (row.deadSeq !== null && row.deadSeq <= seq) : !passesFilter(among, row.label))
        continue;
      const vector = decodeDenseVector(row.vectorSet, key);
      if (vector === null) continue;
      visited += 1;
      best.offer(row.label, vector);
    }
    const last = rows.at(-1);
    if (last === undefined || last.labelSeq > seq) break;
    from = last.label + 1;
  }
  return { ...best.finish(), visited, seq };
}
