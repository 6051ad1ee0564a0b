/** Reading points: one executor for every read that touches rows, used on the main thread for small requests and in the scan
 *  thread for large ones. Requests and answers are plain data, so they cross the border as they are.
 *
 *  Every answer belongs to one durable state, except scans longer than a page, which are paged by key: a point that lives unchanged from
 *  start to end is seen exactly once. Must not know: threads, names of collections, HTTP. */

import { decodeDefaultVector } from '../codec/vector-set.js';
import { pointBytes, tooLarge } from '../model/answer-budget.js';
import type { CollectionSpec } from '../model/collection.js';
import { compareScores, type Distance, passesThreshold, scorer } from '../model/distance.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelFilterOf, labelsOf, passesFilter } from '../model/label-filter.js';
import { comparePointIds, type PointId } from '../model/point.js';
import type { PointTest } from '../search/evaluate-filter.js';
import type { PointHead, PointRow, StoreReads } from '../storage/storage.js';
import { exactTopK } from '../vector-index/exact-scan.js';
import { type CompareAnswers, type CompareKind, type CompareRequest, runCompare } from './compare.js';
import type { FoundPoint, SearchHit, Selection } from './engine.js';
import { narrowLabels, rowTest } from './filter-rows.js';
import { payloadOf } from './stored-payload.js';

const SCAN_PAGE_ROWS = 1_000;
/** Fewer matches than this share of all are read one by one and sorted; more are met in scroll order. */
const SPARSE_SHARE = 0.2;
const EXACT_PAGE_ROWS = 2_048;
const PAGE_BYTES = 8 * 1024 * 1024;

/** A filter, and what an index knows of its matches. */
export interface RowFilter {
  readonly filter: Filter;
  /** For text conditions: how texts are analysed. */
  readonly spec: CollectionSpec;
  /** Null: every row is looked at. */
  readonly among: {
    /** Labels that match, or may match. */
    readonly labels: LabelFilter;
    readonly exact: boolean;
    /** Nothing of the collection was changed after this seq when it was asked for. */
    readonly seq: number;
  } | null;
}

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

