/** Opens the engine over a verified data folder: write thread, reader, index workers; resolves when every index is level.
 *  The folder is locked and verified by the caller (node). Must not know: HTTP, roles, configuration files. */

import { availableParallelism } from 'node:os';
import type { Clock } from '../model/clock.js';
import type { ErrorRecord } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Role } from '../model/replication.js';
import { openReader, openWriter } from '../storage/open-store.js';
import { nativeBuild } from '../vector-index/open-index.js';
import { Catalogue, enginesOf } from './catalogue.js';
import type { EndedSearch, EngineWork, RunningEngine } from './engine.js';
import { type EngineGuards, UNGUARDED } from './engine-guards.js';
import { IndexKeeper } from './index-keeper.js';
import { LocalEngine } from './local-engine.js';
import { Reader } from './reader.js';
import type { WatchSettings } from './search-status.js';
import { UNWATCHED } from './search-watch.js';
import { UnitWriter } from './unit-writer.js';
import { type WriterEvents, WriterLink } from './writer-link.js';

export interface EngineOptions {
  readonly dataDir: string;
  readonly storePath: string;
  readonly checkpointsDir: string;
  readonly bootId: string;
  /** What it starts as; ReplicatedLog.setRole changes it. */
  readonly role: Role;
  /** The epoch of its mastership: in earlier ones it writes nothing by itself. */
  readonly ownFromEpoch: number;
  readonly limits: Limits;
  readonly writerCacheBytes: number;
  readonly readerCacheBytes: number;
  /** Null: one for each core but one, at least one. */
  readonly indexWorkers: number | null;
  readonly log: Log;
  readonly clock: Clock;
  /** Left out: nothing is looked after. */
  readonly watching?: WatchSettings;
  /** Left out: nothing is refused for the sake of the process. */
  readonly guards?: EngineGuards;
  /** Each search as it ends; left out: nobody counts them. */
  onSearch?(search: EndedSearch): void;
  /** Other work as it ends; left out: nobody measures it. */
  onWork?(work: EngineWork): void;
  /** 0 … 1 over all indexes, while they load and catch up. */
  onProgress(progress: number, message: string): void;
  /** Data may be at risk: the process must stop now. */
  onFatal(reason: string): void;
}

const PROGRESS_INTERVAL_MS = 50;

/** Logs the beginning of a history in a store that no engine has open; durable on return.
 *  @returns the seq of its entry  @throws StorageFailure, StorageFull, StoreRefused */
export function beginHistoryOffline(
  storePath: string,
  begin: { readonly historyId: string; readonly notBelowEpoch: number; noteEpoch(epoch: number): void },
  options: Pick<EngineOptions, 'limits' | 'writerCacheBytes'>,
): number {
  const store = openWriter(storePath, { cacheBytes: options.writerCacheBytes });
  try {
    const units = new UnitWriter(store, options.limits);
    const { epoch: last, nodeId } = units.state.state;
    const epoch = Math.max(last + 1, begin.notBelowEpoch);
    begin.noteEpoch(epoch);
    store.begin();
    const { historyId } = begin;
    const { seq } = units.run({ operations: [{ kind: 'begin_history', historyId, epoch, nodeId }] }, Date.now(), true);
    units.state.flush();
    store.commit();
    return seq;
  } finally {
    store.close();
  }
}

/** @throws Error when the store cannot be opened or an index worker is lost; what was opened is closed again */
export async function openEngine(options: EngineOptions): Promise<RunningEngine> {
  const { limits, log, clock, guards = UNGUARDED } = options;
  const build = nativeBuild();
  const catalogue = new Catalogue();
  const events = new LateEvents(options.onFatal);
  const data = {
    dataDir: options.dataDir,
    storePath: options.storePath,
    limits,
    cacheBytes: options.writerCacheBytes,
    bootId: options.bootId,
    role: options.role,
    ownFromEpoch: options.ownFromEpoch,
  };
  const { link, state, collections, aliases, accessKeys, cluster } = await WriterLink.open(data, events);
  let close = (): Promise<void> => link.stop();
  try {
    const readerData = { storePath: options.storePath, cacheBytes: options.readerCacheBytes };
    const reads = openReader(readerData.storePath, readerData);
    const onRefused = (record: ErrorRecord): ErrorRecord => events.refused(record);
    const onWork = (work: EngineWork): void => options.onWork?.(work);
    const reader = new Reader(
      reads,
      readerData,
      { queueMax: limits.searchQueueMax, guards, clock },
      {
        onWork,
        onRefused,
      },
    );
    close = async () => {
      try {
        await reader.close();
      } finally {
        await link.stop();
      }
    };
    const keeper = new IndexKeeper({
      workers: options.indexWorkers ?? Math.max(1, availableParallelism() - 1),
      data: readerData,
      checkpointsDir: options.checkpointsDir,
      limits,
      log,
      clock,
      catalogue,
      guards,
      onFatal: options.onFatal,
      onRefused,
    });
    const parts = { link, reader, reads, keeper, catalogue, limits, clock, log, state, accessKeys, cluster, role: options.role };
    const onSearch = (search: EndedSearch): void => options.onSearch?.(search);
    const { dataDir, watching = UNWATCHED } = options;
    const engine = new LocalEngine({ ...parts, dataDir, guards, nativeBuild: build, watching, onSearch, onWork });
    close = () => engine.stop();
    events.attach(engine);
    await keeper.removeDropped(new Set(collections.map(({ uid }) => uid)));
    const now = clock.monotonicMs();
    for (const row of collections) {
      catalogue.take(row, now);
      keeper.open(row);
    }
    catalogue.takeAliases(aliases);
    await levelUp(keeper, catalogue, options);
    await engine.start();
    return engine;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until every index has applied what the store held at the start. @throws Error when an index worker is lost */
async function levelUp(keeper: IndexKeeper, catalogue: Catalogue, options: EngineOptions): Promise<void> {
  const all = [...catalogue.all()];
  const labels = all.reduce((sum, { row }) => sum + row.nextLabel, 0);
  const tell = (): void => {
    const done = all.reduce((sum, { vector }) => sum + (vector.report?.nextLabel ?? 0), 0);
    const states = all.flatMap(enginesOf);
    const ready = states.filter(({ report }) => report?.phase === 'ready').length;
    options.onProgress(labels === 0 ? 1 : Math.min(1, done / labels), `${ready} of ${states.length} indexes are level`);
  };
  const timer = setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    // A worker that is lost later ends the waits.
    const waits = all.flatMap((entry) => enginesOf(entry).map(({ indexed }) => indexed.reach(entry.row.lastSeq, 2 ** 31 - 1)));
    if (keeper.lost === null) await Promise.all(waits);
  } finally {
    clearInterval(timer);
  }
  if (keeper.lost !== null) throw new Error(keeper.lost);
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

  news(...args: Parameters<WriterEvents['news']>): void {
    this.#target?.news(...args);
  }

  refused(record: ErrorRecord): ErrorRecord {
    return this.#target?.refused(record) ?? record;
  }

  fatal(reason: string): void {
    this.#target?.fatal(reason);
    this.#onFatal(reason);
  }
}
