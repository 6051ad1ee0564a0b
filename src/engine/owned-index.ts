/** One collection inside an index worker: its index, its cursor, its checkpoints, and a rebuilt graph on its way in.
 *
 *    open ─► building ─► ready ◄─► adopting          (building: from a checkpoint or from nothing, until level once)
 *
 *  Invariant: what serves searches is never ahead of the store; a checkpoint is written only from a quiet index.
 *  Must not know: messages, other collections. */

import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StoreReads } from '../storage/storage.js';
import { createIndex, openCheckpoint, removeLeftovers } from '../vector-index/open-index.js';
import type { IndexHits, IndexParameters } from '../vector-index/vector-index.js';
import type { IndexedCollection, IndexPhase, IndexReport } from './index-messages.js';
import { IndexUpkeep, reconcile } from './index-upkeep.js';

type Note = (event: string, fields: Readonly<Record<string, unknown>>) => void;

const SLICES_PER_SERVING_SLICE = 4;
const ASSUMED_MS_PER_ADD = 0.2;

export class OwnedIndex {
  readonly #reads: StoreReads;
  readonly #collection: IndexedCollection;
  readonly #note: Note;
  #current: IndexUpkeep;
  #incoming: IndexUpkeep | null = null;
  #phase: IndexPhase = 'building';
  #saving: Promise<void> | null = null;
  #saveFailed = false;
  #savedSeq = -1;
  #savedLabel = 0;
  #checkpointBytes = 0;
  #opened = false;
  #slices = 0;
  #discarded = false;

  constructor(reads: StoreReads, collection: IndexedCollection, note: Note) {
    this.#reads = reads;
    this.#collection = collection;
    this.#note = note;
    this.#current = this.#empty();
  }

  get #parameters(): IndexParameters {
    const { dimension, distance, hnsw } = this.#collection.spec;
    return { dimension, distance, m: hnsw.m, efConstruct: hnsw.efConstruct };
  }

  #empty(): IndexUpkeep {
    return new IndexUpkeep(
      this.#reads,
      this.#collection.uid,
      createIndex(this.#parameters),
      0,
      0,
      this.#reads.collection(this.#collection.uid)?.nextLabel ?? 0,
    );
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
    if (loaded !== null) {
      this.#current = loaded;
      this.#savedSeq = loaded.seq;
      this.#savedLabel = loaded.nextLabel;
    }
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

  /** Works for about budgetMs. @returns true when more is left */
  advance(budgetMs: number): boolean {
    if (!this.#opened || this.#saving !== null || this.#discarded) return false;
    if (this.#incoming !== null) return this.#catchUp(this.#incoming, budgetMs);
    const more = this.#current.advance(budgetMs);
    if (this.#phase === 'building' && this.#current.complete) this.#phase = 'ready';
    return more;
  }

  /** The incoming graph gets most slices, so that it catches up with a serving one that goes on moving under load. */
  #catchUp(incoming: IndexUpkeep, budgetMs: number): boolean {
    this.#slices += 1;
    (this.#slices % SLICES_PER_SERVING_SLICE === 0 ? this.#current : incoming).advance(budgetMs);
    const level = incoming.seq >= this.#current.seq && incoming.nextLabel >= this.#current.nextLabel;
    if (level && incoming.complete) this.#switch(incoming);
    return true;
  }

  #switch(incoming: IndexUpkeep): void {
    const before = this.#current.index.status();
    this.#current.index.close();
    this.#current = incoming;
    this.#incoming = null;
    this.#phase = 'ready';
    this.#note('index_rebuilt', {
      uid: this.#collection.uid,
      tombstones_before: before.tombstones,
      live: incoming.index.status().live,
    });
  }

  search(query: Float32Array, limit: number, ef: number): IndexHits {
    return this.#current.index.search(query, limit, ef);
  }

  /** Loads the rebuilt graph from the folder; it catches up beside the serving one and then takes its place. */
  async adopt(): Promise<void> {
    // From here on no checkpoint is written, so the newest one stays the rebuilt one.
    this.#phase = 'adopting';
    await this.#saving;
    const loaded = await this.#load();
    if (loaded === null || this.#discarded) {
      loaded?.index.close();
      this.#phase = 'ready';
      this.#note('index_rebuild_lost', { uid: this.#collection.uid });
      return;
    }
    this.#incoming?.index.close();
    this.#incoming = loaded;
    this.#savedSeq = loaded.seq;
    this.#savedLabel = loaded.nextLabel;
  }

  /** Writes a checkpoint of the serving index; upkeep waits meanwhile. A full disk only costs the checkpoint. */
  async save(): Promise<void> {
    if (this.#saving !== null || this.#phase !== 'ready' || this.#discarded) return;
    if (this.#current.index.status().kind === 'flat') return;
    this.#saving = this.#write();
    await this.#saving;
  }

  async #write(): Promise<void> {
    const { uid, labelGeneration, folder } = this.#collection;
    const { seq, nextLabel } = this.#current;
    try {
      this.#checkpointBytes = await this.#current.index.save(folder, { uid, labelGeneration, seq, nextLabel });
      this.#savedSeq = seq;
      this.#savedLabel = nextLabel;
      this.#saveFailed = false;
    } catch (error) {
      this.#saveFailed = true;
      this.#note('index_checkpoint_failed', { uid, reason: error instanceof Error ? error.message : String(error) });
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
    await this.#saving;
    this.#current.index.close();
    this.#incoming?.index.close();
    const { folder } = this.#collection;
    await this.#tidy(() => rm(folder, { recursive: true, force: true }));
    // The folder of the collection held nothing else.
    await rmdir(dirname(folder)).catch(() => undefined);
  }

  report(): IndexReport {
    const status = this.#current.index.status();
    const msPerAdd = this.#current.msPerAdd || ASSUMED_MS_PER_ADD;
    return {
      uid: this.#collection.uid,
      phase: this.#phase,
      seq: this.#current.seq,
      neededSeq: Math.min(this.#current.seq, this.#incoming?.seq ?? Number.POSITIVE_INFINITY),
      nextLabel: this.#current.nextLabel,
      status,
      replayMs:
        status.kind === 'flat' || this.#savedSeq === this.#current.seq
          ? 0
          : (this.#current.nextLabel - this.#savedLabel) * msPerAdd,
      rebuildMs: status.live * msPerAdd,
      checkpointBytes: this.#checkpointBytes,
      saving: this.#saving !== null,
      saveFailed: this.#saveFailed,
    };
  }
}
