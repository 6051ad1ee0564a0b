/** The main thread's picture of the collections and their aliases: what the last commit said and what each index last reported.
 *
 *  Invariant: it changes only with a commit or a report, on the main thread, so between two awaits it is one state.
 *  Must not know: how either came to be. */

import type { AliasChange } from '../model/alias.js';
import { checkCollectionName, collectionNotFound } from '../model/collection.js';
import { denseBytes } from '../model/vector-spec.js';
import type { CollectionRow } from '../storage/storage.js';
import type { EngineKind, IndexReport } from './index-messages.js';
import { settingsOf } from './index-settings.js';
import type { IndexLook } from './search-status.js';
import { Tail } from './tail.js';

/** What one label costs the index beside its vector: with few components it is most of the work. */
const LABEL_BYTES = 512;

/** Where one of a collection's indexes stands. */
export interface EngineState {
  /** Null until it has reported, and again when its worker was lost. */
  report: IndexReport | null;
  /** Of all content that came to answer since the start, the number of this one: other settings give other answers without an entry. */
  served: number;
  /** Seq up to which it holds the collection; 0 while it is being built. */
  readonly indexed: Tail;
  /** The number of the collection's configuration whose settings it serves. */
  readonly configured: Tail;
  /** False while it answers nothing, because it is built for a collection that was there before or loaded after a failure: then writes
   *  neither wait for it nor are held back by it. */
  serving: boolean;
  /** Its breaker opened, and it has reported nothing since: while another index answers, writes neither wait for it nor are held back. */
  silent: boolean;
}

export interface CatalogueEntry {
  row: CollectionRow;
  /** How often its settings were changed since the start. */
  configuration: number;
  readonly vector: EngineState;
  /** Null: no text fields are declared. */
  text: EngineState | null;
  /** What the newest look at its graph found; null before the first, and without a graph. */
  health: IndexLook | null;
  /** Monotonic time of the last write seen. */
  lastWriteMs: number;
  /** Monotonic time when a checkpoint was last asked for. */
  readonly lastSaveMs: { vector: number; text: number };
  /** What is durable and not yet in the indexes, as bytes of vectors and labels. */
  lagBytes: number;
  /** What is in the index and waits for its place in the graph, likewise. */
  waitingBytes: number;
}

export class Catalogue {
  readonly #byName = new Map<string, CatalogueEntry>();
  readonly #byUid = new Map<number, CatalogueEntry>();
  /** Alias → uid. */
  readonly #aliases = new Map<string, number>();
  #lagBytes = 0;
  #waitingBytes = 0;
  #served = 0;

