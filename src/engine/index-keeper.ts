/** Everything about indexes that the main thread decides: which are open, when they are saved and rebuilt, how far they are.
 *  Must not know: writes, reads, HTTP. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../model/clock.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { CollectionRow } from '../storage/storage.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import type { IndexedCollection, IndexWorkerData } from './index-messages.js';
import { IndexPool } from './index-pool.js';
import { QUIET_MS, workDue } from './index-schedule.js';
import { Rebuilder } from './rebuilder.js';

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

export class IndexKeeper {
  readonly pool: IndexPool;
  readonly #options: KeeperOptions;
  readonly #rebuilder: Rebuilder;
  /** Rebuilt, and not yet reported as being taken over. */
  readonly #handedOver = new Set<number>();
  #room: (() => void)[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { workers, data, limits, log, catalogue, onFatal } = options;
    const report = (next: Parameters<Catalogue['report']>[0]): void => {
      if (next.phase === 'adopting') this.#handedOver.delete(next.uid);
      catalogue.report(next);
      this.#wakeRoom();
    };
    const fatal = (reason: string): void => {
      onFatal(reason);
      catalogue.endWaits();
      this.#wakeRoom();
    };
    this.pool = new IndexPool(workers, data, limits.searchQueueMax, log, { report, fatal });
    this.#rebuilder = new Rebuilder(data, log, (uid) => {
      this.#handedOver.add(uid);
      this.pool.adopt(uid);
    });
  }

  get rebuilds(): number {
    return this.#rebuilder.count;
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
      log.warn('index_files_not_removed', { reason: error instanceof Error ? error.message : String(error) });
    }
  }

  open(row: CollectionRow): void {
    this.pool.open(this.#indexed(row));
  }

  async close(uid: number): Promise<void> {
    this.#handedOver.delete(uid);
    await this.#rebuilder.abandon(uid);
    this.pool.close(uid);
  }

  get #hasRoom(): boolean {
    return this.#options.catalogue.lagBytes <= this.#options.limits.indexLagBytesMax;
  }

  /** Resolves when the indexes have caught up enough to take more. @returns false when timeoutMs passed first, or they never will */
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
    const rebuild = report.phase === 'adopting' ? 1 : this.#rebuilder.progress(entry.row.uid);
    return rebuild === null ? { status: 'ready', progress: 1 } : { status: 'rebuilding', progress: rebuild };
  }

  /** Starts what is due; called a few times a second. */
  tick(): void {
    const now = this.#options.clock.monotonicMs();
    for (const entry of this.#options.catalogue.all()) {
      const { report } = entry;
      if (report === null || this.#rebuilder.progress(report.uid) !== null || this.#handedOver.has(report.uid)) continue;
      const quiet = now - entry.lastWriteMs > QUIET_MS;
      const work = workDue(report, quiet, now - entry.lastSaveMs, this.#rebuilder.idle);
      if (work === 'rebuild') {
        this.#rebuilder.start(this.#indexed(entry.row));
      } else if (work === 'checkpoint') {
        // Marked at once, so that the next tick does not ask again before the worker answers.
        entry.report = { ...report, saving: true };
        entry.lastSaveMs = now;
        this.pool.checkpoint(report.uid);
      }
    }
  }

  /** Gives the indexes a moment to apply the last writes, then saves them. */
  async stop(levelMs: number): Promise<void> {
    await this.#rebuilder.abandon();
    const deadlineMs = this.#options.clock.monotonicMs() + levelMs;
    const lagging = (): boolean => this.#options.catalogue.lagBytes > 0 && this.pool.lost === null;
    while (lagging() && this.#options.clock.monotonicMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, LEVEL_POLL_MS));
    }
    await this.pool.stop();
  }
}
