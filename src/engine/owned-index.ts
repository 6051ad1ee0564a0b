/** One collection inside an index worker: its content, its cursor, its checkpoints, the questions that are being answered.
 *
 *    open ─► building ─► ready          (building: from a checkpoint or from nothing, until level once)
 *
 *  New settings that the content cannot take (another text analysis) are built beside it, and served once they are level.
 *  While a question is being answered the content stands still, so that no point is met twice or missed; between two questions it goes on.
 *  Invariant: what serves searches is never ahead of the store; a checkpoint is written only from a quiet index.
 *  Must not know: messages, other collections, what the content is. */

import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../model/errors.js';
import { DEFAULT_VECTOR } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { nativeBuild } from '../vector-index/open-index.js';
import { type AskRun, beginRun } from './ask-run.js';
import type { BegunAsk } from './asks-in-turn.js';
import type { ContentKind } from './content-kinds.js';
import type { IndexAsk } from './index-asks.js';
import type { ContentStatus, IndexedCollection, IndexPhase, IndexReport } from './index-messages.js';
import { settingsOf } from './index-settings.js';
import { IndexUpkeep, reconcile } from './index-upkeep.js';
import { LearnedCosts } from './learned-costs.js';
import type { ServedContent } from './served-content.js';
import { soundReads } from './sound-reads.js';
import { VectorContent } from './vector-content.js';

type Note = (event: string, fields: Readonly<Record<string, unknown>>) => void;

const ASSUMED_MS_PER_INSERT = 0.2;
/** Questions that overlap without end must not keep the index from coming level. */
const STILL_MS_MAX = 50;
/** What a question waits so that units come in as a whole: some thousand rows. */
const LEVEL_MS_MAX = 8;

export class OwnedIndex {
  /** Which of the openings of its collection this is. */
  readonly opening: number;
  readonly #reads: StoreReads;
  readonly #kind: ContentKind;
  readonly #note: Note;
  #collection: IndexedCollection;
  #current: IndexUpkeep<ServedContent>;
  /** Content with newer settings, until it is level. */
  #next: { readonly collection: IndexedCollection; readonly upkeep: IndexUpkeep<ServedContent> } | null = null;
  #phase: IndexPhase = 'building';
  #saving: Promise<void> | null = null;
  #saveFailed = false;
  /** Inserts of the index that its newest checkpoint holds. */
  #savedInserts = 0;
  #checkpointBytes = 0;
  #opened = false;
  #discarded = false;
  #settling: (() => void)[] = [];
  /** Somebody waits for what was mended, and the labels that were passed over have not been looked at since. */
  #mayReadMore = false;
  #asks = 0;
  /** Since when questions have kept the content still, or null. */
  #stillSinceMs: number | null = null;
  #configurations = 0;
  readonly #costs = new LearnedCosts();

  constructor(reads: StoreReads, kind: ContentKind, collection: IndexedCollection, opening: number, note: Note) {
    this.opening = opening;
    this.#reads = reads;
    this.#kind = kind;
    this.#collection = collection;
    this.#note = note;
    this.#current = this.#build(collection);
  }

  /** From nothing, up to what the store has now. */
  #build(collection: IndexedCollection): IndexUpkeep<ServedContent> {
    const stored = this.#reads.collection(collection.uid)?.nextLabel ?? 0;
    const reads = soundReads(this.#reads);
    return new IndexUpkeep(reads, collection.uid, this.#kind.create(reads, collection), 0, 0, stored);
  }

  /** Had it nothing more to read when it last looked? */
  get level(): boolean {
    return this.#current.level;
  }

  get seq(): number {
    return this.#current.seq;
  }

  get live(): number {
    return this.#status().live;
  }

  get ready(): boolean {
    return this.#phase === 'ready';
  }

  /** Has it been kept from its upkeep for so long that new questions should wait? */
  get starved(): boolean {
    return this.#stillSinceMs !== null && performance.now() - this.#stillSinceMs > STILL_MS_MAX;
  }

  #status(): ContentStatus {
    return this.#current.content.status(this.#current.nextLabel);
  }

