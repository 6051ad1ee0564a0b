/** The main thread's picture of the collections: what the last commit said and what each index last reported.
 *
 *  Invariant: it changes only with a commit or a report, on the main thread, so between two awaits it is one state.
 *  Must not know: how either came to be. */

import { checkCollectionName, collectionNotFound } from '../model/collection.js';
import type { CollectionRow } from '../storage/storage.js';
import type { IndexReport } from './index-messages.js';
import { Tail } from './tail.js';

/** What one label costs the index beside its vector: with few components it is most of the work. */
const LABEL_BYTES = 512;

export interface CatalogueEntry {
  row: CollectionRow;
  report: IndexReport | null;
  /** Seq up to which the index holds the collection. */
  readonly indexed: Tail;
  /** Monotonic time of the last write seen. */
  lastWriteMs: number;
  /** Monotonic time when a checkpoint was last asked for. */
  lastSaveMs: number;
  /** What is durable and not yet in the index, as bytes of vectors and labels. */
  lagBytes: number;
  /** What is in the index and waits for its place in the graph, likewise. */
  waitingBytes: number;
}

export class Catalogue {
  readonly #byName = new Map<string, CatalogueEntry>();
  readonly #byUid = new Map<number, CatalogueEntry>();
  #lagBytes = 0;
  #waitingBytes = 0;

  /** @throws InvalidCollectionName, CollectionNotFound */
  get(name: string): CatalogueEntry {
    checkCollectionName(name);
    const entry = this.#byName.get(name);
    if (entry === undefined) throw collectionNotFound(name, this.#byName.keys());
    return entry;
  }

  find(name: string): CatalogueEntry | undefined {
    return this.#byName.get(name);
  }

  byUid(uid: number): CatalogueEntry | undefined {
    return this.#byUid.get(uid);
  }

  all(): Iterable<CatalogueEntry> {
    return this.#byUid.values();
  }

  get size(): number {
    return this.#byUid.size;
  }

  /** What all indexes lag behind the store. Cost: none, it is kept as a sum. */
  get lagBytes(): number {
    return this.#lagBytes;
  }

  /** What waits for its place in a graph, in all indexes. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  #measure(entry: CatalogueEntry): void {
    const { row, report } = entry;
    const labelBytes = row.spec.dimension * 4 + LABEL_BYTES;
    const behind = Math.max(0, row.nextLabel - (report?.nextLabel ?? 0));
    this.#setWork(entry, behind * labelBytes, (report?.status.waiting ?? 0) * labelBytes);
  }

  #setWork(entry: CatalogueEntry, lagBytes: number, waitingBytes: number): void {
    this.#lagBytes += lagBytes - entry.lagBytes;
    this.#waitingBytes += waitingBytes - entry.waitingBytes;
    entry.lagBytes = lagBytes;
    entry.waitingBytes = waitingBytes;
  }

  /** Ends every wait for an index; what is not there yet counts as not reached. */
  endWaits(): void {
    for (const { indexed } of this.#byUid.values()) indexed.close();
  }

  /** Takes in one changed row. @returns what became of the collection */
  take(row: CollectionRow, nowMs: number): 'created' | 'changed' | 'dropped' | 'unknown' {
    const entry = this.#byUid.get(row.uid);
    if (row.droppedSeq !== null) {
      if (entry === undefined) return 'unknown';
      this.#byUid.delete(row.uid);
      if (this.#byName.get(row.name) === entry) this.#byName.delete(row.name);
      this.#setWork(entry, 0, 0);
      entry.indexed.close();
      return 'dropped';
    }
    if (entry !== undefined) {
      entry.row = row;
      entry.lastWriteMs = nowMs;
      this.#measure(entry);
      return 'changed';
    }
    const indexed = new Tail(0);
    const moments = { lastWriteMs: nowMs, lastSaveMs: nowMs };
    const created: CatalogueEntry = { row, report: null, indexed, ...moments, lagBytes: 0, waitingBytes: 0 };
    this.#measure(created);
    this.#byUid.set(row.uid, created);
    this.#byName.set(row.name, created);
    return 'created';
  }

  report(report: IndexReport): CatalogueEntry | undefined {
    const entry = this.#byUid.get(report.uid);
    if (entry === undefined) return undefined;
    entry.report = report;
    this.#measure(entry);
    // An index that is still building has parts of many states; it is level for nobody.
    if (report.phase !== 'building') entry.indexed.advance(report.seq);
    return entry;
  }
}

/** Seq whose state a search of this collection shows: the durable one when nothing of the collection is missing from its index. */
export function shownSeq(entry: CatalogueEntry, durableSeq: number): number {
  return entry.indexed.seq >= entry.row.lastSeq ? durableSeq : entry.indexed.seq;
}
