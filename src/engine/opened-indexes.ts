/** The indexes of one collection's vectors: how each is made, where its checkpoints are, and how all come back together after a start.
 *
 *    <folder>/              checkpoints of the default vector
 *    <folder>/named/<key>/  checkpoints of a named one, under the first half of the key's SHA-256 in hex
 *
 *  The cursor of the collection stands where the checkpoint of its default vector does, else where the newest of the others does. What an
 *  index lacks up to there is `missing`, and read from rows. Graphs are held against what is alive in the store before anybody sees them.
 *  Must not know: payloads, threads, how rows are read in. */

import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeDefaultVector } from '../codec/vector-set.js';
import { FIXED } from '../model/limits.js';
import { DEFAULT_VECTOR } from '../model/point.js';
import { type DenseTarget, targetsOf } from '../model/vector-spec.js';
import type { StoreReads } from '../storage/storage.js';
import {
  createIndex,
  createSparseIndex,
  LabelSet,
  openCheckpoint,
  removeLeftovers,
  type SparseIndex,
} from '../vector-index/open-index.js';
import type { IndexParameters, OpenedCheckpoint, VectorIndex } from '../vector-index/vector-index.js';
import type { IndexedCollection } from './index-messages.js';
import type { SavedHead } from './served-content.js';

/** By key. */
export interface VectorIndexes {
  readonly dense: Map<string, VectorIndex>;
  readonly sparse: Map<string, SparseIndex>;
  /** Labels below were offered already, where a checkpoint was newer than the cursor. */
  readonly offered?: ReadonlyMap<string, number>;
}

export interface OpenedIndexes {
  readonly indexes: VectorIndexes;
  readonly head: SavedHead;
  /** Live points below the cursor that the index of the default vector does not have. */
  readonly bare: LabelSet;
  /** From which label on an index lacks what is below the cursor, by key. */
  readonly missing: ReadonlyMap<string, number>;
  /** Why checkpoints beside the loaded ones were not trusted, each naming the vector. */
  readonly refusals: readonly string[];
}

interface LoadedIndexes {
  /** By key. */
  readonly loaded: ReadonlyMap<string, { readonly index: VectorIndex }>;
  readonly filledFrom: number;
  /** Where the cursor stands. */
  readonly endLabel: number;
}

const NAMED = 'named';
const KEY_HASH_CHARACTERS = 32;

export function emptyIndex(target: DenseTarget): VectorIndex {
  return createIndex(parametersOf(target));
}

function parametersOf({ dimension, distance, hnsw, quantization }: DenseTarget): IndexParameters {
  return { dimension, distance, m: hnsw.m, efConstruct: hnsw.efConstruct, quantization: quantization?.type ?? 'none' };
}

/** @param folder of the collection's vectors */
export function folderOf(folder: string, key: string): string {
  if (key === DEFAULT_VECTOR) return folder;
  return join(folder, NAMED, createHash('sha256').update(key).digest('hex').slice(0, KEY_HASH_CHARACTERS));
}

