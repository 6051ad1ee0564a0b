/** A small writer that keeps a store consistent (labels, digests, counts, log, state) the way the engine does, for tests of storage.
 *  One unit per call of `unit`; reads everything it needs from the store, so it may be made anew at any time between units. */

import { encodeSpec } from '../../src/codec/collection-spec.js';
import {
  accessKeyHash,
  addInto,
  aliasHash,
  bucketOf,
  catalogueHash,
  chainHash,
  contentHash,
  DIGEST_BYTES,
  Sum128,
  subtractFrom,
} from '../../src/codec/digest.js';
import { encodeEntry } from '../../src/codec/entry.js';
import { encodePointId } from '../../src/codec/point-id.js';
import { encodeDefaultVector } from '../../src/codec/vector-set.js';
import type { AccessKey } from '../../src/model/access-key.js';
import { type CollectionSpec, NOTHING_DECLARED } from '../../src/model/collection.js';
import type { Effect } from '../../src/model/entry.js';
import { FIXED } from '../../src/model/limits.js';
import type { PointId } from '../../src/model/point.js';
import { createStore, openWriter } from '../../src/storage/open-store.js';
import type { CollectionRow, NewStore, PointRow, StoreState, StoreWriter } from '../../src/storage/storage.js';

export const OPTIONS = { cacheBytes: 4 * 1024 * 1024 };
export const IDENTITY: NewStore = { clusterId: 'c1'.repeat(16), nodeId: 'd2'.repeat(16), historyId: 'e3'.repeat(16), epoch: 1 };
export const SPEC: CollectionSpec = {
  dimension: 4,
  distance: 'cosine',
  hnsw: { m: 16, efConstruct: 200, efSearch: 64 },
  ttlMs: null,
  createdAtMs: 1_700_000_000_000,
  ...NOTHING_DECLARED,
};

export interface Put {
  readonly id: PointId;
  readonly vector: readonly number[];
  readonly payload?: string;
  readonly expiresAtMs?: number | null;
}

/** Makes a store in `folder` and opens it for writing. */
export function newStore(folder: string, pagesMax?: number): { path: string; store: StoreWriter } {
  const path = `${folder}/skein.db`;
  createStore(path, IDENTITY, OPTIONS);
  return { path, store: openWriter(path, pagesMax === undefined ? OPTIONS : { ...OPTIONS, pagesMax }) };
}

export class Story {
  readonly store: StoreWriter;
  timeMs = 1_000;
  #state: { -readonly [K in keyof StoreState]: StoreState[K] };
  #digest: Sum128;

  constructor(store: StoreWriter) {
    this.store = store;
    this.#state = { ...store.state() };
    this.#digest = new Sum128(this.#state.digest);
  }

  /** One unit in a transaction of its own. @returns its last seq */
  commit(...steps: (() => Effect)[]): number {
    this.store.begin();
    const seq = this.unit(...steps);
    this.store.commit();
    return seq;
  }

