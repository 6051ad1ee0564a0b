/** Opens the engine over a verified data folder: write thread, reader, index workers; resolves when every index is level.
 *  The folder is locked and verified by the caller (node). Must not know: HTTP, roles, configuration files. */

import { availableParallelism } from 'node:os';
import type { Clock } from '../model/clock.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import { openReader } from '../storage/open-store.js';
import { nativeBuild } from '../vector-index/open-index.js';
import { Catalogue } from './catalogue.js';
import type { RunningEngine } from './engine.js';
import { IndexKeeper } from './index-keeper.js';
import { LocalEngine } from './local-engine.js';
import { Reader } from './reader.js';
import { type WriterEvents, WriterLink } from './writer-link.js';

export interface EngineOptions {
  readonly dataDir: string;
  readonly storePath: string;
  readonly checkpointsDir: string;
  readonly bootId: string;
  readonly limits: Limits;
  readonly writerCacheBytes: number;
  readonly readerCacheBytes: number;
  /** Null: one for each core but one, at least one. */
  readonly indexWorkers: number | null;
  readonly log: Log;
  readonly clock: Clock;
  /** 0 … 1 over all indexes, while they load and catch up. */
  onProgress(progress: number, message: string): void;
  /** Data may be at risk: the process must stop now. */
  onFatal(reason: string): void;
}

const PROGRESS_INTERVAL_MS = 50;

/** @throws Error when the store cannot be opened */
export async function openEngine(options: EngineOptions): Promise<RunningEngine> {
  const { limits, log, clock } = options;
  const catalogue = new Catalogue();
  const events = new LateEvents(options.onFatal);
  const data = {
    dataDir: options.dataDir,
    storePath: options.storePath,
    limits,
    cacheBytes: options.writerCacheBytes,
    bootId: options.bootId,
  };
  const { link, state, collections } = await WriterLink.open(data, events);
  const readerData = { storePath: options.storePath, cacheBytes: options.readerCacheBytes };
  const reader = new Reader(
    openReader(options.storePath, { cacheBytes: options.readerCacheBytes }),
    readerData,
    limits.searchQueueMax,
  );
  const workers = options.indexWorkers ?? Math.max(1, availableParallelism() - 1);
  const keeper = new IndexKeeper({
    workers,
    data: readerData,
    checkpointsDir: options.checkpointsDir,
    limits,
    log,
    clock,
    catalogue,
    onFatal: options.onFatal,
  });
  const engine = new LocalEngine({
    link,
    reader,
    keeper,
    catalogue,
    limits,
    clock,
    log,
    dataDir: options.dataDir,
    nativeBuild: nativeBuild(),
    state,
  });
  events.attach(engine);
  await keeper.removeDropped(new Set(collections.map(({ uid }) => uid)));
  const now = clock.monotonicMs();
  for (const row of collections) {
    catalogue.take(row, now);
    keeper.open(row);
  }
  await levelUp(catalogue, options);
  await engine.start();
  return engine;
}

/** Waits until every index has applied what the store held at the start. */
async function levelUp(catalogue: Catalogue, options: EngineOptions): Promise<void> {
  const all = [...catalogue.all()];
  const labels = all.reduce((sum, { row }) => sum + row.nextLabel, 0);
  const tell = (): void => {
    const done = all.reduce((sum, { report }) => sum + (report?.nextLabel ?? 0), 0);
    const ready = all.filter(({ report }) => report !== null && report.phase !== 'building').length;
    options.onProgress(labels === 0 ? 1 : Math.min(1, done / labels), `${ready} of ${all.length} indexes are level`);
  };
  const timer = setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    await Promise.all(all.map(({ indexed, row }) => indexed.reach(row.lastSeq, 2 ** 31 - 1)));
  } finally {
    clearInterval(timer);
  }
}

/** The write thread may speak before the engine exists; nothing but a failure can come so early. */
class LateEvents implements WriterEvents {
  readonly #onFatal: (reason: string) => void;
  #target: WriterEvents | null = null;

  constructor(onFatal: (reason: string) => void) {
    this.#onFatal = onFatal;
  }

  attach(target: WriterEvents): void {
    this.#target = target;
  }

  committed(...args: Parameters<WriterEvents['committed']>): void {
    this.#target?.committed(...args);
  }

  figures(...args: Parameters<WriterEvents['figures']>): void {
    this.#target?.figures(...args);
  }

  full(full: boolean): void {
    this.#target?.full(full);
  }

  fatal(reason: string): void {
    this.#target?.fatal(reason);
    this.#onFatal(reason);
  }
}
