/** One collection inside an index worker: its index, its cursor, its checkpoints.
 *
 *    open ─► building ─► ready          (building: from a checkpoint or from nothing, until level once)
 *
 *  Invariant: what serves searches is never ahead of the store; a checkpoint is written only from a quiet index.
 *  Must not know: messages, other collections. */

import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../model/errors.js';
import type { StoreReads } from '../storage/storage.js';
import { createIndex, openCheckpoint, removeLeftovers } from '../vector-index/open-index.js';
import type { IndexHits, IndexParameters, IndexStatus } from '../vector-index/vector-index.js';
import type { IndexedCollection, IndexPhase, IndexReport } from './index-messages.js';
import { IndexUpkeep, reconcile } from './index-upkeep.js';

type Note = (event: string, fields: Readonly<Record<string, unknown>>) => void;

const ASSUMED_MS_PER_INSERT = 0.2;

export class OwnedIndex {
  readonly #reads: StoreReads;
  readonly #collection: IndexedCollection;
  readonly #note: Note;
  #current: IndexUpkeep;
  #phase: IndexPhase = 'building';
  #saving: Promise<void> | null = null;
  #saveFailed = false;
  /** Inserts of the index that its newest checkpoint holds. */
  #savedInserts = 0;
  #checkpointBytes = 0;
  #opened = false;
  #discarded = false;
  #settling: (() => void)[] = [];

  constructor(reads: StoreReads, collection: IndexedCollection, note: Note) {
    this.#reads = reads;
    this.#collection = collection;
    this.#note = note;
    const stored = reads.collection(collection.uid)?.nextLabel ?? 0;
    this.#current = new IndexUpkeep(reads, collection.uid, createIndex(this.#parameters), 0, 0, stored);
  }

  get #parameters(): IndexParameters {
    const { dimension, distance, hnsw } = this.#collection.spec;
    return { dimension, distance, m: hnsw.m, efConstruct: hnsw.efConstruct, quantization: 'none' };
  }

  /** Had it nothing more to read when it last looked? */
  get level(): boolean {
    return this.#current.level;
  }

  get seq(): number {
    return this.#current.seq;
  }

  get live(): number {
    return this.#current.index.status().live;
  }

  /** Starts from the newest trusted checkpoint, or from nothing. Nobody else writes into the folder yet. */
  async open(): Promise<void> {
    await this.#tidy(() => removeLeftovers(this.#collection.folder));
    const loaded = await this.#load();
    if (this.#discarded) return loaded?.index.close();
    if (loaded !== null) this.#current = loaded;
    this.#opened = true;
  }

  async #load(): Promise<IndexUpkeep | null> {
    const { uid, labelGeneration, folder } = this.#collection;
    const opened = await openCheckpoint(folder, { uid, labelGeneration, parameters: this.#parameters });
    if ('refused' in opened) {
      if (opened.refused !== 'none') this.#note('index_checkpoint_refused', { uid, reason: opened.refused });
      return null;
    }
    const { nextLabel, seq } = opened.head;
    const state = this.#reads.state();
    const stored = this.#reads.collection(uid)?.nextLabel ?? 0;
    const ahead = seq > state.seq || nextLabel > stored ? `it is at seq ${seq}, the store at ${state.seq}` : null;
    const reason = ahead ?? reconcile(this.#reads, uid, opened.index, nextLabel);
    if (reason !== null) {
      opened.index.close();
      this.#note('index_checkpoint_refused', { uid, reason });
      // It is of another state than the store's past, and must not look right when the store has come further.
      await this.#tidy(() => rm(folder, { recursive: true, force: true }));
      return null;
    }
    this.#note('index_checkpoint_loaded', { uid, seq, labels: nextLabel });
    return new IndexUpkeep(this.#reads, uid, opened.index, nextLabel, seq, stored);
  }

  /** Files that cannot be removed are no reason not to serve. */
  async #tidy(remove: () => Promise<void>): Promise<void> {
    const { uid } = this.#collection;
    await remove().catch((error: Error) => this.#note('index_files_not_removed', { uid, reason: error.message }));
  }

  /** Works for about budgetMs. @returns as IndexUpkeep.advance */
  advance(budgetMs: number): number | null {
    if (!this.#opened || this.#discarded) return null;
    const before = this.#current.index.status();
    const nextMs = this.#current.advance(budgetMs);
    if (this.#phase === 'building' && this.#current.complete) this.#phase = 'ready';
    this.#noteRebuild(before, this.#current.index.status());
    if (this.#settling.length === 0) return nextMs;
    if (!this.#current.settle()) return 0;
    this.#tellSettled();
    return 0;
  }

  /** Calls `done` when the index holds what the store holds, also what was changed at a seq that it had passed. */
  settle(done: () => void): void {
    this.#settling.push(done);
  }

  #tellSettled(): void {
    const waiting = this.#settling;
    this.#settling = [];
    for (const done of waiting) done();
  }

  #noteRebuild(before: IndexStatus, after: IndexStatus): void {
    const { uid } = this.#collection;
    const { live, tombstones } = after;
    if (after.rebuilds > before.rebuilds) this.#note('index_rebuilt', { uid, live, tombstones });
    if (after.kind === 'graph' && after.growing > 0 && (before.growing === 0 || after.rebuilds > before.rebuilds))
      this.#note('index_rebuild_started', { uid, live, tombstones });
  }

  search(query: Float32Array, limit: number, ef: number): IndexHits {
    return this.#current.index.search(query, limit, ef);
  }

  /** Writes a checkpoint of the graph, which stands still meanwhile; the cursor goes on. A full disk only costs the checkpoint. */
  async save(): Promise<void> {
    if (this.#saving !== null || this.#phase !== 'ready' || this.#discarded) return;
    const { kind, live, waiting } = this.#current.index.status();
    if (kind === 'flat' || live === waiting) return;
    this.#saving = this.#write();
    await this.#saving;
  }

  async #write(): Promise<void> {
    const { uid, labelGeneration, folder } = this.#collection;
    const { seq, nextLabel, index } = this.#current;
    const { inserts } = index;
    try {
      this.#checkpointBytes = await index.save(folder, { uid, labelGeneration, seq, nextLabel });
      this.#savedInserts = inserts;
      this.#saveFailed = false;
    } catch (error) {
      this.#saveFailed = true;
      this.#note('index_checkpoint_failed', { uid, reason: messageOf(error) });
    } finally {
      this.#saving = null;
    }
  }

  async saveAtShutdown(): Promise<void> {
    await this.#saving;
    if (this.#phase === 'ready' && this.report().replayMs > 0) await this.save();
  }

  /** The collection is gone: so are its files. */
  async discard(): Promise<void> {
    this.#discarded = true;
    this.#tellSettled();
    await this.#saving;
    this.#current.index.close();
    const { folder } = this.#collection;
    await this.#tidy(() => rm(folder, { recursive: true, force: true }));
    // The folder of the collection held nothing else.
    await rmdir(dirname(folder)).catch(() => undefined);
  }

  report(): IndexReport {
    const status = this.#current.index.status();
    const msPerInsert = this.#current.msPerInsert || ASSUMED_MS_PER_INSERT;
    return {
      uid: this.#collection.uid,
      phase: this.#phase,
      seq: this.#current.seq,
      nextLabel: this.#current.nextLabel,
      status,
      replayMs: status.kind === 'flat' ? 0 : (this.#current.index.inserts - this.#savedInserts) * msPerInsert,
      rebuildMs: status.live * msPerInsert,
      checkpointBytes: this.#checkpointBytes,
      saving: this.#saving !== null,
      saveFailed: this.#saveFailed,
    };
  }
}
