/** Everything about indexes that the main thread decides: which are open, when they are saved, how far they are.
 *  Must not know: writes, reads, HTTP. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../model/clock.js';
import type { CollectionSpec } from '../model/collection.js';
import { type ErrorRecord, messageOf } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { CollectionRow } from '../storage/storage.js';
import { allEnded } from './all-ended.js';
import { type Catalogue, type CatalogueEntry, type EngineState, enginesOf } from './catalogue.js';
import type { EngineGuards } from './engine-guards.js';
import { ENGINES, type EngineKind, type IndexedCollection, type IndexReport, type IndexWorkerData } from './index-messages.js';
import { IndexPool, type IndexPoolEvents } from './index-pool.js';
import { checkpointDue, QUIET_MS } from './index-schedule.js';
import { settingsOf } from './index-settings.js';

export interface KeeperOptions {
  readonly workers: number;
  readonly data: IndexWorkerData;
  readonly checkpointsDir: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly guards: EngineGuards;
  onFatal(reason: string): void;
  /** As WriterEvents.refused, of questions to an index. */
  onRefused(record: ErrorRecord): ErrorRecord;
}

const LEVEL_POLL_MS = 20;
/** What is replayed faster than this needs no newer checkpoint. */
const WORTH_SAVING_MS = 100;
/** The folder of an engine's checkpoints in that of the collection. */
const FOLDERS: Readonly<Record<EngineKind, string>> = { vector: 'default', text: 'text' };