  /** Starts from the newest trusted checkpoint, or from nothing. Nobody else writes into the folder yet. */
  async open(): Promise<void> {
    const asked = this.#collection;
    await this.#tidy(() => this.#kind.removeLeftovers(asked.folder));
    const loaded = await this.#load();
    if (this.#discarded) return loaded?.content.close();
    if (loaded !== null) this.#current = loaded;
    this.#opened = true;
    this.#noteForm();
    const latest = this.#collection;
    this.#collection = asked;
    if (latest !== asked) this.configure(latest);
  }

  async #load(): Promise<IndexUpkeep<ServedContent> | null> {
    const { uid, folder } = this.#collection;
    const reads = soundReads(this.#reads);
    const opened = await this.#kind.open(reads, this.#collection);
    if ('refused' in opened) {
      if (opened.refused !== 'none') this.#note('index_checkpoint_refused', { uid, reason: opened.refused });
      return null;
    }
    for (const reason of opened.refusals ?? []) this.#note('index_checkpoint_refused', { uid, reason });
    const { nextLabel, seq } = opened.head;
    const state = this.#reads.state();
    const stored = this.#reads.collection(uid)?.nextLabel ?? 0;
    const ahead = seq > state.seq || nextLabel > stored ? `it is at seq ${seq}, the store at ${state.seq}` : null;
    const reason = ahead ?? reconcile(reads, uid, opened.content, nextLabel);
    if (reason !== null) {
      opened.content.close();
      this.#note('index_checkpoint_refused', { uid, reason });
      // It is of another state than the store's past, and must not look right when the store has come further.
      await this.#tidy(() => rm(folder, { recursive: true, force: true }));
      return null;
    }
    opened.content.refill();
    this.#note('index_checkpoint_loaded', { uid, engine: this.#kind.engine, seq, labels: nextLabel });
    return new IndexUpkeep(reads, uid, opened.content, nextLabel, seq, stored);
  }

  #noteForm(): void {
    const { uid, spec } = this.#collection;
    const { content } = this.#current;
    if (!(content instanceof VectorContent) || !content.keepsWhole(spec)) return;
    this.#note('index_not_quantized', { uid, quantization: spec.quantization?.type, native_build: nativeBuild() });
  }

  /** Files that cannot be removed are no reason not to serve. */
  async #tidy(remove: () => Promise<void>): Promise<void> {
    const { uid } = this.#collection;
    await remove().catch((error: Error) => this.#note('index_files_not_removed', { uid, reason: error.message }));
  }

  /** The collection's settings changed. */
  configure(collection: IndexedCollection): void {
    if (!this.#opened) {
      this.#collection = collection;
      return;
    }
    const before = this.#next?.collection ?? this.#collection;
    if (this.#next === null && this.#current.content.configure(before.spec, collection.spec)) {
      this.#collection = collection;
      this.#configurations += 1;
      return;
    }
    this.#next?.upkeep.content.close();
    this.#next = { collection, upkeep: this.#build(collection) };
  }