export type ReadRequest =
  | {
      readonly kind: 'get';
      readonly uid: number;
      readonly ids: readonly PointId[];
      readonly selection: Selection;
      readonly bytesMax: number;
    }
  | {
      readonly kind: 'scroll';
      readonly uid: number;
      readonly filter: RowFilter | null;
      readonly after: PointId | null;
      readonly limit: number;
      readonly bytesMax: number;
      readonly selection: Selection;
    }
  | { readonly kind: 'count'; readonly uid: number; readonly filter: RowFilter }
  | {
      readonly kind: 'match';
      readonly uid: number;
      readonly filter: RowFilter;
      readonly limit: number;
      readonly bytesMax: number;
    }
  /** Which of these labels pass, dead rows too. */
  | {
      readonly kind: 'narrow';
      readonly uid: number;
      readonly filter: Filter;
      readonly spec: CollectionSpec;
      readonly labels: LabelFilter;
    }
  | {
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
  | { readonly kind: 'scrub'; readonly uid: number; readonly fromLabel: number }
  | { readonly kind: 'log_bytes'; readonly afterSeq: number }
  | { readonly kind: 'compare'; readonly request: CompareRequest }
  | {
      readonly kind: 'exact';
      readonly uid: number;
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
  match: { readonly ids: PointId[]; readonly more: boolean; readonly seq: number };
  narrow: { readonly labels: LabelFilter };
  /** Of the state of the index that named the labels; of these `rows` still had their row, `lost` had none, `stale` pass no more. */
  hits: {
    readonly hits: LabelledHit[];
    readonly rows: number;
    readonly lost: number;
    readonly stale: number;
    readonly bytes: number;
  };
  scrub: { readonly rows: number; readonly damaged: readonly ErrorRecord[]; readonly nextLabel: number | null };
  log_bytes: { readonly bytes: number };
  compare: CompareAnswers[CompareKind];
  exact: { readonly labels: Uint32Array; readonly scores: Float64Array; readonly visited: number; readonly seq: number };
}

export interface LabelledHit extends SearchHit {
  readonly label: number;
}

export type ReadKind = ReadRequest['kind'];
export type RequestOf<K extends ReadKind> = ReadRequest & { kind: K };

/** Runs one read. @throws CorruptData · PayloadTooLarge (the answer, not for scrolls, whose page is then shorter) */
export function runRead<K extends ReadKind>(reads: StoreReads, request: RequestOf<K>): ReadAnswers[K] {
  // The table ties every kind to its own answer; the compiler cannot follow that through the index.
  const run = READERS[request.kind] as (reads: StoreReads, request: RequestOf<K>) => ReadAnswers[K];
  return run(reads, request);
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
  exact: scanExactly,
  scrub: scrubPage,
  log_bytes: (reads, { afterSeq }) => ({ bytes: reads.logBytesAfter(afterSeq) }),
  compare: (reads, { request }) => runCompare(reads, request),
};

function vectorOf(reads: StoreReads, row: PointHead): Float32Array {
  const vectorSet = reads.vectorSet(row.uid, row.label);
  const vector = vectorSet === undefined ? null : decodeDefaultVector(vectorSet);
  if (vector === null) {
    throw new SkeinError('CorruptData', `Point ${JSON.stringify(row.id)} has lost its vector`, { point_id: row.id });
  }
  return vector;
}

/** A row as far as it was asked for: who wants no payload reads none, however long it is. */
type SelectedRow = PointHead & { readonly payload?: Uint8Array };

function rowById(reads: StoreReads, uid: number, id: PointId, { withPayload }: Selection): SelectedRow | undefined {
  return withPayload ? reads.pointById(uid, id) : reads.headById(uid, id);
}

function rowByLabel(reads: StoreReads, uid: number, label: number, { withPayload }: Selection): SelectedRow | undefined {
  return withPayload ? reads.pointByLabel(uid, label) : reads.headByLabel(uid, label);
}

function found(reads: StoreReads, row: SelectedRow, selection: Selection): FoundPoint {
  return {
    id: row.id,
    version: row.version,
    payload: selection.withPayload ? (row.payload ?? null) : null,
    vector: selection.withVector ? vectorOf(reads, row) : null,
  };
}

/** @returns the sum @throws PayloadTooLarge */
function bytesWithin(bytesMax: number, bytes: number, point: FoundPoint): number {
  const sum = bytes + pointBytes(point);
  if (sum <= bytesMax) return sum;
  throw tooLarge(bytesMax);
}

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

/** Rows in scroll order behind `after`, a page per read transaction. */
function* rowsAfter<Row extends PointHead>(
  after: PointId | null,
  pageAfter: (from: PointId | null) => readonly Row[],
): Generator<Row> {
  let from = after;
  for (;;) {
    const rows = pageAfter(from);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    from = last.id;
  }
}

/** The points that match, in scroll order behind `after`. */
function* matching(
  reads: StoreReads,
  uid: number,
  { filter, spec, among }: RowFilter,
  after: PointId | null,
): Generator<PointRow> {
  const passes = rowTest(spec, filter);
  const collection = reads.collection(uid);
  if (among === null || collection === undefined || collection.lastSeq > among.seq) {
    const rows = rowsAfter(after, (from) => reads.pointsAfter(uid, from, SCAN_PAGE_ROWS, PAGE_BYTES));
    for (const row of rows) if (passes(row.id, payloadOf(row))) yield row;
    return;
  }
  const { labels, exact, seq } = among;
  const sparse = labels.size < SPARSE_SHARE * collection.pointsCount;
  const heads = sparse
    ? headsOf(reads, uid, labels, after)
    : rowsAfter(after, (from) => reads.headsAfter(uid, from, SCAN_PAGE_ROWS));
  for (const head of heads) {
    if (!passesFilter(labels, head.label)) continue;
    const row = reads.pointById(uid, head.id);
    if (row !== undefined && ((exact && row.version <= seq) || passes(row.id, payloadOf(row)))) yield row;
  }
}

/** The points of these labels behind `after`, in scroll order. Cost: a row each, and a sort. */
function headsOf(reads: StoreReads, uid: number, labels: LabelFilter, after: PointId | null): PointHead[] {
  const heads: PointHead[] = [];
  for (const label of labelsOf(labels)) {
    const head = reads.headByLabel(uid, label);
    if (head !== undefined && head.deadSeq === null && (after === null || comparePointIds(head.id, after) > 0)) heads.push(head);
  }
  return heads.sort((a, b) => comparePointIds(a.id, b.id));
}

function readPage(reads: StoreReads, request: RequestOf<'scroll'>): ReadAnswers['scroll'] {
  const { uid, filter, after, limit, selection } = request;
  if (filter !== null) return fillPage(reads, request, matching(reads, uid, filter, after));
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

/** Ends at so many points or at about so many bytes of their payloads. */
function matchIds(reads: StoreReads, { uid, filter, limit, bytesMax }: RequestOf<'match'>): ReadAnswers['match'] {
  const { seq } = reads.state();
  const ids: PointId[] = [];
  let bytes = 0;
  for (const row of matching(reads, uid, filter, null)) {
    if (ids.length === limit || bytes >= bytesMax) return { ids, more: true, seq };
    ids.push(row.id);
    bytes += row.payload.length;
  }
  return { ids, more: false, seq };
}

/** Turns labels into hits, best first, ties by id. A superseded label still answers with its own row; of two labels of one point, which two
 *  indexes at different seqs may name, the better stays.
 *  Only the hits of the page count for the bound: what does not fit while all are ranked is dropped, and read again if it is on the page. */
function readHits(reads: StoreReads, request: RequestOf<'hits'>): ReadAnswers['hits'] {
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
function recheckOf(reads: StoreReads, { uid, recheck }: RequestOf<'hits'>): (row: PointHead) => boolean {
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

function onPage(ranked: readonly LabelledHit[], { ranking, page }: RequestOf<'hits'>): readonly LabelledHit[] {
  const { offset, limit, scoreThreshold, without } = page;
  const distance = ranking.by === 'distance' ? ranking.distance : 'dot';
  let hits = without === undefined ? ranked : ranked.filter((hit) => hit.id !== without);
  if (scoreThreshold !== undefined) hits = hits.filter((hit) => passesThreshold(distance, hit.score, scoreThreshold));
  return hits.slice(offset, offset + limit);
}

/** The exact neighbours at one seq, or among the labels that an index named: every vector row is read once, in label order, a page per read
 *  transaction.
 *  The caller keeps dead rows from being reaped meanwhile, so a point replaced during the scan is seen once, as it was. */
function scanExactly(reads: StoreReads, { uid, distance, query, limit, among }: RequestOf<'exact'>): ReadAnswers['exact'] {
  const { seq } = reads.state();
  const best = exactTopK(distance, query, limit);
  let visited = 0;
  for (let from = 0; ; ) {
    const rows = reads.labelsFrom(uid, from, EXACT_PAGE_ROWS, PAGE_BYTES);
    for (const row of rows) {
      if (among === null ? row.labelSeq > seq || (row.deadSeq !== null && row.deadSeq <= seq) : !passesFilter(among, row.label))
        continue;
      const vector = decodeDefaultVector(row.vectorSet);
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

/** Reads one page of rows for their checksums alone. After damage the page is read row by row, so that every damaged row is named. */
function scrubPage(reads: StoreReads, { uid, fromLabel }: RequestOf<'scrub'>): ReadAnswers['scrub'] {
  try {
    const rows = reads.labelsFrom(uid, fromLabel, SCAN_PAGE_ROWS, PAGE_BYTES);
    for (const { label } of rows) reads.pointByLabel(uid, label);
    const last = rows.at(-1);
    return { rows: rows.length, damaged: [], nextLabel: last === undefined ? null : last.label + 1 };
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
  }
  const damaged: ErrorRecord[] = [];
  const end = Math.min(fromLabel + SCAN_PAGE_ROWS, reads.collection(uid)?.nextLabel ?? 0);
  for (let label = fromLabel; label < end; label++) {
    try {
      reads.pointByLabel(uid, label);
      reads.vectorSet(uid, label);
    } catch (error) {
      if (!(error instanceof SkeinError)) throw error;
      damaged.push(error.toRecord());
    }
  }
  return { rows: end - fromLabel, damaged, nextLabel: end < (reads.collection(uid)?.nextLabel ?? 0) ? end : null };
}
