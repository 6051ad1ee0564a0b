/** The engine over one data folder: publishes commits, answers reads, starts and stops. Order of things only; the work is in the parts.
 *
 *  Invariant: tail.durable moves only with a commit's message, before the answers of that commit are given out.
 *  Must not know: HTTP, roles. */

import type { AccessKey } from '../model/access-key.js';
import type { AnswerBudget } from '../model/answer-budget.js';
import type { Cancellation } from '../model/cancellation.js';
import type { Clock } from '../model/clock.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Operation } from '../model/operation.js';
import type { PointId } from '../model/point.js';
import { type Position, positionAt } from '../model/position.js';
import type { Role } from '../model/replication.js';
import type { ClusterRows, StoreReads, StoreState } from '../storage/storage.js';
import { type Catalogue, type CatalogueEntry, leastIndexed, leastShownSeq, reachIndexed } from './catalogue.js';
import { LocalChanges } from './change-log.js';
import { collectionInfo, strictnessOf } from './collection-info.js';
import { Corrections } from './corrections.js';
import { DiskWatch } from './disk-watch.js';
import type {
  CollectionInfo,
  CompareAnswers,
  CompareKind,
  CompareOf,
  Correction,
  EndedSearch,
  EngineStatus,
  EngineWork,
  GroupAnswer,
  GroupRequest,
  RecallAnswer,
  RecallRequest,
  RunningEngine,
  ScrollRequest,
  SearchAnswer,
  SearchRequest,
  Selection,
  WaitLevel,
  WriteOptions,
  WriteReceipt,
} from './engine.js';
import type { EngineGuards } from './engine-guards.js';
import { engineProbes } from './engine-probes.js';
import { FilterLookup } from './filter-lookup.js';
import { checkFilterTexts } from './filter-texts.js';
import type { IndexKeeper } from './index-keeper.js';
import { KeyRing } from './key-ring.js';
import { LocalCare } from './local-care.js';
import { reachPosition } from './position-wait.js';
import type { EngineProbes } from './probe-answers.js';
import { QuietCollection } from './quiet-collection.js';
import type { Reader } from './reader.js';
import { LocalLog } from './replicated-log.js';
import { RowAnswers } from './row-answers.js';
import type { WatchSettings } from './search-status.js';
import { SearchWatch } from './search-watch.js';
import { Searches } from './searches.js';
import { Tail } from './tail.js';
import { WritePath } from './write-path.js';
import type { Commit, WriterEvents, WriterLink } from './writer-link.js';
import { type FollowerNews, NO_FIGURES, type StoreFigures } from './writer-messages.js';

export interface LocalEngineParts {
  readonly link: WriterLink;
  readonly reader: Reader;
  readonly reads: StoreReads;
  readonly keeper: IndexKeeper;
  readonly catalogue: Catalogue;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly dataDir: string;
  readonly nativeBuild: string;
  readonly state: StoreState;
  readonly accessKeys: readonly AccessKey[];
  readonly cluster: ClusterRows;
  readonly role: Role;
  readonly watching: WatchSettings;
  readonly guards: EngineGuards;
  onSearch(search: EndedSearch): void;
  onWork(work: EngineWork): void;
}

const TICK_MS = 250;
const DISK_LOOK_MS = 1_000;
const LEVEL_AT_STOP_MS = 5_000;

export class LocalEngine implements RunningEngine, WriterEvents {
  readonly log: LocalLog;
  readonly keys: KeyRing;
  readonly probes: EngineProbes;
  readonly care: LocalCare;
  readonly changes: LocalChanges;
  readonly #parts: LocalEngineParts;
  readonly #durable: Tail;
  readonly #watch: SearchWatch;
  readonly #lookup: FilterLookup;
  readonly #searches: Searches;
  readonly #rows: RowAnswers;
  readonly #writes: WritePath;
  readonly #disk: DiskWatch;
  readonly #corrections: Corrections;
  #figures: StoreFigures = NO_FIGURES;
  #commits = { count: 0, units: 0, lastMs: 0 };
  #reapedSeq = 0;
  #stopping: Promise<void> | null = null;
  readonly #garbage = new QuietCollection();
  #timers: NodeJS.Timeout[] = [];