export class IndexKeeper {
  readonly #options: KeeperOptions;
  readonly #vector: IndexPool;
  /** Started with the first collection that has text fields. */
  #text: IndexPool | null = null;
  #rebuilds = 0;
  readonly #taken = { vector: 0, text: 0 };
  readonly #room = new Set<() => void>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#vector = this.#newPool('vector', options.workers);
  }

  #newPool(engine: EngineKind, workers: number): IndexPool {
    const { data, limits, log, clock, catalogue, guards, onFatal, onRefused } = this.#options;
    const events: IndexPoolEvents = {
      report: (report) => {
        const before = catalogue.byUid(report.uid)?.[engine]?.report ?? null;
        this.#rebuilds += Math.max(0, report.status.rebuilds - (before?.status.rebuilds ?? 0));
        // What a checkpoint held is not taken in again.
        if (before !== null) this.#taken[engine] += Math.max(0, report.nextLabel - before.nextLabel);
        catalogue.report(report);
        this.#wakeRoom();
      },
      lost: (uid) => {
        catalogue.lost(uid, engine);
        this.#wakeRoom();
      },
      refused: (record) => onRefused(record),
      fatal: (reason) => {
        onFatal(reason);
        catalogue.endWaits();
        this.#wakeRoom();
      },
    };
    const queue = { queueMax: limits.searchQueueMax, queueWaitMs: guards.queueWaitMs };
    return new IndexPool({ workers, data: { ...data, engine }, ...queue, log, clock, events });
  }

  /** The pool of an engine; that of texts is there once a collection has text fields. */
  pool(engine: EngineKind): IndexPool {
    if (engine === 'vector') return this.#vector;
    this.#text ??= this.#newPool('text', 1);
    return this.#text;
  }

  /** Null while nothing needs it. */
  #made(engine: EngineKind): IndexPool | null {
    return engine === 'vector' ? this.#vector : this.#text;
  }

  get #pools(): readonly IndexPool[] {
    return this.#text === null ? [this.#vector] : [this.#vector, this.#text];
  }

  /** Why the workers of an engine are not started any more, or null. */
  get lost(): string | null {
    return this.#pools.map(({ lost }) => lost).find((reason) => reason !== null) ?? null;
  }

  get asksWaiting(): number {
    return this.#pools.reduce((sum, { asksWaiting }) => sum + asksWaiting, 0);
  }

  /** How many questions may wait, in the pool that takes the fewest at the moment. */
  get asksMax(): number {
    return Math.min(...this.#pools.map(({ asksMax }) => asksMax));
  }

  get asksAreFull(): boolean {
    return this.#pools.some(({ asksAreFull }) => asksAreFull);
  }

  /** Forgets what is kept only to be faster. */
  relieve(): void {
    for (const pool of this.#pools) pool.relieve();
  }

  /** How often a worker of this engine was started again after it died. */
  restarts(engine: EngineKind): number {
    return this.#made(engine)?.restarts ?? 0;
  }

  /** Workers of this engine that have said nothing for seconds. */
  stalled(engine: EngineKind): number {
    return this.#made(engine)?.stalled ?? 0;
  }

  /** Versions of points that indexes took in since the start. */
  get taken(): Readonly<Record<EngineKind, number>> {
    return this.#taken;
  }

  /** Rebuilds that ended since the start. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  #indexed({ uid, labelGeneration, spec }: CollectionRow, engine: EngineKind): IndexedCollection {
    const folder = join(this.#options.checkpointsDir, String(uid), FOLDERS[engine]);
    return { uid, labelGeneration, spec, folder };
  }

  /** Removes the files of collections that were dropped while the process came to an end; before anything is opened. */
  async removeDropped(uids: ReadonlySet<number>): Promise<void> {
    const { checkpointsDir, log } = this.#options;
    try {
      const names = await readdir(checkpointsDir).catch(() => []);
      const dropped = names.filter((name) => /^\d+$/.test(name) && !uids.has(Number(name)));
      for (const name of dropped) await rm(join(checkpointsDir, name), { recursive: true, force: true });
    } catch (error) {
      log.warn('index_files_not_removed', { reason: messageOf(error) });
    }
  }

  open(row: CollectionRow): void {
    this.#vector.open(this.#indexed(row, 'vector'));
    if (row.spec.text.fields.length > 0) this.pool('text').open(this.#indexed(row, 'text'));
  }

  /** The collection has changed, and maybe its settings. */
  configure(row: CollectionRow): void {
    this.#vector.configure(this.#indexed(row, 'vector'));
    const collection = this.#indexed(row, 'text');
    if (row.spec.text.fields.length === 0) this.#text?.close(row.uid);
    else if (this.pool('text').has(row.uid)) this.pool('text').configure(collection);
    else this.pool('text').open(collection);
  }

  /** The store has more of these collections. */
  advance(uids: readonly number[]): void {
    for (const pool of this.#pools) pool.advance(uids);
  }

  close(uid: number): void {
    for (const pool of this.#pools) pool.close(uid);
  }

  /** Of all engines, also when one is lost. @throws as IndexPool.settle */
  async settle(uid: number): Promise<void> {
    await allEnded(this.#pools.map((pool) => pool.settle(uid)));
  }

  get #hasRoom(): boolean {
    const { lagBytes, waitingBytes } = this.#options.catalogue;
    return lagBytes + waitingBytes <= this.#options.limits.indexLagBytesMax;
  }

  /** Resolves when the graphs have caught up enough to take more. @returns false when timeoutMs passed first, or they never will */
  async room(timeoutMs: number): Promise<boolean> {
    const deadlineMs = this.#options.clock.monotonicMs() + timeoutMs;
    while (!this.#hasRoom) {
      const left = deadlineMs - this.#options.clock.monotonicMs();
      if (left <= 0 || this.lost !== null) return false;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#room.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#room.add(wake);
      });
    }
    return true;
  }

  /** The breaker of an engine opened: nobody waits for it, where another one answers, nor for room in it. */
  doubt(engine: EngineKind): void {
    this.#options.catalogue.doubt(engine);
    this.#wakeRoom();
  }

  #wakeRoom(): void {
    if (this.#room.size === 0 || !(this.#hasRoom || this.lost !== null)) return;
    for (const wake of [...this.#room]) wake();
  }

  /** Of all that the collection has: what is built first counts as building, what is made anew beside it as rebuilding. */
  status(entry: CatalogueEntry): { status: 'ready' | 'building' | 'rebuilding'; progress: number } {
    const building = enginesOf(entry).map((state) => buildingProgress(state.report, entry.row.nextLabel));
    const least = Math.min(...building);
    if (least < 1) return { status: 'building', progress: least };
    const renewing = Math.min(...enginesOf(entry).map(({ report }) => renewalProgress(report, entry.row.spec)));
    return renewing < 1 ? { status: 'rebuilding', progress: renewing } : { status: 'ready', progress: 1 };
  }

  /** Listens to the workers, and starts the checkpoints that are due; called a few times a second. */
  tick(): void {
    for (const pool of this.#pools) pool.listen();
    const now = this.#options.clock.monotonicMs();
    for (const entry of this.#options.catalogue.all()) {
      const quiet = now - entry.lastWriteMs > QUIET_MS;
      for (const engine of ENGINES) {
        const report = entry[engine]?.report ?? null;
        if (report !== null && checkpointDue(report, quiet, now - entry.lastSaveMs[engine])) this.#save(entry, report);
      }
    }
  }

  #save(entry: CatalogueEntry, report: IndexReport): void {
    const state = entry[report.engine];
    if (state === null) return;
    // Marked at once, so that the next tick does not ask again before the worker answers.
    state.report = { ...report, saving: true };
    entry.lastSaveMs[report.engine] = this.#options.clock.monotonicMs();
    this.pool(report.engine).checkpoint(report.uid);
  }

  /** Brings the checkpoints up to date for somebody who will load them, as far as timeoutMs allow. */
  async saveAll(timeoutMs: number): Promise<void> {
    const { catalogue, clock } = this.#options;
    const states = (): EngineState[] => [...catalogue.all()].flatMap((entry) => enginesOf(entry));
    for (const entry of catalogue.all()) {
      for (const { report } of enginesOf(entry))
        if (report?.phase === 'ready' && !report.saving && report.replayMs > WORTH_SAVING_MS) this.#save(entry, report);
    }
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (states().some(({ report }) => report?.saving) && this.lost === null && clock.monotonicMs() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, LEVEL_POLL_MS));
  }

  /** Gives the indexes a moment to take in the last writes, then saves them; what waits for its place goes on after the next start. */
  async stop(levelMs: number): Promise<void> {
    const deadlineMs = this.#options.clock.monotonicMs() + levelMs;
    const lagging = (): boolean => this.#options.catalogue.lagBytes > 0 && this.lost === null;
    while (lagging() && this.#options.clock.monotonicMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, LEVEL_POLL_MS));
    }
    await Promise.all(this.#pools.map((pool) => pool.stop()));
  }
}

/** 0 … 1; 1 when it serves. */
function buildingProgress(report: IndexReport | null, nextLabel: number): number {
  if (report?.phase === 'ready') return 1;
  return nextLabel === 0 ? 0 : Math.min(0.999, (report?.nextLabel ?? 0) / nextLabel);
}

/** How far the graph is moved, payload fields are read, texts are analysed anew. */
function renewalProgress(report: IndexReport | null, spec: CollectionSpec): number {
  if (report === null) return 1;
  const { growing, live, payloadProgress } = report.status;
  const { nextProgress, settings } = report;
  // Until it says otherwise it serves what was declared before, and may not have heard yet that it must build.
  const served = settings === settingsOf(spec) ? nextProgress : nextProgress === 1 ? 0 : nextProgress;
  return Math.min(payloadProgress, served, growing === 0 ? 1 : Math.max(0, live - growing) / live);
}