  /** Works for about budgetMs. @returns as IndexUpkeep.advance */
  advance(budgetMs: number): number | null {
    if (!this.#opened || this.#discarded) return null;
    if (this.#asks > 0) {
      this.#stillSinceMs ??= performance.now();
      return 0;
    }
    this.#stillSinceMs = null;
    const before = this.#status();
    const nextMs = this.#current.advance(budgetMs);
    if (this.#phase === 'building' && this.#current.complete && this.#current.content.complete) this.#phase = 'ready';
    this.#noteRebuild(before, this.#status());
    if (this.#next !== null) return this.#advanceNext(budgetMs);
    if (this.#settling.length === 0) return nextMs;
    this.#readMended();
    if (this.#next !== null || !this.#current.settle()) return 0;
    this.#tellSettled();
    return 0;
  }

  #advanceNext(budgetMs: number): number | null {
    const next = this.#next;
    if (next === null || this.#saving !== null) return 0;
    next.upkeep.advance(budgetMs);
    const { upkeep, collection } = next;
    if (!upkeep.complete || !upkeep.content.complete || upkeep.seq < this.#current.seq) return 0;
    // Rows that died behind its cursor may have been removed before it read of their deaths.
    if (!upkeep.settle()) return 0;
    this.#current.content.close();
    this.#current = upkeep;
    this.#collection = collection;
    this.#next = null;
    this.#configurations += 1;
    // The files are of other settings, or of fewer points, which the next start refuses.
    this.#savedInserts = 0;
    this.#note('index_replaced', { uid: collection.uid, engine: this.#kind.engine, damaged: upkeep.damaged });
    return 0;
  }

  /** Live points whose rows could not be read. */
  get damaged(): number {
    return this.#current.damaged;
  }

  /** Forgets what is kept only to be faster. */
  relieve(): void {
    if (!this.#opened || this.#discarded) return;
    for (const content of [this.#current.content, this.#next?.upkeep.content]) content?.relieve();
  }

  /** Leaves the graph for a fresh one, if there is one; after a checkpoint that is written. */
  async renew(): Promise<void> {
    await this.#saving;
    const { content } = this.#current;
    if (this.#discarded || !(content instanceof VectorContent)) return;
    const before = this.#status();
    for (const index of content.indexes.dense.values()) index.renew();
    this.#noteRebuild(before, this.#status());
  }

  /** Calls `done` when the index holds what the store holds, also what was changed at a seq that it had passed. */
  settle(done: () => void): void {
    this.#settling.push(done);
    this.#mayReadMore = true;
    this.#readMended();
  }

  /** What was passed over may be whole by now, and its place is behind the cursor. Content that is being built may pass it over before it is
   *  mended, so it is looked at once it serves; once for each call of `settle`, so that a row which stays damaged is not waited for. */
  #readMended(): void {
    if (!this.#mayReadMore || this.#next !== null || !this.#opened) return;
    this.#mayReadMore = false;
    if (this.#current.couldReadMore()) this.#next = { collection: this.#collection, upkeep: this.#build(this.#collection) };
  }

  #tellSettled(): void {
    const waiting = this.#settling;
    this.#settling = [];
    for (const done of waiting) done();
  }

  #noteRebuild(before: ContentStatus, after: ContentStatus): void {
    const { uid } = this.#collection;
    const { live, tombstones } = after;
    if (after.rebuilds > before.rebuilds) this.#note('index_rebuilt', { uid, live, tombstones });
    if (after.kind === 'graph' && after.growing > 0 && (before.growing === 0 || after.rebuilds > before.rebuilds))
      this.#note('index_rebuild_started', { uid, live, tombstones });
  }

  /** Begins to answer; the content stands still until `end` is called, but for a question of the background. */
  ask(ask: IndexAsk): BegunAsk {
    if (this.#asks === 0) this.#comeLevel();
    const { content, seq, nextLabel, level } = this.#current;
    const key = ask.kind === 'vector' ? (ask.key ?? DEFAULT_VECTOR) : DEFAULT_VECTOR;
    const { spec } = this.#collection;
    const begun = beginRun(content, ask, {
      reads: this.#reads,
      collection: this.#collection,
      seq,
      nextLabel,
      level,
      costs: this.#costs.of(spec, key),
      learn: (seen) => this.#costs.learn(spec, key, seen),
    });
    if (ask.kind === 'health' || (ask.kind === 'vector' && ask.background))
      return { run: this.#atItsEnd(begun), background: true, end: () => begun.end?.() };
    this.#asks += 1;
    let ended = false;
    return {
      run: begun,
      background: false,
      end: () => {
        if (ended) return;
        ended = true;
        this.#asks -= 1;
        begun.end?.();
      },
    };
  }

  /** A unit that is half inside is finished first, if it is not too large. */
  #comeLevel(): void {
    if (this.#current.level) return;
    const before = this.#status();
    this.#current.comeLevel(performance.now() + LEVEL_MS_MAX);
    this.#noteRebuild(before, this.#status());
  }

  /** Its answer says where the index stands when it is given. */
  #atItsEnd(run: AskRun): AskRun {
    return {
      advance: (budgetMs) => {
        const answer = run.advance(budgetMs);
        return answer !== null && 'seq' in answer ? { ...answer, seq: this.#current.seq } : answer;
      },
    };
  }

  /** Writes a checkpoint, of what is slow to build; the cursor goes on. A full disk only costs the checkpoint. */
  async save(): Promise<void> {
    if (this.#saving !== null || this.#phase !== 'ready' || this.#discarded || !this.#current.content.savable) return;
    this.#saving = this.#write();
    await this.#saving;
  }

  async #write(): Promise<void> {
    const { uid, labelGeneration, folder } = this.#collection;
    const current = this.#current;
    const { seq, content } = current;
    const { inserts } = content;
    const startMs = performance.now();
    try {
      this.#checkpointBytes = await content.save(folder, () => ({
        ...{ uid, labelGeneration },
        ...{ seq: current.seq, nextLabel: current.nextLabel },
      }));
      this.#savedInserts = inserts;
      this.#saveFailed = false;
      const tookMs = Math.round(performance.now() - startMs);
      this.#note('index_checkpoint_completed', {
        uid,
        engine: this.#kind.engine,
        seq,
        bytes: this.#checkpointBytes,
        duration_ms: tookMs,
      });
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
    this.#current.content.close();
    this.#next?.upkeep.content.close();
    const { folder } = this.#collection;
    await this.#tidy(() => rm(folder, { recursive: true, force: true }));
    // The folder of the collection may have held nothing else.
    await rmdir(dirname(folder)).catch(() => undefined);
  }

  report(): IndexReport {
    const status = this.#status();
    const msPerInsert = this.#current.msPerInsert || ASSUMED_MS_PER_INSERT;
    const { inserts, savable } = this.#current.content;
    return {
      uid: this.#collection.uid,
      engine: this.#kind.engine,
      phase: this.#phase,
      seq: this.#current.seq,
      nextLabel: this.#current.nextLabel,
      status,
      nextProgress: this.#nextProgress(),
      configurations: this.#configurations,
      settings: settingsOf(this.#collection.spec),
      replayMs: savable ? Math.max(0, inserts - this.#savedInserts) * msPerInsert : 0,
      rebuildMs: status.live * msPerInsert,
      checkpointBytes: this.#checkpointBytes,
      saving: this.#saving !== null,
      saveFailed: this.#saveFailed,
      damaged: this.damaged,
    };
  }

  #nextProgress(): number {
    if (this.#next === null) return 1;
    return Math.min(1, this.#next.upkeep.nextLabel / Math.max(1, this.#current.nextLabel));
  }
}