  constructor(parts: LocalEngineParts) {
    this.#parts = parts;
    this.#corrections = new Corrections(parts);
    this.#durable = new Tail(parts.state.seq);
    this.#disk = new DiskWatch(parts.dataDir, parts.limits.diskFreeBytesMin, parts.log);
    const positionOf = (seq: number): Position => this.#positionAt(seq);
    this.#watch = new SearchWatch({ ...parts, durableSeq: () => this.#durable.seq, positionAt: positionOf });
    this.#searches = new Searches({
      ...parts,
      watch: this.#watch,
      durable: this.#durable,
      positionAt: positionOf,
    });
    const { calls } = this.#watch;
    this.#lookup = new FilterLookup(calls, parts.limits.searchEngineTimeoutMs);
    this.#rows = new RowAnswers({
      ...parts,
      lookup: this.#lookup,
      calls,
      durable: this.#durable,
      positionAt: positionOf,
      isCorrecting: () => this.#corrections.areRunning,
    });
    this.#writes = new WritePath({
      ...parts,
      lookup: this.#lookup,
      disk: this.#disk,
      durableSeq: () => this.#durable.seq,
      positionAt: positionOf,
    });
    this.care = new LocalCare({ ...parts, forgetSearches: () => this.#searches.forget() });
    this.log = new LocalLog({ ...parts, onRefused: (record) => this.refused(record) }, this.#writes);
    this.changes = new LocalChanges({ ...parts, source: this.log, durable: this.#durable });
    this.keys = new KeyRing(parts.accessKeys, this.#writes);
    this.probes = engineProbes({ ...parts, voters: () => this.log.voters().length });
  }

  /** The first look at the disk comes before the first write. */
  async start(): Promise<void> {
    await this.#disk.look();
    this.#watch.health.start();
    this.#timers = [setInterval(() => this.#tick(), TICK_MS), setInterval(() => void this.#disk.look(), DISK_LOOK_MS)];
  }

  // What the write thread tells.

  committed(commit: Commit): void {
    this.#garbage.worked();
    const now = this.#parts.clock.monotonicMs();
    const uids: number[] = [];
    for (const row of commit.changed) {
      const change = this.#parts.catalogue.take(row, now);
      if (change === 'dropped') this.#parts.keeper.close(row.uid);
      if (change === 'created') this.#parts.keeper.open(row);
      if (change === 'configured') this.#parts.keeper.configure(row);
      if (change === 'changed' || change === 'configured') uids.push(row.uid);
    }
    this.#parts.catalogue.takeAliases(commit.aliases);
    this.keys.take(commit.accessKeys);
    this.#commits = { count: this.#commits.count + 1, units: this.#commits.units + commit.units, lastMs: commit.commitMs };
    this.#parts.onWork({ kind: 'commit', tookMs: commit.commitMs, units: commit.units });
    this.log.take(commit);
    this.#durable.advance(commit.state.seq);
    if (uids.length > 0) this.#parts.keeper.advance(uids);
    this.log.tellCommit();
  }

  figures(figures: StoreFigures): void {
    this.#figures = figures;
    this.log.figures(figures);
  }

  full(full: boolean): void {
    this.#disk.noteFull(full);
  }

  news(news: FollowerNews): void {
    this.log.news(news);
  }

  refused(record: ErrorRecord): ErrorRecord {
    return this.care.refused(record);
  }

  fatal(reason: string): void {
    this.log.close();
    this.#parts.log.error('write_thread_failed', { reason });
  }

  // Writes.

  write(operations: readonly Operation[], options: WriteOptions): Promise<WriteReceipt> {
    return this.#writes.write(operations, options);
  }

  readonly deleteByFilter: WritePath['deleteByFilter'] = (...asked) => this.#writes.deleteByFilter(...asked);
  readonly patchByFilter: WritePath['patchByFilter'] = (...asked) => this.#writes.patchByFilter(...asked);

  // Reads.

  collections(): CollectionInfo[] {
    return [...this.#parts.catalogue.all()].map((entry) => this.#info(entry)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  aliases = () => this.#parts.catalogue.aliases();

  collection(name: string): CollectionInfo {
    return this.#info(this.#parts.catalogue.get(name));
  }

  findCollection(name: string): CollectionInfo | null {
    const entry = this.#parts.catalogue.find(name);
    return entry === undefined ? null : this.#info(entry);
  }

  strictness = (name: string) => strictnessOf(this.#parts.catalogue.find(name));

  #info(entry: CatalogueEntry): CollectionInfo {
    return collectionInfo(entry, this.#parts.keeper, this.position());
  }

  get(collection: string, ids: readonly PointId[], selection: Selection) {
    return this.#rows.get(collection, ids, selection);
  }

  scroll(collection: string, request: ScrollRequest) {
    return this.#rows.scroll(collection, request);
  }

  count(collection: string, filter?: Filter, cancellation?: Cancellation) {
    return this.#rows.count(collection, filter, cancellation);
  }

  fieldCount: RunningEngine['fieldCount'] = (...asked) => this.#rows.fieldCount(...asked);

  facet: RunningEngine['facet'] = (collection, request) => this.#rows.facet(collection, request);

  rank: RunningEngine['rank'] = (collection, request) => this.#rows.rank(collection, request);

  search(collection: string, request: SearchRequest, budget?: AnswerBudget): Promise<SearchAnswer> {
    return this.#searches.search(collection, request, budget);
  }

  searchGroups(collection: string, request: GroupRequest): Promise<GroupAnswer> {
    return this.#searches.searchGroups(collection, request);
  }

  async measureRecall(collection: string, request: RecallRequest): Promise<RecallAnswer> {
    const entry = this.#parts.catalogue.get(collection);
    checkFilterTexts(entry.row.spec, request.filter);
    return this.#watch.measurement.measure(entry, request);
  }

  // Positions.

  #positionAt(seq: number): Position {
    return positionAt(this.log.lineage(), seq, this.log.state());
  }

  position(): Position {
    return this.#positionAt(this.#durable.seq);
  }

  async waitFor(position: Position, level: WaitLevel, collection: string | null, maxWaitMs: number): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    await reachPosition(position, this.log, this.#durable, clock, maxWaitMs);
    const entry = collection === null ? undefined : this.#parts.catalogue.get(collection);
    if (level === 'durable' || collection === null || entry === undefined) return;
    const goal = Math.min(position.seq, entry.row.lastSeq);
    const leftMs = (): number => maxWaitMs - (clock.monotonicMs() - startMs);
    if (await reachIndexed(entry, goal, leftMs)) {
      // An alias that was switched meanwhile leads to another index.
      if (this.#parts.catalogue.find(collection) !== entry) await this.waitFor(position, level, collection, leftMs());
      return;
    }
    if (this.#parts.catalogue.byUid(entry.row.uid) === undefined)
      throw new SkeinError('CollectionNotFound', `Collection '${collection}' was dropped`, { collection });
    throw new SkeinError('IndexBehind', `The index has not reached the requested position within ${maxWaitMs} ms`, {
      requested: position.seq,
      applied: leastIndexed(entry),
    });
  }

  indexedSeq(): number {
    const { seq } = this.#durable;
    let least = seq;
    for (const entry of this.#parts.catalogue.all()) least = Math.min(least, leastShownSeq(entry, seq));
    return least;
  }

  // A comparison with another node.

  async compare<K extends CompareKind>(request: CompareOf<K>): Promise<CompareAnswers[K]> {
    // The answer to a request of kind K is of kind K: the scan thread runs the same table.
    return (await this.#parts.reader.read({ kind: 'compare', request })) as CompareAnswers[K];
  }

  correct = (correction: Correction): Promise<void> => this.#corrections.correct(correction, () => this.#searches.forget());

  status(): EngineStatus {
    const { catalogue, link, keeper, reader, nativeBuild } = this.#parts;
    const entries = [...catalogue.all()];
    return {
      position: this.position(),
      indexedSeq: this.indexedSeq(),
      collections: catalogue.size,
      points: entries.reduce((sum, { row }) => sum + row.pointsCount, 0),
      writeQueue: link.queued,
      commits: this.#commits,
      index: {
        building: entries.filter((entry) => keeper.status(entry).status !== 'ready').length,
        lagBytes: catalogue.lagBytes,
        waitingBytes: catalogue.waitingBytes,
        searchesWaiting: keeper.asksWaiting + reader.waiting,
        searchesMax: keeper.asksMax,
        rebuilds: keeper.rebuilds,
        taken: keeper.taken,
      },
      search: this.#watch.status(),
      log: { minSeq: this.#figures.logMinSeq, bytes: this.#figures.logBytes },
      storage: {
        databaseBytes: this.#figures.databaseBytes,
        walBytes: this.#figures.walBytes,
        walCheckpoints: this.#figures.walCheckpoints,
        diskFreeBytes: this.#disk.freeBytes,
        diskTotalBytes: this.#disk.totalBytes,
        full: this.#disk.full,
        readOnly: this.#disk.readOnly,
      },
      queryCache: this.#searches.cacheStatus,
      nativeBuild,
    };
  }

  #tick(): void {
    this.#parts.keeper.tick();
    this.#watch.tick();
    const durable = this.#durable.seq;
    let floor = Math.min(durable, this.#searches.floorSeq);
    for (const entry of this.#parts.catalogue.all()) floor = Math.min(floor, leastShownSeq(entry, durable));
    if (floor <= this.#reapedSeq) return;
    this.#reapedSeq = floor;
    this.#parts.link.tell({ kind: 'reap', throughSeq: floor });
  }

  relieve(): void {
    this.#searches.forget();
    this.#parts.keeper.relieve();
    this.#parts.reader.relieve();
  }

  get searchesAreFull(): boolean {
    return this.#parts.keeper.asksAreFull;
  }

  saveIndexes(timeoutMs: number): Promise<void> {
    return this.#parts.keeper.saveAll(timeoutMs);
  }

  async freeze(): Promise<void> {
    this.#writes.close();
    await this.#parts.link.stop();
  }

  stop(): Promise<void> {
    this.#writes.close();
    this.log.close();
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#watch.health.stop();
    this.#garbage.stop();
    while (this.#parts.link.queued.requests > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    try {
      await this.#parts.keeper.stop(LEVEL_AT_STOP_MS);
      await this.#parts.reader.close();
    } finally {
      await this.#parts.link.stop();
      this.#parts.catalogue.endWaits();
      this.#durable.close();
    }
  }
}
