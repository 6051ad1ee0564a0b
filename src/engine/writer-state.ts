/** What the writer thread holds in memory between commits: the state row, the catalogue, aliases, access keys and the warm pages of the digest tree.
 *
 *  Invariant: after flush() and commit it equals what the store holds. Inside a unit every first change of a part leaves a copy,
 *  so a refused unit is undone in memory as the savepoint undoes it on disk. After a failed commit it is thrown away and read anew.
 *  Must not know: operations, effects, threads. */

import { addInto, DIGEST_BYTES, Sum128, subtractFrom } from '../codec/digest.js';
import type { AccessKey, AccessKeyChange } from '../model/access-key.js';
import type { AliasChange } from '../model/alias.js';
import { FIXED } from '../model/limits.js';
import type { ClusterRows, CollectionRow, StoreState, StoreWriter } from '../storage/storage.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A collection as the writer changes it; the digest is kept as a running sum. */
export type CollectionState = Mutable<Omit<CollectionRow, 'digest'>> & { digest: Sum128 };

const WORDS_PER_SUM = DIGEST_BYTES / 4;
const PAGES_KEPT_MAX = 64 * 256;

export class WriterState {
  readonly #store: StoreWriter;
  readonly #collections = new Map<number, CollectionState>();
  readonly #byName = new Map<string, number>();
  readonly #aliases = new Map<string, number>();
  readonly #accessKeys = new Map<string, AccessKey>();
  readonly #pages = new Map<string, Uint32Array>();
  readonly #dirtyPages = new Set<string>();
  readonly #dirtyCollections = new Set<number>();
  readonly #newCollections = new Set<number>();
  readonly #dirtyAliases = new Set<string>();
  readonly #dirtyKeys = new Set<string>();
  #state: Mutable<StoreState>;
  readonly digest: Sum128;
  #undo: (() => void)[] | null = null;
  #clusterDirty = false;
  readonly #touched = new Set<unknown>();

