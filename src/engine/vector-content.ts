/** Vectors of one collection in one worker: an index for each vector that it declares, and the payload index that filters their searches.
 *
 *  A point is inside whether it has all of them or none: the index of the default vector says who is, and `#bare` has the others. Rows come
 *  in the order of labels, so that an index that comes later (a name that was just declared) has missed nothing but rows that were read
 *  before it was told of: those wait in `#early`.
 *  After a start each index comes from its own checkpoint. What a checkpoint lacks up to where the cursor stands is read from rows first
 *  (VectorFill); until then the content is not complete, and takes nothing new.
 *  Must not know: the order of the log, threads, texts. */

import { decodeDefaultVector, decodeVectorSet, vectorCount } from '../codec/vector-set.js';
import type { CollectionSpec } from '../model/collection.js';
import { DEFAULT_VECTOR, type DenseVector, type NamedVectors, type SparseVector } from '../model/point.js';
import { isLeftBehind, targetsOf, type VectorTarget } from '../model/vector-spec.js';
import type { LabelRow } from '../storage/storage.js';
import { createSparseIndex, LabelSet } from '../vector-index/open-index.js';
import type { VectorIndex } from '../vector-index/vector-index.js';
import type { ContentStatus, IndexedCollection } from './index-messages.js';
import { emptyIndex, openIndexes, type VectorIndexes } from './opened-indexes.js';
import { PayloadSide } from './payload-side.js';
import type { OpenedContent, SavedHead, ServedContent } from './served-content.js';
import type { IndexReads } from './sound-reads.js';
import { graphsToSave, saveGraphs, statusOf } from './vector-figures.js';
import { VectorFill } from './vector-fill.js';

const NO_VECTORS: NamedVectors = new Map();

export class VectorContent implements ServedContent {
  readonly payloads: PayloadSide;
  readonly indexes: VectorIndexes;
  readonly #reads: IndexReads;
  readonly #uid: number;
  #spec: CollectionSpec;
  /** Points without a default vector. */
  readonly #bare: LabelSet;
  /** Labels that were read with a vector that was not declared yet, by its key. */
  readonly #early = new Map<string, number[]>();
  #fill: VectorFill | null = null;
  /** Which index works first: each in turn. */
  #turn = 0;
  #insertsOfClosed = 0;

  constructor(reads: IndexReads, { uid, spec }: IndexedCollection, indexes: VectorIndexes, bare = new LabelSet()) {
    this.#reads = reads;
    this.#uid = uid;
    this.#spec = spec;
    this.indexes = indexes;
    this.#bare = bare;
    this.payloads = new PayloadSide(reads, uid, spec.payloadIndexes, (label) => this.has(label));
  }

  static create(reads: IndexReads, collection: IndexedCollection): VectorContent {
    const indexes: VectorIndexes = { dense: new Map(), sparse: new Map() };
    for (const target of targetsOf(collection.spec)) addIndex(indexes, target);
    return new VectorContent(reads, collection, indexes);
  }

  static async open(reads: IndexReads, collection: IndexedCollection): Promise<OpenedContent<VectorContent>> {
    const opened = await openIndexes(reads, collection);
    if ('refused' in opened) return opened;
    const { indexes, head, bare, missing, refusals } = opened;
    const content = new VectorContent(reads, collection, indexes, bare);
    if (missing.size > 0) content.#fill = new VectorFill(reads, collection.uid, missing, head.nextLabel);
    return { content, head, refusals };
  }

