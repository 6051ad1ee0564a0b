/** Reading points: one executor for every read that touches rows, used on the main thread for small requests and in the scan
 *  thread for large ones. Requests and answers are plain data, so they cross the border as they are.
 *
 *  Every answer belongs to one durable state, except scans longer than a page, which are paged by key: a point that lives unchanged from
 *  start to end is seen exactly once. Must not know: threads, names of collections, HTTP. */

import { decodeDefaultVector } from '../codec/vector-set.js';
import { compareScores, type Distance, scorer } from '../model/distance.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import { comparePointIds, type Payload, type PointId } from '../model/point.js';
import { compileFilter } from '../search/evaluate-filter.js';
import type { PointRow, StoreReads } from '../storage/storage.js';
import { exactTopK } from '../vector-index/exact-scan.js';
import type { FoundPoint, SearchHit, Selection } from './engine.js';

const SCAN_PAGE_ROWS = 1_000;
const EXACT_PAGE_ROWS = 2_048;
const EXACT_PAGE_BYTES = 8 * 1024 * 1024;

export type ReadRequest =
  | { readonly kind: 'get'; readonly uid: number; readonly ids: readonly PointId[]; readonly selection: Selection }
  | {
      readonly kind: 'scroll';
      readonly uid: number;
      readonly filter: Filter | null;
      readonly after: PointId | null;
      readonly limit: number;
      readonly bytesMax: number;
      readonly selection: Selection;
    }
  | { readonly kind: 'count'; readonly uid: number; readonly filter: Filter }
  | { readonly kind: 'match'; readonly uid: number; readonly filter: Filter; readonly limit: number }
  | {
      readonly kind: 'hits';
      readonly uid: number;
      readonly distance: Distance;
      readonly query: Float32Array;
      readonly labels: Uint32Array;
      readonly scores: Float64Array | null;
      readonly selection: Selection;
    }
  | { readonly kind: 'scrub'; readonly uid: number; readonly fromLabel: number }
  | {
      readonly kind: 'exact';
      readonly uid: number;
      readonly distance: Distance;
      readonly query: Float32Array;
      readonly limit: number;
    };

/** seq: the durable state the answer belongs to (its first page, for scans). */
export interface ReadAnswers {
  get: { readonly points: FoundPoint[]; readonly missing: PointId[]; readonly seq: number };
  scroll: { readonly points: FoundPoint[]; readonly next: PointId | null; readonly seq: number };
  count: { readonly count: number; readonly seq: number };
  match: { readonly ids: PointId[]; readonly more: boolean; readonly seq: number };
  /** Of the state of the index that named the labels. */
  hits: { readonly hits: SearchHit[]; readonly lost: number };
  scrub: { readonly rows: number; readonly damaged: readonly ErrorRecord[]; readonly nextLabel: number | null };
  exact: { readonly labels: Uint32Array; readonly scores: Float64Array; readonly visited: number; readonly seq: number };
}

export type ReadKind = ReadRequest['kind'];
export type RequestOf<K extends ReadKind> = ReadRequest & { kind: K };

/** Runs one read. @throws CorruptData */
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
  hits: readHits,
  exact: scanExactly,
  scrub: scrubPage,
};

export function payloadOf(row: { readonly payload: Uint8Array }): Payload {
  if (row.payload.length === 0) return {};
  return JSON.parse(Buffer.from(row.payload.buffer, row.payload.byteOffset, row.payload.byteLength).toString()) as Payload;
}

function vectorOf(reads: StoreReads, row: PointRow): Float32Array {
  const vectorSet = reads.vectorSet(row.uid, row.label);
  const vector = vectorSet === undefined ? null : decodeDefaultVector(vectorSet);
  if (vector === null) {
    throw new SkeinError('CorruptData', `Point ${JSON.stringify(row.id)} has lost its vector`, { point_id: row.id });
  }
  return vector;
}

function found(reads: StoreReads, row: PointRow, selection: Selection): FoundPoint {
  return {
    id: row.id,
    version: row.version,
    payload: selection.withPayload ? row.payload : null,
    vector: selection.withVector ? vectorOf(reads, row) : null,
  };
}

function readByIds(reads: StoreReads, { uid, ids, selection }: RequestOf<'get'>): ReadAnswers['get'] {
  return reads.snapshot(() => {
    const points: FoundPoint[] = [];
    const missing: PointId[] = [];
    for (const id of ids) {
      const row = reads.pointById(uid, id);
      if (row === undefined) missing.push(id);
      else points.push(found(reads, row, selection));
    }
    return { points, missing, seq: reads.state().seq };
  });
}

