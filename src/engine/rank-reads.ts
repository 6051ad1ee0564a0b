/** Points in the order of a rule (model/rank-rule.ts), by looking at each that a filter lets pass: exact, and as slow as it says.
 *
 *  Rows are met page by page, so what lives unchanged from start to end is looked at exactly once; what was superseded since it was looked
 *  at is answered as it was then while its row is there. Must not know: indexes, threads. */

import { decodeDefaultVector, decodeVectorSet } from '../codec/vector-set.js';
import type { Distance } from '../model/distance.js';
import { within } from '../model/filter.js';
import { parseInstant } from '../model/instant.js';
import { anyAt, anyAtSteps, anyElement } from '../model/payload-path.js';
import { DEFAULT_VECTOR, type JsonValue, type QueryVector } from '../model/point.js';
import type { FieldOrder, RankRule, VectorRule } from '../model/rank-rule.js';
import { measured, similarityTo } from '../model/similarity.js';
import { sipHash } from '../model/sip-hash.js';
import { ruleScorer } from '../search/rank-rules.js';
import type { PointHead, PointRow, StoreReads } from '../storage/storage.js';
import { TopK } from '../vector-index/exact-scan.js';
import type { SearchHit } from './engine.js';
import { everyRow, matching, type RowFilter, rowsAfter } from './matching-rows.js';
import { bytesWithin, found, type RowSelection, rowByLabel } from './row-reads.js';
import { payloadOf } from './stored-payload.js';

const PAGE_ROWS = 1_000;

export interface RankRequest {
  readonly kind: 'rank';
  readonly uid: number;
  readonly rule: RankRule<QueryVector>;
  /** Under which the vectors are stored that a rule compares, and how; sparse ones by their inner product. */
  readonly vectors: { readonly key: string; readonly distance: Distance };
  /** Null: all points. */
  readonly filter: RowFilter | null;
  /** ≥ 1. */
  readonly limit: number;
  /** Scores below it are left out. */
  readonly scoreMin: number | null;
  readonly selection: RowSelection;
  readonly bytesMax: number;
}

export interface RankAnswer {
  /** Best first; of equal scores the one that was written first. The score of a field's order is its value. */
  readonly hits: readonly SearchHit[];
  readonly seq: number;
}

/** Null: the row has no place in the order. */
type RowScore = (row: PointHead & { readonly payload?: Uint8Array }) => number | null;

/** Cost: a row for each point that may match, and its payload or its vectors. @throws CorruptData, PayloadTooLarge (the hits) */
export function readRank(reads: StoreReads, request: RankRequest): RankAnswer {
  const { uid, rule, filter, limit, scoreMin, selection, bytesMax } = request;
  const { seq } = reads.state();
  const scoreOf = rowScore(reads, request);
  // Least values first are what the order of distances is.
  const best = new TopK(rule.kind === 'order' && !rule.descending ? 'euclid' : 'dot', limit);
  for (const row of rowsOf(reads, uid, filter, rule.kind === 'order')) {
    const score = scoreOf(row);
    if (score !== null && (scoreMin === null || score >= scoreMin)) best.offer(row.label, score);
  }
  const { labels, scores } = best.finish();
  const hits: SearchHit[] = [];
  let bytes = 0;
  for (const [place, label] of labels.entries()) {
    const row = rowByLabel(reads, uid, label, selection);
    if (row === undefined) continue;
    const hit = { ...found(reads, row, selection), score: scores[place] as number };
    bytes = bytesWithin(bytesMax, bytes, hit);
    hits.push(hit);
  }
  return { hits, seq };
}

function rowsOf(
  reads: StoreReads,
  uid: number,
  filter: RowFilter | null,
  withPayload: boolean,
): Iterable<PointHead & Partial<Pick<PointRow, 'payload'>>> {
  if (filter !== null) return matching(reads, uid, filter, null);
  return withPayload ? everyRow(reads, uid) : rowsAfter(null, (from) => reads.headsAfter(uid, from, PAGE_ROWS));
}

function rowScore(reads: StoreReads, { rule, vectors }: RankRequest): RowScore {
  switch (rule.kind) {
    case 'order':
      return fieldValue(rule);
    case 'sample':
      return chance(rule.seed);
    default:
      return vectorScore(reads, rule, vectors);
  }
}

/** The first of the field's values in the order. */
function fieldValue(order: FieldOrder): RowScore {
  const { key, steps, time, descending, from } = order;
  const bounds = from === null ? {} : descending ? { lte: from } : { gte: from };
  const path = key.split('.');
  const first = descending ? Math.max : Math.min;
  return (row) => {
    let value: number | null = null;
    const look = (one: JsonValue): boolean => {
      const number = numberOf(one, time);
      if (number !== null && within(number, bounds)) value = value === null ? number : first(value, number);
      return false;
    };
    const payload = payloadOf({ payload: row.payload ?? new Uint8Array(0) });
    const each = (one: JsonValue): boolean => anyElement(one, look);
    if (steps === undefined) anyAt(payload, path, each);
    else anyAtSteps(payload, steps, each);
    return value;
  };
}

function numberOf(value: JsonValue, time: boolean): number | null {
  if (time) return typeof value === 'string' ? parseInstant(value) : null;
  return typeof value === 'number' ? value : null;
}

/** The points with the highest of numbers that are drawn for them are a fair draw. */
function chance(seed: number): RowScore {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setFloat64(0, seed, true);
  return ({ label }) => {
    bytes.setUint32(8, label, true);
    const { high, low } = sipHash(new Uint8Array(bytes.buffer));
    return high * 2 ** 20 + (low >>> 12);
  };
}

/** Points without such a vector have no place. */
function vectorScore(reads: StoreReads, rule: VectorRule<QueryVector>, { key, distance }: RankRequest['vectors']): RowScore {
  const score = ruleScorer(rule, (example: QueryVector) => similarityTo(example, distance));
  return ({ uid, label }) => {
    const bytes = reads.vectorSet(uid, label);
    const vector = bytes === undefined ? null : storedVector(bytes, key);
    return vector === null ? null : score(measured(vector, distance));
  };
}

function storedVector(bytes: Uint8Array, key: string): QueryVector | null {
  if (key === DEFAULT_VECTOR) return decodeDefaultVector(bytes);
  const vector = decodeVectorSet(bytes).get(key);
  if (vector === undefined) return null;
  return vector.kind === 'dense' ? vector.values : vector;
}