  /** @param name of a collection or an alias  @throws InvalidCollectionName, CollectionNotFound */
  get(name: string): CatalogueEntry {
    checkCollectionName(name);
    const entry = this.find(name);
    if (entry === undefined) throw collectionNotFound(name, this.#byName.keys());
    return entry;
  }

  /** @param name of a collection or an alias */
  find(name: string): CatalogueEntry | undefined {
    return this.#byName.get(name) ?? this.#byUid.get(this.#aliases.get(name) ?? Number.NaN);
  }

  /** Every alias with the name of its collection, by alias. */
  aliases(): { readonly alias: string; readonly collection: string }[] {
    const found: { alias: string; collection: string }[] = [];
    for (const alias of [...this.#aliases.keys()].sort()) {
      const entry = this.find(alias);
      if (entry !== undefined) found.push({ alias, collection: entry.row.name });
    }
    return found;
  }

  /** Takes in what a commit did to aliases, behind what it did to collections. */
  takeAliases(changes: readonly AliasChange[]): void {
    for (const { name, uid } of changes) {
      if (uid === null) this.#aliases.delete(name);
      else this.#aliases.set(name, uid);
    }
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
    const { row, vector, text } = entry;
    const labelBytes = denseBytes(row.spec) + LABEL_BYTES;
    const behind = (state: EngineState | null): number =>
      state?.serving && !state.silent ? Math.max(0, row.nextLabel - (state.report?.nextLabel ?? 0)) : 0;
    const lagBytes = behind(vector) * labelBytes + behind(text) * LABEL_BYTES;
    const waiting = vector.silent ? 0 : (vector.report?.status.waiting ?? 0);
    this.#setWork(entry, lagBytes, waiting * labelBytes);
  }

  #setWork(entry: CatalogueEntry, lagBytes: number, waitingBytes: number): void {
    this.#lagBytes += lagBytes - entry.lagBytes;
    this.#waitingBytes += waitingBytes - entry.waitingBytes;
    entry.lagBytes = lagBytes;
    entry.waitingBytes = waitingBytes;
  }

  /** Ends every wait for an index; what is not there yet counts as not reached. */
  endWaits(): void {
    for (const entry of this.#byUid.values()) for (const state of enginesOf(entry)) endWaits(state);
  }

  /** Takes in one changed row. @returns what became of the collection */
  take(row: CollectionRow, nowMs: number): 'created' | 'changed' | 'configured' | 'dropped' | 'unknown' {
    const entry = this.#byUid.get(row.uid);
    if (row.droppedSeq !== null) {
      if (entry === undefined) return 'unknown';
      this.#byUid.delete(row.uid);
      if (this.#byName.get(row.name) === entry) this.#byName.delete(row.name);
      this.#setWork(entry, 0, 0);
      for (const state of enginesOf(entry)) endWaits(state);
      return 'dropped';
    }
    if (entry !== undefined) {
      const configured = JSON.stringify(entry.row.spec) !== JSON.stringify(row.spec);
      entry.row = configured ? row : { ...row, spec: entry.row.spec };
      if (configured) entry.configuration += 1;
      if (configured) this.#syncText(entry);
      entry.lastWriteMs = nowMs;
      this.#measure(entry);
      return configured ? 'configured' : 'changed';
    }
    const created: CatalogueEntry = {
      row,
      configuration: 0,
      vector: newState(true),
      text: null,
      health: null,
      lastWriteMs: nowMs,
      lastSaveMs: { vector: nowMs, text: nowMs },
      lagBytes: 0,
      waitingBytes: 0,
    };
    this.#syncText(created);
    this.#measure(created);
    this.#byUid.set(row.uid, created);
    this.#byName.set(row.name, created);
    return 'created';
  }

  /** There is a text index exactly while text fields are declared. */
  #syncText(entry: CatalogueEntry): void {
    const wanted = entry.row.spec.text.fields.length > 0;
    if (wanted) entry.text ??= newState(entry.row.pointsCount === 0);
    else {
      if (entry.text !== null) endWaits(entry.text);
      entry.text = null;
    }
  }

  /** The worker of an index died: nothing of it is known until it reports again. */
  lost(uid: number, engine: EngineKind): void {
    const entry = this.#byUid.get(uid);
    const state = entry?.[engine];
    if (entry === undefined || state === null || state === undefined) return;
    state.report = null;
    state.serving = false;
    state.indexed.reset();
    this.#measure(entry);
    if (!waitedFor(entry).includes(state)) state.indexed.close();
  }

  /** It answers again. */
  trust(engine: EngineKind): void {
    for (const entry of this.#byUid.values()) {
      const state = entry[engine];
      if (state === null) continue;
      state.silent = false;
      this.#measure(entry);
    }
  }

  /** Nothing is expected of an engine until it reports: waits for its indexes end, where another one answers. */
  doubt(engine: EngineKind): void {
    for (const entry of this.#byUid.values()) {
      const state = entry[engine];
      if (state === null) continue;
      state.silent = true;
      this.#measure(entry);
      if (!waitedFor(entry).includes(state)) state.indexed.close();
    }
  }

  report(report: IndexReport): CatalogueEntry | undefined {
    const entry = this.#byUid.get(report.uid);
    const state = entry?.[report.engine];
    if (entry === undefined || state === null || state === undefined) return undefined;
    if (report.configurations !== state.report?.configurations) state.served = ++this.#served;
    state.report = report;
    state.silent = false;
    // An index that is still building has parts of many states; it is level for nobody.
    if (report.phase !== 'building') {
      state.serving = true;
      state.indexed.advance(report.seq);
      if (report.settings === settingsOf(entry.row.spec) && report.status.payloadProgress === 1)
        state.configured.advance(entry.configuration);
    }
    this.#measure(entry);
    return entry;
  }
}

function newState(serving: boolean): EngineState {
  return { report: null, served: 0, indexed: new Tail(0), configured: new Tail(0), serving, silent: false };
}

function endWaits({ indexed, configured }: EngineState): void {
  indexed.close();
  configured.close();
}

/** The indexes that a collection has. */
export function enginesOf({ vector, text }: CatalogueEntry): readonly EngineState[] {
  return text === null ? [vector] : [vector, text];
}

/** Seq whose state a search of this index shows: the durable one when nothing of the collection is missing from it. */
export function shownSeq({ indexed }: EngineState, { row }: CatalogueEntry, durableSeq: number): number {
  return indexed.seq >= row.lastSeq ? durableSeq : indexed.seq;
}

/** The least that any index of the collection shows. */
export function leastShownSeq(entry: CatalogueEntry, durableSeq: number): number {
  return Math.min(...enginesOf(entry).map((state) => shownSeq(state, entry, durableSeq)));
}

/** Up to where searches of the collection see everything. */
export function leastIndexed(entry: CatalogueEntry): number {
  return Math.min(...waitedFor(entry).map(({ indexed }) => indexed.seq));
}

/** Waits until whatever answers searches of the collection has applied `seq`.
 *  @param leftMs how long it may still take  @returns false when time was over, or the collection was dropped */
export async function reachIndexed(entry: CatalogueEntry, seq: number, leftMs: () => number): Promise<boolean> {
  for (const state of waitedFor(entry)) {
    if (!waitedFor(entry).includes(state)) continue;
    if (!(await state.indexed.reach(seq, leftMs())) && waitedFor(entry).includes(state)) return false;
  }
  return true;
}

/** Waits until all indexes of the collection serve the settings that it has now, or later ones.
 *  @param leftMs how long it may still take  @returns false when time was over, or the collection was dropped */
export async function reachConfigured(entry: CatalogueEntry, leftMs: () => number): Promise<boolean> {
  const { configuration } = entry;
  for (const state of enginesOf(entry))
    if (!(await state.configured.reach(configuration, leftMs())) && enginesOf(entry).includes(state)) return false;
  return true;
}

function waitedFor(entry: CatalogueEntry): readonly EngineState[] {
  const serving = enginesOf(entry).filter((state) => state.serving && !state.silent);
  return serving.length > 0 ? serving : [entry.vector];
}

/** Why no search of the collection is complete, or null: what an index could not read, it does not find. */
export function damagedReason(entry: CatalogueEntry): string | null {
  const damaged = Math.max(...enginesOf(entry).map(({ report }) => report?.damaged ?? 0));
  return damaged === 0 ? null : `${damaged} points are damaged and cannot be found`;
}