/** Rows in scroll order behind `after`, a page per read transaction. */
function* rowsAfter(reads: StoreReads, uid: number, after: PointId | null, pageRows: number): Generator<PointRow> {
  let from = after;
  for (;;) {
    const rows = reads.pointsAfter(uid, from, pageRows);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    from = last.id;
  }
}

function readPage(reads: StoreReads, request: RequestOf<'scroll'>): ReadAnswers['scroll'] {
  const { uid, filter, after, limit, bytesMax, selection } = request;
  const matches = filter === null ? null : compileFilter(filter);
  const read = (): ReadAnswers['scroll'] => {
    const points: FoundPoint[] = [];
    const { seq } = reads.state();
    let bytes = 0;
    const pageRows = matches === null ? Math.min(limit + 1, SCAN_PAGE_ROWS) : SCAN_PAGE_ROWS;
    for (const row of rowsAfter(reads, uid, after, pageRows)) {
      if (matches !== null && !matches(row.id, payloadOf(row))) continue;
      const last = points.at(-1);
      if (last !== undefined && (points.length === limit || bytes >= bytesMax)) return { points, next: last.id, seq };
      const point = found(reads, row, selection);
      bytes += (point.payload?.length ?? 0) + (point.vector?.byteLength ?? 0) + 64;
      points.push(point);
    }
    return { points, next: null, seq };
  };
  return matches === null ? reads.snapshot(read) : read();
}

function countMatches(reads: StoreReads, { uid, filter }: RequestOf<'count'>): ReadAnswers['count'] {
  const matches = compileFilter(filter);
  const { seq } = reads.state();
  let count = 0;
  for (const row of rowsAfter(reads, uid, null, SCAN_PAGE_ROWS)) if (matches(row.id, payloadOf(row))) count += 1;
  return { count, seq };
}

function matchIds(reads: StoreReads, { uid, filter, limit }: RequestOf<'match'>): ReadAnswers['match'] {
  const matches = compileFilter(filter);
  const { seq } = reads.state();
  const ids: PointId[] = [];
  for (const row of rowsAfter(reads, uid, null, SCAN_PAGE_ROWS)) {
    if (!matches(row.id, payloadOf(row))) continue;
    if (ids.length === limit) return { ids, more: true, seq };
    ids.push(row.id);
  }
  return { ids, more: false, seq };
}

/** Turns labels into hits, scored by our own code, best first, ties by id. A superseded label still answers with its own row. */
function readHits(reads: StoreReads, request: RequestOf<'hits'>): ReadAnswers['hits'] {
  const { uid, distance, query, labels, scores, selection } = request;
  return reads.snapshot(() => {
    const score = scorer(distance, query);
    const hits: SearchHit[] = [];
    let lost = 0;
    for (let i = 0; i < labels.length; i++) {
      const row = reads.pointByLabel(uid, labels[i] as number);
      if (row === undefined) {
        lost += 1;
        continue;
      }
      const vector = scores === null || selection.withVector ? vectorOf(reads, row) : null;
      hits.push({
        id: row.id,
        version: row.version,
        payload: selection.withPayload ? row.payload : null,
        vector: selection.withVector ? vector : null,
        score: scores === null ? score(vector as Float32Array) : (scores[i] as number),
      });
    }
    hits.sort((a, b) => compareScores(distance, a.score, b.score) || comparePointIds(a.id, b.id));
    return { hits, lost };
  });
}

/** The exact neighbours at one seq: every vector row is read once, in label order, a page per read transaction.
 *  The caller keeps dead rows from being reaped meanwhile, so a point replaced during the scan is seen once, as it was. */
function scanExactly(reads: StoreReads, { uid, distance, query, limit }: RequestOf<'exact'>): ReadAnswers['exact'] {
  const { seq } = reads.state();
  const best = exactTopK(distance, query, limit);
  let visited = 0;
  for (let from = 0; ; ) {
    const rows = reads.labelsFrom(uid, from, EXACT_PAGE_ROWS, EXACT_PAGE_BYTES);
    for (const row of rows) {
      if (row.labelSeq > seq || (row.deadSeq !== null && row.deadSeq <= seq)) continue;
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
    const rows = reads.labelsFrom(uid, fromLabel, SCAN_PAGE_ROWS, EXACT_PAGE_BYTES);
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