  constructor(store: StoreWriter) {
    this.#store = store;
    this.#state = { ...store.state() };
    this.digest = new Sum128(this.#state.digest);
    for (const row of store.collections()) {
      this.#collections.set(row.uid, { ...row, digest: new Sum128(row.digest) });
      this.#byName.set(row.name, row.uid);
    }
    for (const { name, uid } of store.aliases()) this.#aliases.set(name, uid);
    for (const key of store.accessKeys()) this.#accessKeys.set(key.id, key);
  }

  /** The state row as it will be written; change it through the setters below only. */
  get state(): Readonly<StoreState> {
    return this.#state;
  }

  /** Starts a unit: from here on everything can be undone. */
  beginUnit(): void {
    const state = { ...this.#state };
    const words = this.digest.words.slice();
    this.#touched.clear();
    this.#undo = [
      () => {
        this.#state = state;
        this.digest.words.set(words);
      },
    ];
  }

  keepUnit(): void {
    this.#undo = null;
  }

  undoUnit(): void {
    for (const step of (this.#undo ?? []).reverse()) step();
    this.#undo = null;
  }

  #beforeChange(part: unknown, restore: () => void): void {
    if (this.#undo === null || this.#touched.has(part)) return;
    this.#touched.add(part);
    this.#undo.push(restore);
  }

  collectionNames(): Iterable<string> {
    return this.#byName.keys();
  }

  get collectionsCount(): number {
    return this.#byName.size;
  }

  /** Live points over all collections. Cost: one addition a collection. */
  pointsCount(): number {
    let count = 0;
    for (const uid of this.#byName.values()) count += this.#collections.get(uid)?.pointsCount ?? 0;
    return count;
  }

  /** The live collection of this very name. */
  byName(name: string): CollectionState | undefined {
    const uid = this.#byName.get(name);
    return uid === undefined ? undefined : this.#collections.get(uid);
  }

  /** The live collection of this name, or that an alias of this name stands for. */
  resolve(name: string): CollectionState | undefined {
    const uid = this.#byName.get(name) ?? this.#aliases.get(name);
    return uid === undefined ? undefined : this.#collections.get(uid);
  }

  /** Uids of live collections by alias. */
  get aliases(): ReadonlyMap<string, number> {
    return this.#aliases;
  }

  setAlias(name: string, uid: number): void {
    this.#beforeAlias(name);
    this.#aliases.set(name, uid);
    this.#store.putAlias({ name, uid });
  }

  removeAlias(name: string): void {
    this.#beforeAlias(name);
    this.#aliases.delete(name);
    this.#store.removeAlias(name);
  }

  #beforeAlias(name: string): void {
    const before = this.#aliases.get(name);
    this.#undo?.push(() => {
      if (before === undefined) this.#aliases.delete(name);
      else this.#aliases.set(name, before);
    });
    this.#dirtyAliases.add(name);
  }

  /** The aliases that may have changed since the last call, as they are now. */
  takeAliases(): AliasChange[] {
    const changes = [...this.#dirtyAliases].map((name) => ({ name, uid: this.#aliases.get(name) ?? null }));
    this.#dirtyAliases.clear();
    return changes;
  }

  /** By id. */
  get accessKeys(): ReadonlyMap<string, AccessKey> {
    return this.#accessKeys;
  }

  setAccessKey(key: AccessKey): void {
    this.#beforeKey(key.id);
    this.#accessKeys.set(key.id, key);
    this.#store.putAccessKey(key);
  }

  removeAccessKey(id: string): void {
    this.#beforeKey(id);
    this.#accessKeys.delete(id);
    this.#store.removeAccessKey(id);
  }

  #beforeKey(id: string): void {
    const before = this.#accessKeys.get(id);
    this.#undo?.push(() => {
      if (before === undefined) this.#accessKeys.delete(id);
      else this.#accessKeys.set(id, before);
    });
    this.#dirtyKeys.add(id);
  }

  /** The access keys that may have changed since the last call, as they are now. */
  takeAccessKeys(): AccessKeyChange[] {
    const changes = [...this.#dirtyKeys].map((id) => ({ id, key: this.#accessKeys.get(id) ?? null }));
    this.#dirtyKeys.clear();
    return changes;
  }

  byUid(uid: number): CollectionState | undefined {
    return this.#collections.get(uid);
  }

  /** A live collection, ready to be changed in this unit. */
  change(uid: number): CollectionState {
    const collection = this.#collections.get(uid);
    if (collection === undefined) throw new Error(`no live collection has uid ${uid}`);
    const before = { ...collection };
    const words = collection.digest.words.slice();
    this.#beforeChange(collection, () => {
      Object.assign(collection, before);
      collection.digest.words.set(words);
    });
    this.#dirtyCollections.add(uid);
    return collection;
  }

  addCollection(row: CollectionRow): void {
    const { uid, name } = row;
    this.#collections.set(uid, { ...row, digest: new Sum128(row.digest) });
    this.#byName.set(name, uid);
    this.#newCollections.add(uid);
    this.#undo?.push(() => {
      this.#collections.delete(uid);
      this.#byName.delete(name);
      this.#newCollections.delete(uid);
      this.#dirtyCollections.delete(uid);
    });
  }

  /** Takes a collection out of the catalogue; its rows are purged later. */
  dropCollection(uid: number, droppedSeq: number): void {
    const collection = this.change(uid);
    collection.droppedSeq = droppedSeq;
    this.#byName.delete(collection.name);
    this.#undo?.push(() => this.#byName.set(collection.name, uid));
  }

  setUids(nextUid: number): void {
    this.#state.nextUid = nextUid;
  }

  beginHistory(historyId: string, epoch: number): void {
    this.#state.historyId = historyId;
    this.#state.epoch = epoch;
    this.#clusterDirty = true;
  }

  /** Voters or lineage have other rows than before. */
  clusterChanged(): void {
    this.#clusterDirty = true;
  }

  /** Voters and lineage, when they may have changed since the last call. */
  takeCluster(): ClusterRows | null {
    if (!this.#clusterDirty) return null;
    this.#clusterDirty = false;
    return { lineage: this.#store.lineage(), voters: this.#store.voters() };
  }

  /** Moves the state past one entry. */
  advance(seq: number, chainHash: Uint8Array, entryBytes: number): void {
    if (this.#state.seq === this.#state.logMinSeq - 1 && this.#state.logBytes === 0) this.#state.logMinSeq = seq;
    this.#state.seq = seq;
    this.#state.chainHash = chainHash;
    this.#state.logBytes += entryBytes;
  }

  /** What upkeep changed on disk by itself: log start and size, reaped seq. */
  adoptUpkeep(): void {
    const { logMinSeq, logBytes, reapedSeq } = this.#store.state();
    Object.assign(this.#state, { logMinSeq, logBytes, reapedSeq });
  }

  /** Adds a point's content hash to its bucket, its collection and the state. Cost: constant, one page read when cold. */
  addHash(collection: CollectionState, bucket: number, contentHash: Uint8Array): void {
    const page = this.#pageOf(collection.uid, bucket);
    addInto(page, (bucket % FIXED.digestBucketsPerPage) * WORDS_PER_SUM, contentHash, 0);
    collection.digest.add(contentHash);
    this.digest.add(contentHash);
  }

  subtractHash(collection: CollectionState, bucket: number, contentHash: Uint8Array): void {
    const page = this.#pageOf(collection.uid, bucket);
    subtractFrom(page, (bucket % FIXED.digestBucketsPerPage) * WORDS_PER_SUM, contentHash, 0);
    collection.digest.subtract(contentHash);
    this.digest.subtract(contentHash);
  }

  #pageOf(uid: number, bucket: number): Uint32Array {
    const number = Math.floor(bucket / FIXED.digestBucketsPerPage);
    const key = `${uid}:${number}`;
    let page = this.#pages.get(key);
    if (page === undefined) {
      const bytes = this.#store.digestPage(uid, number);
      page = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      this.#pages.set(key, page);
    }
    const own = page;
    if (this.#undo !== null && !this.#touched.has(own)) {
      const before = own.slice();
      this.#beforeChange(own, () => own.set(before));
    }
    this.#dirtyPages.add(key);
    return own;
  }

  /** Writes everything changed since the last flush, inside the open transaction. @returns the rows of the changed collections */
  flush(): CollectionRow[] {
    const changed: CollectionRow[] = [];
    // Updates come before inserts: a name that was dropped in this group must be free for its successor.
    const updated = [...this.#dirtyCollections].filter((uid) => !this.#newCollections.has(uid));
    for (const uid of [...updated, ...this.#newCollections]) {
      const collection = this.#collections.get(uid);
      if (collection === undefined) continue;
      const row: CollectionRow = { ...collection, digest: collection.digest.toBytes() };
      if (this.#newCollections.has(uid)) this.#store.insertCollection(row);
      else this.#store.updateCollection(row);
      changed.push(row);
      if (row.droppedSeq !== null) this.#forget(uid);
    }
    for (const key of this.#dirtyPages) {
      const page = this.#pages.get(key);
      const [uid, number] = key.split(':').map(Number) as [number, number];
      if (page !== undefined) this.#store.writeDigestPage(uid, number, new Uint8Array(page.buffer));
    }
    this.#state.digest = this.digest.toBytes();
    this.#store.writeState(this.#state);
    this.#newCollections.clear();
    this.#dirtyCollections.clear();
    this.#dirtyPages.clear();
    if (this.#pages.size > PAGES_KEPT_MAX) this.#pages.clear();
    return changed;
  }

  #forget(uid: number): void {
    this.#collections.delete(uid);
    for (const key of this.#pages.keys()) {
      if (!key.startsWith(`${uid}:`)) continue;
      this.#pages.delete(key);
      this.#dirtyPages.delete(key);
    }
  }
}
