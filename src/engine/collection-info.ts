/** What a collection says of itself: its row, and what its indexes last reported. Must not know: how either came to be. */

import type { Position } from '../model/position.js';
import { targetsOf } from '../model/vector-spec.js';
import { type CatalogueEntry, enginesOf } from './catalogue.js';
import type { CollectionInfo, Strictness } from './engine.js';
import type { IndexKeeper } from './index-keeper.js';
import { tombstoneRatio } from './index-schedule.js';

export function collectionInfo(entry: CatalogueEntry, keeper: IndexKeeper, position: Position): CollectionInfo {
  const { row } = entry;
  const { spec } = row;
  const reports = enginesOf(entry).flatMap(({ report }) => (report === null ? [] : [report]));
  return {
    name: row.name,
    uid: row.uid,
    dimension: spec.dimension,
    distance: spec.distance,
    hnsw: spec.hnsw,
    ttlMs: spec.ttlMs,
    createdAtMs: spec.createdAtMs,
    text: spec.text,
    payloadIndexes: spec.payloadIndexes,
    quantization: spec.quantization,
    strictMode: spec.strictMode,
    vectors: spec.vectors,
    sparseVectors: spec.sparseVectors,
    vectorGeneration: spec.vectorGeneration,
    pointsCount: row.pointsCount,
    vectorCounts: countsOf(entry),
    textCount: entry.text?.report?.status.worded ?? 0,
    ...keeper.status(entry),
    memoryBytes: reports.reduce((sum, { status }) => sum + status.memoryBytes, 0),
    diskBytes: reports.reduce((sum, { checkpointBytes }) => sum + checkpointBytes, row.dataBytes),
    tombstoneRatio: entry.vector.report === null ? 0 : tombstoneRatio(entry.vector.report),
    indexHealth: entry.health,
    position,
  };
}

function countsOf({ row, vector }: CatalogueEntry): ReadonlyMap<string, number> {
  const counts = vector.report?.status.vectors;
  const named = targetsOf(row.spec).map(({ name, key }) => [name, counts?.get(key)] as const);
  return new Map(named.filter((pair): pair is readonly [string, number] => pair[1] !== undefined));
}

export function strictnessOf(entry: CatalogueEntry | undefined): Strictness | null {
  if (entry === undefined) return null;
  const { uid, spec } = entry.row;
  const { strictMode: mode, payloadIndexes } = spec;
  return mode?.enabled === true ? { uid, mode, payloadIndexes } : null;
}