  get #main(): VectorIndex | undefined {
    return this.indexes.dense.get(DEFAULT_VECTOR);
  }

  get needsPayload(): boolean {
    return this.payloads.needsPayload;
  }

  has(label: number): boolean {
    return this.#bare.has(label) || (this.#main?.has(label) ?? false);
  }

  add(row: LabelRow, replaces: number | null): void {
    if (vectorCount(row.vectorSet) === 1 && this.indexes.dense.size + this.indexes.sparse.size === 1) {
      // What nearly every collection is: its default vector alone.
      const vector = this.#main === undefined ? null : decodeDefaultVector(row.vectorSet);
      if (vector !== null) return this.#keep(row, vector, NO_VECTORS, replaces);
    }
    const vectors = decodeVectorSet(row.vectorSet);
    const own = vectors.get(DEFAULT_VECTOR);
    this.#keep(row, own?.kind === 'dense' ? own.values : null, vectors, replaces);
  }

  #keep({ label, payload }: LabelRow, own: Float32Array | null, vectors: NamedVectors, replaces: number | null): void {
    const main = this.#main;
    if (own !== null && main !== undefined) main.add(label, own, replaces);
    else {
      this.#bare.add(label);
      if (replaces !== null) main?.remove(replaces);
    }
    for (const [key, vector] of vectors) {
      if (key === DEFAULT_VECTOR) continue;
      if (!this.#addUnder(key, label, vector)) this.#remember(key, label);
    }
    this.payloads.put(label, payload);
    if (replaces === null) return;
    this.#bare.delete(replaces);
    this.#removeNamed(replaces);
    this.payloads.remove(replaces);
  }

  /** @returns false where there is no such index */
  #addUnder(key: string, label: number, vector: DenseVector | SparseVector): boolean {
    const dense = this.indexes.dense.get(key);
    const sparse = this.indexes.sparse.get(key);
    // What came from a newer checkpoint than the cursor has the label, or knows that it died.
    if (label < (this.indexes.offered?.get(key) ?? 0)) return true;
    if (dense !== undefined && vector.kind === 'dense') dense.add(label, vector.values, null);
    else if (sparse !== undefined && vector.kind === 'sparse') sparse.add(label, vector, null);
    else return false;
    return true;
  }

  #remember(key: string, label: number): void {
    if (isLeftBehind(key, this.#spec)) return;
    const labels = this.#early.get(key);
    if (labels === undefined) this.#early.set(key, [label]);
    else labels.push(label);
  }

  update(label: number, payload: Uint8Array): void {
    this.payloads.put(label, payload);
  }

  remove(label: number): void {
    if (!this.#bare.delete(label)) this.#main?.remove(label);
    this.#removeNamed(label);
    this.payloads.remove(label);
  }

  #removeNamed(label: number): void {
    for (const [key, index] of this.indexes.dense) if (key !== DEFAULT_VECTOR) index.remove(label);
    for (const index of this.indexes.sparse.values()) index.remove(label);
  }

  liveLabels(): Uint32Array {
    const main = this.#main?.liveLabels() ?? new Uint32Array(0);
    if (this.#bare.size === 0) return main;
    const all = new Uint32Array(main.length + this.#bare.size);
    all.set(main);
    all.set(this.#bare.toArray(), main.length);
    return all.sort();
  }

  get crowded(): boolean {
    return this.#fill !== null || this.#isCrowded();
  }

  #isCrowded(): boolean {
    for (const index of [...this.indexes.dense.values(), ...this.indexes.sparse.values()]) if (index.crowded) return true;
    return false;
  }

  get inserts(): number {
    let inserts = this.#insertsOfClosed;
    for (const index of this.indexes.dense.values()) inserts += index.inserts;
    return inserts;
  }

  get complete(): boolean {
    return this.payloads.complete && this.#fill === null;
  }

  /** What was loaded from a checkpoint has no payloads yet. */
  refill(): void {
    this.payloads.refill(this.liveLabels());
  }

  configure(before: CollectionSpec, spec: CollectionSpec): boolean {
    this.#spec = spec;
    if (!sameFields(before, spec)) this.payloads.declare(spec.payloadIndexes, this.liveLabels());
    const declared = new Set(targetsOf(spec).map(({ key }) => key));
    for (const named of [this.indexes.dense, this.indexes.sparse]) {
      for (const [key, index] of named) {
        if (declared.has(key)) continue;
        // Work that was done stays done: what is due is told by how much came since.
        if ('inserts' in index) this.#insertsOfClosed += index.inserts;
        index.close();
        named.delete(key);
      }
    }
    for (const key of this.#early.keys()) if (isLeftBehind(key, spec)) this.#early.delete(key);
    for (const target of targetsOf(spec)) {
      if (this.indexes.dense.has(target.key) || this.indexes.sparse.has(target.key)) continue;
      addIndex(this.indexes, target);
      this.#takeEarly(target.key);
    }
    return true;
  }

  #takeEarly(key: string): void {
    const labels = this.#early.get(key) ?? [];
    this.#early.delete(key);
    for (const label of labels) {
      const bytes = this.has(label) ? this.#reads.vectorSet(this.#uid, label) : undefined;
      const vector = bytes === undefined ? undefined : decodeVectorSet(bytes).get(key);
      if (vector !== undefined) this.#addUnder(key, label, vector);
    }
  }

  /** Has the collection asked for smaller copies than the native library can keep? */
  keepsWhole(spec: CollectionSpec): boolean {
    return targetsOf(spec).some((target) => {
      const index = this.indexes.dense.get(target.key);
      return (
        target.kind === 'dense' && index !== undefined && (target.quantization?.type ?? 'none') !== index.parameters.quantization
      );
    });
  }

  work(budgetMs: number): number | null {
    const untilMs = performance.now() + budgetMs;
    const leftMs = (): number => Math.max(0, untilMs - performance.now());
    if (this.#fill !== null) {
      // What was read in waits in memory for its place in a graph: no more of it than is allowed anywhere.
      if (this.#isCrowded()) return this.#workOn(leftMs) ?? 0;
      if (!this.#fill.work(budgetMs, (label, own, vectors, from) => this.#fillIn(label, own, vectors, from))) return 0;
      this.#fill = null;
      return 0;
    }
    const filled = this.payloads.work(budgetMs);
    const nextMs = filled || leftMs() > 0 ? this.#workOn(leftMs) : 0;
    return filled ? nextMs : 0;
  }

  #fillIn(label: number, own: Float32Array | null, vectors: NamedVectors, from: ReadonlyMap<string, number>): void {
    if (!this.has(label)) return;
    const main = this.#main;
    if (own !== null && main !== undefined && label >= (from.get(DEFAULT_VECTOR) ?? Number.POSITIVE_INFINITY)) {
      this.#bare.delete(label);
      main.add(label, own, null);
    }
    for (const [key, vector] of vectors)
      if (key !== DEFAULT_VECTOR && label >= (from.get(key) ?? Number.POSITIVE_INFINITY)) this.#addUnder(key, label, vector);
  }

  #workOn(leftMs: () => number): number | null {
    const all = [...this.indexes.dense.values(), ...this.indexes.sparse.values()];
    let soonest: number | null = null;
    for (let i = 0; i < all.length; i++) {
      const nextMs = all[(this.#turn + i) % all.length]?.work(leftMs()) ?? null;
      if (nextMs !== null) soonest = Math.min(soonest ?? nextMs, nextMs);
    }
    this.#turn += 1;
    return soonest;
  }

  status(nextLabel: number): ContentStatus {
    const payloadBytes = this.payloads.memoryBytes;
    const points = (this.#main?.status().live ?? 0) + this.#bare.size;
    const status = statusOf(this.indexes, points, this.payloads.progress(nextLabel));
    return { ...status, memoryBytes: status.memoryBytes + payloadBytes + this.#bare.memoryBytes };
  }

  get #toSave(): [string, VectorIndex][] {
    return graphsToSave(this.indexes, this.#reads.damagedLabels?.size ?? 0);
  }

  get savable(): boolean {
    return this.#toSave.length > 0;
  }

  save(folder: string, headOf: () => SavedHead): Promise<number> {
    return saveGraphs(this.#toSave, folder, headOf);
  }

  relieve(): void {
    this.payloads.relieve();
    for (const index of this.indexes.sparse.values()) index.relieve();
  }

  close(): void {
    for (const index of [...this.indexes.dense.values(), ...this.indexes.sparse.values()]) index.close();
  }
}

function addIndex(indexes: VectorIndexes, target: VectorTarget): void {
  if (target.kind === 'dense') indexes.dense.set(target.key, emptyIndex(target));
  else indexes.sparse.set(target.key, createSparseIndex());
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