/** Removes what a crash left in any of the folders. Nobody writes into them at the time. @throws Error of the file system */
export async function removeAllLeftovers(folder: string): Promise<void> {
  await removeLeftovers(folder);
  for (const name of await foldersIn(folder)) await removeLeftovers(join(folder, NAMED, name));
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return await readdir(join(folder, NAMED));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Opens the checkpoints of all that is declared, and removes the folders of what is not. */
export async function openIndexes(
  reads: StoreReads,
  collection: IndexedCollection,
): Promise<OpenedIndexes | { readonly refused: string }> {
  const { uid, spec, folder } = collection;
  const targets = targetsOf(spec).filter((target) => target.kind === 'dense');
  await removeUndeclared(folder, targets);
  const opened = new Map<string, OpenedCheckpoint>();
  for (const target of targets) opened.set(target.key, await openOne(collection, target));
  const loaded = new Map([...opened].flatMap(([key, one]) => ('refused' in one ? [] : [[key, one] as const])));
  const refusals = [...opened].flatMap(([key, one]) =>
    'refused' in one && one.refused !== 'none'
      ? [key === DEFAULT_VECTOR ? one.refused : `${JSON.stringify(key)}: ${one.refused}`]
      : [],
  );
  const newest = [...loaded.values()].sort((a, b) => b.head.nextLabel - a.head.nextLabel)[0];
  const leading = loaded.get(DEFAULT_VECTOR) ?? newest;
  if (leading === undefined) return { refused: refusals.length === 0 ? 'none' : refusals.join('; ') };
  const { seq, nextLabel, labelGeneration } = leading.head;
  const head: SavedHead = { uid, labelGeneration, seq, nextLabel };
  const indexes = {
    dense: new Map<string, VectorIndex>(),
    sparse: new Map<string, SparseIndex>(),
    offered: new Map<string, number>(),
  };
  const missing = new Map<string, number>();
  for (const target of targetsOf(spec)) {
    const { key } = target;
    const own = loaded.get(key);
    if (target.kind === 'sparse') indexes.sparse.set(key, createSparseIndex());
    else indexes.dense.set(key, own?.index ?? emptyIndex(target));
    const offeredTo = own?.head.nextLabel ?? 0;
    if (offeredTo < nextLabel) missing.set(key, offeredTo);
    if (offeredTo > nextLabel) indexes.offered.set(key, offeredTo);
  }
  reconcileNamed(reads, uid, loaded);
  const filledFrom = Math.min(...missing.values());
  return { indexes, head, bare: bareLabels(reads, collection, { loaded, filledFrom, endLabel: nextLabel }), missing, refusals };
}

function openOne({ uid, labelGeneration, folder }: IndexedCollection, target: DenseTarget): Promise<OpenedCheckpoint> {
  return openCheckpoint(folderOf(folder, target.key), { uid, labelGeneration, parameters: parametersOf(target) });
}

/** What cannot be removed is in nobody's way. */
async function removeUndeclared(folder: string, targets: readonly DenseTarget[]): Promise<void> {
  const declared = new Set(targets.map(({ key }) => folderOf(folder, key)));
  const paths = (await foldersIn(folder).catch(() => [])).map((name) => join(folder, NAMED, name));
  for (const path of paths) if (!declared.has(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Points that died are taken out here, as one that was purged since is told of by nobody. */
function reconcileNamed(reads: StoreReads, uid: number, loaded: LoadedIndexes['loaded']): void {
  const named = [...loaded].filter(([key]) => key !== DEFAULT_VECTOR);
  if (named.length === 0) return;
  const live = new LabelSet(reads.liveLabels(uid, FIXED.labelMax));
  for (const [, { index }] of named) for (const label of index.liveLabels()) if (!live.has(label)) index.remove(label);
}

/** A live point that should be in the default vector's checkpoint and is not is left out, so that the checkpoint is refused for it; but for one
 *  with a damaged row, which any graph passes over that is built: it costs itself alone. Of labels from `filledFrom` on rows are read anyway.
 *  Cost: a row for each point that the graph of the default vector lacks; where there is no such graph, that all lack. */
function bareLabels(reads: StoreReads, collection: IndexedCollection, { loaded, filledFrom, endLabel }: LoadedIndexes): LabelSet {
  const { uid, spec } = collection;
  const main = loaded.get(DEFAULT_VECTOR);
  const graphs = main === undefined ? [...loaded.values()] : [main];
  const bare = new LabelSet();
  // Payloads are read where fields of them are indexed, so a point with a damaged one is not inside then.
  const look = spec.payloadIndexes.length > 0 ? reads.pointByLabel : reads.headByLabel;
  for (const label of reads.liveLabels(uid, endLabel)) {
    if (graphs.some(({ index }) => index.has(label)) || (main === undefined && label >= filledFrom)) {
      if (main === undefined) bare.add(label);
    } else if (look(uid, label) !== undefined) {
      const vectorSet = reads.vectorSet(uid, label);
      if (vectorSet !== undefined && decodeDefaultVector(vectorSet) === null) bare.add(label);
    }
  }
  return bare;
}
