/** Vectors of one collection in one worker: the vector index, and the payload index that filters its searches.
 *  Must not know: the order of the log, threads, texts. */

import { decodeDefaultVector } from '../codec/vector-set.js';
import type { CollectionSpec } from '../model/collection.js';
import type { LabelRow, StoreReads } from '../storage/storage.js';
import { createIndex, openCheckpoint } from '../vector-index/open-index.js';
import type { IndexParameters, VectorIndex } from '../vector-index/vector-index.js';
import type { ContentStatus, IndexedCollection } from './index-messages.js';
import { PayloadSide } from './payload-side.js';
import type { OpenedContent, SavedHead, ServedContent } from './served-content.js';

export class VectorContent implements ServedContent {
  readonly index: VectorIndex;
  readonly payloads: PayloadSide;

  constructor(reads: StoreReads, { uid, spec }: IndexedCollection, index: VectorIndex) {
    this.index = index;
    this.payloads = new PayloadSide(reads, uid, spec.payloadIndexes, (label) => index.has(label));
  }

  static create(reads: StoreReads, collection: IndexedCollection): VectorContent {
    return new VectorContent(reads, collection, createIndex(parametersOf(collection.spec)));
  }

  static async open(reads: StoreReads, collection: IndexedCollection): Promise<OpenedContent<VectorContent>> {
    const { uid, labelGeneration, spec, folder } = collection;
    const opened = await openCheckpoint(folder, { uid, labelGeneration, parameters: parametersOf(spec) });
    if ('refused' in opened) return opened;
    return { content: new VectorContent(reads, collection, opened.index), head: opened.head };
  }

  get needsPayload(): boolean {
    return this.payloads.needsPayload;
  }

  has(label: number): boolean {
    return this.index.has(label);
  }

  add(row: LabelRow, replaces: number | null): void {
    const vector = decodeDefaultVector(row.vectorSet);
    if (vector !== null) {
      this.index.add(row.label, vector, replaces);
      this.payloads.put(row.label, row.payload);
      if (replaces !== null) this.payloads.remove(replaces);
    } else if (replaces !== null) this.remove(replaces);
  }

  update(label: number, payload: Uint8Array): void {
    this.payloads.put(label, payload);
  }

  remove(label: number): void {
    this.index.remove(label);
    this.payloads.remove(label);
  }

  liveLabels(): Uint32Array {
    return this.index.liveLabels();
  }

  get crowded(): boolean {
    return this.index.crowded;
  }

  get inserts(): number {
    return this.index.inserts;
  }

  get complete(): boolean {
    return this.payloads.complete;
  }

  /** What was loaded from a checkpoint has no payloads yet. */
  refill(): void {
    this.payloads.refill(this.index.liveLabels());
  }

  configure(before: CollectionSpec, spec: CollectionSpec): boolean {
    if (!sameFields(before, spec)) this.payloads.declare(spec.payloadIndexes, this.index.liveLabels());
    return true;
  }

  /** Has the collection asked for smaller copies than the native library can keep? */
  keepsWhole({ quantization }: CollectionSpec): boolean {
    return (quantization?.type ?? 'none') !== this.index.parameters.quantization;
  }

  work(budgetMs: number): number | null {
    const startMs = performance.now();
    const filled = this.payloads.work(budgetMs);
    const left = budgetMs - (performance.now() - startMs);
    const nextMs = filled || left > 0 ? this.index.work(Math.max(0, left)) : 0;
    return filled ? nextMs : 0;
  }

  status(nextLabel: number): ContentStatus {
    const status = this.index.status();
    const payloadBytes = this.payloads.memoryBytes;
    return {
      ...status,
      memoryBytes: status.memoryBytes + payloadBytes,
      payloadProgress: this.payloads.progress(nextLabel),
    };
  }

  get savable(): boolean {
    const { kind, live, waiting } = this.index.status();
    return kind === 'graph' && live > waiting;
  }

  save(folder: string, head: SavedHead): Promise<number> {
    return this.index.save(folder, head);
  }

  close(): void {
    this.index.close();
  }
}

function parametersOf({ dimension, distance, hnsw, quantization }: CollectionSpec): IndexParameters {
  return { dimension, distance, m: hnsw.m, efConstruct: hnsw.efConstruct, quantization: quantization?.type ?? 'none' };
}

/** Do both declare the same payload indexes, in any order? */
export function sameFields(a: CollectionSpec, b: CollectionSpec): boolean {
  const keys = (spec: CollectionSpec): string =>
    spec.payloadIndexes
      .map(({ path, type }) => `${type} ${path}`)
      .sort()
      .join('\n');
  return keys(a) === keys(b);
}
