/** Everything about indexes that the main thread decides: which are open, when they are saved, how far they are.
 *  Must not know: writes, reads, HTTP. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { CollectionRow } from '../storage/storage.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import type { IndexedCollection, IndexReport, IndexWorkerData } from './index-messages.js';
import { IndexPool } from './index-pool.js';
import { checkpointDue, QUIET_MS } from './index-schedule.js';

export interface KeeperOptions {
  readonly workers: number;
  readonly data: IndexWorkerData;
  readonly checkpointsDir: string;
  readonly limits: Limits;
  readonly log: Log;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  onFatal(reason: string): void;
}

const LEVEL_POLL_MS = 20;
/** What is replayed faster than this needs no newer checkpoint. */
const WORTH_SAVING_MS = 100;

export class IndexKeeper {
  readonly pool: IndexPool;
  readonly #options: KeeperOptions;
  #rebuilds = 0;
  #room: (() => void)[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { workers, data, limits, log, catalogue, onFatal } = options;
    const report = (next: Parameters<Catalogue['report']>[0]): void => {
      this.#rebuilds += next.status.rebuilds - (catalogue.byUid(next.uid)?.report?.status.rebuilds ?? 0);
      catalogue.report(next);
      this.#wakeRoom();
    };
    const fatal = (reason: string): void => {
      onFatal(reason);
      catalogue.endWaits();
      this.#wakeRoom();
    };
    this.pool = new IndexPool(workers, data, limits.searchQueueMax, log, { report, fatal });
  }

  /** Rebuilds that ended since the start. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  #indexed(row: CollectionRow): IndexedCollection {
    const folder = join(this.#options.checkpointsDir, String(row.uid), 'default');
    return { uid: row.uid, labelGeneration: row.labelGeneration, spec: row.spec, folder };
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
    this.pool.open(this.#indexed(row));
  }

  close(uid: number): void {
    this.pool.close(uid);
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
      if (left <= 0 || this.pool.lost !== null) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#room.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  #wakeRoom(): void {
    if (this.#room.length === 0 || !(this.#hasRoom || this.pool.lost !== null)) return;
    const waiting = this.#room;
    this.#room = [];
    for (const wake of waiting) wake();
  }

  status(entry: CatalogueEntry): { status: 'ready' | 'building' | 'rebuilding'; progress: number } {
    const { report } = entry;
    if (report === null || report.phase === 'building') {
      const { nextLabel } = entry.row;
      return { status: 'building', progress: nextLabel === 0 ? 0 : Math.min(1, (report?.nextLabel ?? 0) / nextLabel) };
    }
    const { growing, live } = report.status;
    if (growing === 0) return { status: 'ready', progress: 1 };
    return { status: 'rebuilding', progress: (live - growing) / live };
  }

  /** Starts the checkpoints that are due; called a few times a second. */
  tick(): void {
    const now = this.#options.clock.monotonicMs();
    for (const entry of this.#options.catalogue.all()) {
      const { report } = entry;
      if (report === null) continue;
      const quiet = now - entry.lastWriteMs > QUIET_MS;
      if (!checkpointDue(report, quiet, now - entry.lastSaveMs)) continue;
      this.#save(entry, report);
    }
  }

  #save(entry: CatalogueEntry, report: IndexReport): void {
    // Marked at once, so that the next tick does not ask again before the worker answers.
    entry.report = { ...report, saving: true };
    entry.lastSaveMs = this.#options.clock.monotonicMs();
    this.pool.checkpoint(report.uid);
  }

  /** Brings the checkpoints up to date for somebody who will load them, as far as timeoutMs allow. */
  async saveAll(timeoutMs: number): Promise<void> {
    const { catalogue, clock } = this.#options;
    for (const entry of catalogue.all()) {
      const { report } = entry;
      if (report?.phase === 'ready' && !report.saving && report.replayMs > WORTH_SAVING_MS) this.#save(entry, report);
    }
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const saving = (): boolean => [...catalogue.all()].some(({ report }) => report?.saving === true);
    while (saving() && this.pool.lost === null && clock.monotonicMs() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, LEVEL_POLL_MS));
  }

  /** Gives the indexes a moment to take in the last writes, then saves their graphs; what waits for its place goes on after the next start. */
  async stop(levelMs: number): Promise<void> {
    const deadlineMs = this.#options.clock.monotonicMs() + levelMs;
    const lagging = (): boolean => this.#options.catalogue.lagBytes > 0 && this.pool.lost === null;
    while (lagging() && this.#options.clock.monotonicMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, LEVEL_POLL_MS));
    }
    await this.pool.stop();
  }
}