  /** One unit of as many entries as steps, inside the open transaction; reads the state row anew first. */
  unit(...steps: (() => Effect)[]): number {
    this.#state = { ...this.store.state() };
    this.#digest = new Sum128(this.#state.digest);
    const firstSeq = this.#state.seq + 1;
    const effects: Effect[] = [];
    for (const step of steps) {
      this.#state.seq = firstSeq + effects.length;
      effects.push(step());
    }
    for (const [i, effect] of effects.entries()) this.#append(effect, firstSeq, i, i === effects.length - 1);
    this.#state.digest = this.#digest.toBytes();
    this.store.writeState(this.#state);
    return this.#state.seq;
  }

  #append(effect: Effect, firstSeq: number, index: number, last: boolean): void {
    const seq = firstSeq + index;
    const digest = last ? this.#digest.toBytes() : null;
    const entry = encodeEntry({
      seq,
      epoch: this.#state.epoch,
      firstSeq,
      last,
      timeMs: this.timeMs,
      trace: null,
      digest,
      effect,
    });
    this.#state.chainHash = chainHash(this.#state.chainHash, entry);
    this.#state.logBytes += entry.length;
    this.store.appendLog({ seq, entry, chainHash: this.#state.chainHash }, this.timeMs);
  }

  create(name: string): () => Effect {
    return () => {
      const uid = this.#state.nextUid;
      this.#state.nextUid = uid + 1;
      const { seq } = this.#state;
      const counts = { nextLabel: 0, labelGeneration: 0, createdSeq: seq, lastSeq: seq, pointsCount: 0, dataBytes: 0 };
      this.store.insertCollection({ uid, name, spec: SPEC, ...counts, digest: new Uint8Array(DIGEST_BYTES), droppedSeq: null });
      this.#digest.add(catalogueHash(uid, name, encodeSpec(SPEC)));
      return { kind: 'create_collection', uid, name, spec: SPEC };
    };
  }

  drop(uid: number): () => Effect {
    return () => {
      const row = this.#collection(uid);
      this.#digest.subtract(row.digest);
      this.#digest.subtract(catalogueHash(uid, row.name, encodeSpec(row.spec)));
      this.store.updateCollection({ ...row, lastSeq: this.#state.seq, droppedSeq: this.#state.seq });
      return { kind: 'drop_collection', uid };
    };
  }

  putAlias(name: string, uid: number): () => Effect {
    return () => {
      this.#dropAlias(name);
      this.store.putAlias({ name, uid });
      this.#digest.add(aliasHash({ name, uid }));
      return { kind: 'put_alias', name, uid };
    };
  }

  removeAlias(name: string): () => Effect {
    return () => {
      this.#dropAlias(name);
      this.store.removeAlias(name);
      return { kind: 'remove_alias', name };
    };
  }

  #dropAlias(name: string): void {
    const before = this.store.aliases().find((alias) => alias.name === name);
    if (before !== undefined) this.#digest.subtract(aliasHash(before));
  }

  putKey(key: AccessKey): () => Effect {
    return () => {
      this.#dropKey(key.id);
      this.store.putAccessKey(key);
      this.#digest.add(accessKeyHash(key));
      return { kind: 'put_key', key };
    };
  }

  removeKey(id: string): () => Effect {
    return () => {
      this.#dropKey(id);
      this.store.removeAccessKey(id);
      return { kind: 'remove_key', id };
    };
  }

  #dropKey(id: string): void {
    const before = this.store.accessKeys().find((key) => key.id === id);
    if (before !== undefined) this.#digest.subtract(accessKeyHash(before));
  }

  remember(scope: Uint8Array): () => Effect {
    return () => {
      const body = Buffer.alloc(32, 9);
      const results = Buffer.from('[]');
      this.store.remember({ scope, body, seq: this.#state.seq, timeMs: this.timeMs, results });
      return { kind: 'remember', scope, body, results };
    };
  }

  put(uid: number, ...puts: Put[]): () => Effect {
    return () => {
      const points = puts.map(({ id, vector, payload = '', expiresAtMs = null }) => {
        const values = Float32Array.from(vector);
        const vectorSet = encodeDefaultVector(values);
        this.#put(uid, id, vectorSet, Buffer.from(payload), expiresAtMs);
        return { id, vectorSet, payload: Buffer.from(payload), expiresAtMs };
      });
      return { kind: 'put_points', uid, points };
    };
  }

  delete(uid: number, ...ids: PointId[]): () => Effect {
    return () => {
      for (const id of ids) {
        const before = this.store.pointById(uid, id);
        if (before === undefined) throw new Error(`no point ${id}`);
        this.#remove(this.#collection(uid), before);
        this.store.markDead(before, this.#state.seq);
      }
      return { kind: 'delete_points', uid, ids };
    };
  }

  #put(uid: number, id: PointId, vectorSet: Buffer, payload: Buffer, expiresAtMs: number | null): void {
    const { seq } = this.#state;
    const idBytes = encodePointId(id);
    const hash = contentHash({ uid, idBytes, version: seq, expiresAtMs, vectorSet, payload });
    const before = this.store.pointById(uid, id);
    if (before !== undefined) this.#remove(this.#collection(uid), before);
    const collection = this.#collection(uid);
    const same =
      before !== undefined && Buffer.compare(this.store.vectorSet(uid, before.label) ?? Buffer.alloc(0), vectorSet) === 0;
    const value = { uid, id, version: seq, expiresAtMs, deadSeq: null, payload, contentHash: hash };
    if (same) this.store.updatePoint({ ...before, ...value });
    else {
      if (before !== undefined) this.store.markDead(before, seq);
      const label = collection.nextLabel;
      this.store.insertPoint({ ...value, label, labelSeq: seq, prevLabel: before?.label ?? null });
      this.store.insertVectorSet(uid, label, vectorSet);
    }
    this.#sum(collection, idBytes, hash, 1, idBytes.length + payload.length + vectorSet.length, same ? 0 : 1);
  }

  #remove(collection: CollectionRow, row: PointRow): void {
    const idBytes = encodePointId(row.id);
    const vectorSet = this.store.vectorSet(row.uid, row.label) ?? Buffer.alloc(0);
    this.#sum(collection, idBytes, row.contentHash, -1, -(idBytes.length + row.payload.length + vectorSet.length), 0);
  }

  #sum(collection: CollectionRow, idBytes: Uint8Array, hash: Uint8Array, sign: 1 | -1, bytes: number, labels: number): void {
    const { uid } = collection;
    const change = sign === 1 ? addInto : subtractFrom;
    const bucket = bucketOf(idBytes);
    const page = Math.floor(bucket / FIXED.digestBucketsPerPage);
    const sums = Buffer.from(this.store.digestPage(uid, page));
    const words = new Uint32Array(sums.length / 4);
    for (let i = 0; i < words.length; i++) words[i] = sums.readUInt32LE(4 * i);
    change(words, (bucket % FIXED.digestBucketsPerPage) * 4, hash, 0);
    this.store.writeDigestPage(uid, page, new Uint8Array(words.buffer));
    const digest = new Sum128(collection.digest);
    change(digest.words, 0, hash, 0);
    change(this.#digest.words, 0, hash, 0);
    this.store.updateCollection({
      ...collection,
      digest: digest.toBytes(),
      lastSeq: this.#state.seq,
      pointsCount: collection.pointsCount + sign,
      dataBytes: collection.dataBytes + bytes,
      nextLabel: collection.nextLabel + labels,
    });
  }

  #collection(uid: number): CollectionRow {
    const row = this.store.collection(uid);
    if (row === undefined) throw new Error(`no collection ${uid}`);
    return row;
  }
}
