/** The backups of a running node: makes them when they are due, proves them by restoring, and answers what there is.
 *
 *    every second: due? ─► full or increment        now and then: drill        asked: create · list · forecast · restore · drill · remove
 *
 *  Invariant: one job at a time; a job that fails leaves the archive as it was and the data untouched.
 *  Must not know: HTTP, changes of role, what becomes of a prepared restore. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ReplicatedLog } from '../engine/engine.js';
import type {
  BackupInfo,
  BackupKind,
  BackupList,
  BackupStatus,
  DrillReport,
  RestoreForecast,
  RestoreWish,
} from '../model/backup.js';
import { messageOf, SkeinError } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import { logOperation } from '../model/log-operation.js';
import type { Listing } from './archive.js';
import { lookAt } from './drill.js';
import { isDrillDue } from './drill-due.js';
import { foresee } from './foresight.js';
import { storedBytesOf } from './head.js';
import { KnownArchive } from './known-archive.js';
import { LogHold, runningOf } from './log-hold.js';
import { BackupMaker, type MakerParts } from './maker.js';
import { PastData } from './past-data.js';
import { NEWEST, placeOf, planRestore, type RestorePlan } from './plan.js';
import { type BackupSchedule, backupDue, fullReason } from './policy.js';
import { removeBackup } from './removing.js';
import { type PreparedRestore, prepareRestore } from './restoring.js';
import { infoOf, isOn, progressOf, restorableFrom, standingOf } from './standing.js';
import type { BackupTarget } from './target.js';
import { Turns } from './turns.js';

export interface BackupsParts extends Omit<MakerParts, 'archive' | 'hold'> {
  readonly target: BackupTarget;
  readonly schedule: BackupSchedule;
  /** 0: never. */
  readonly drillIntervalMs: number;
  /** Where restores are made before they are looked at or used. */
  readonly dataDir: string;
  readonly cacheBytes: number;
  readonly limits: Limits;
  /** Of the engine that is open now; null while none is, or it has no data of a cluster. */
  feed(): ReplicatedLog | null;
  /** Is it for this node to make backups by itself? */
  isActive(): boolean;
}

/** A restore that is prepared, and what it is of. */
export interface MadeRestore extends PreparedRestore {
  readonly plan: RestorePlan;
  readonly scratch: string;
}

const TICK_MS = 1_000;

export class Backups {
  readonly #parts: BackupsParts;
  readonly #turns: Turns;
  readonly #archive: KnownArchive;
  readonly #hold: LogHold;
  readonly #maker: BackupMaker;
  /** What a node that is damaged may take from its backups. */
  readonly past: PastData;
  #timer: NodeJS.Timeout | null = null;
  #ticking = false;
  #lastDrill: DrillReport | null = null;
  /** Monotonic. */
  #lastDrillEndedAtMs = 0;
  #drillsFailed = 0;

  constructor(parts: BackupsParts) {
    this.#parts = parts;
    this.#turns = new Turns(parts.clock);
    this.#archive = new KnownArchive(parts);
    this.#hold = new LogHold(parts);
    this.#maker = new BackupMaker({ ...parts, archive: this.#archive, hold: this.#hold });
    this.past = new PastData({
      clock: parts.clock,
      prepare: () => this.#newest(),
      known: async () => {
        const log = this.#mustFeed();
        const { backups } = await this.#archive.known(log);
        return { archive: this.#archive.of(log), backups, log };
      },
    });
  }

  start(): void {
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** What runs is broken off: it leaves nothing that counts. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#turns.stop();
    await this.past.close();
  }

  // What is asked.

  status(): BackupStatus {
    const { target, isActive } = this.#parts;
    const job = { target: target.name, running: this.#turns.running, active: isActive() };
    return { ...job, stored: this.#stored(), ...this.#maker.counts(), drill: this.#lastDrill, drillsFailed: this.#drillsFailed };
  }

  #stored(): BackupStatus['stored'] {
    const { shown: listing } = this.#archive;
    const log = this.#parts.feed();
    // What a node knew that made backups before says nothing of those that another one makes now.
    const isCurrent = this.#parts.isActive() || (log !== null && this.#archive.isFresh(log));
    if (listing === null || !isCurrent) return null;
    const { backups, damaged, verified } = listing;
    const newest = backups[0];
    const own = log === null ? null : standingOf(listing, runningOf(log)).newest;
    return {
      fulls: backups.filter(({ kind }) => kind === 'full').length,
      increments: backups.filter(({ kind }) => kind === 'incremental').length,
      damaged: damaged.length,
      bytes: backups.reduce((sum, head) => sum + storedBytesOf(head), 0),
      newestAtMs: newest?.createdAtMs ?? null,
      newestBytes: newest === undefined ? null : storedBytesOf(newest),
      restorableFrom: log === null ? null : restorableFrom(backups, runningOf(log)),
      operationsSince: log === null || own === null ? null : log.state().seq - own.end.seq,
      lastVerifiedAtMs: lastOf(verified),
    };
  }

  /** Reads the target. @throws BackupsOff (no data yet) · BackupTargetFailed */
  async list(): Promise<BackupList> {
    await this.#archive.read(this.#mustFeed());
    return this.known(null);
  }

  /** What was read last, and what this node did there since. Asks nobody. @param readFailure why not what is there now */
  known(readFailure: string | null): BackupList {
    const { backups = [], damaged = [], verified = new Map<string, number>() } = this.#archive.shown ?? {};
    const { readAtMs } = this.#archive;
    const log = this.#parts.feed();
    const from = log === null ? null : restorableFrom(backups, runningOf(log));
    return { backups: backups.map((head) => infoOf(head, verified)), damaged, restorableFrom: from, readAtMs, readFailure };
  }

  /** Makes a backup now. @param kind null: an increment where one is enough @returns null when nothing was written since the newest
   *  @throws BackupsOff · BackupTargetFailed · StorageFull · CorruptData · Overloaded · ShuttingDown */
  create(kind: BackupKind | null): Promise<BackupInfo | null> {
    return this.#turns.take(kind ?? 'incremental', async (signal) => {
      const log = this.#mustFeed();
      const listing = await this.#archive.read(log).catch((error: unknown) => {
        if (!signal.aborted) this.#maker.failed(error);
        throw error;
      });
      const head = await this.#maker.make(log, kind ?? this.#kindFor(listing, log), signal);
      return head === null ? null : infoOf(head, new Map());
    });
  }

  /** @param withIncrements as removalOf @returns what is gone
   *  @throws BackupNotFound · BackupNeeded · NotMaster · BackupsOff · BackupTargetFailed · Overloaded · ShuttingDown */
  remove(id: string, withIncrements: boolean): Promise<readonly string[]> {
    return this.#turns.take('removal', (signal) =>
      removeBackup({ ...this.#parts, hold: this.#hold }, this.#archive, this.#mustFeed(), { id, withIncrements, signal }),
    );
  }

  /** What a restore would do. Cost: reads the target, and at most one increment. @throws as planRestore · BackupTargetFailed */
  async forecast(wish: RestoreWish): Promise<RestoreForecast> {
    const log = this.#mustFeed();
    const plan = planRestore(await this.#archive.read(log), wish, runningOf(log));
    const ahead = await foresee(plan, this.#archive.of(log));
    const { historyId, epoch } = placeOf(plan, ahead.seq);
    const running = runningOf(log);
    const operationsLost = isOn(running, { historyId, seq: ahead.seq }) ? running.seq - ahead.seq : null;
    const increments = plan.increments.map(({ id }) => id);
    return { base: plan.full.id, increments, ...ahead, historyId, epoch, operationsLost };
  }

  /** Makes a restore ready, and removes what is left of it when `use` has ended. @throws as planRestore, prepareRestore, and what `use` throws */
  restore<T>(wish: RestoreWish, use: (restore: MadeRestore) => Promise<T>): Promise<T> {
    const { log: lines, clock } = this.#parts;
    return this.#turns.take('restore', (signal) =>
      logOperation({ log: lines, clock, name: 'restore' }, async (scope) => {
        const log = this.#mustFeed();
        try {
          const plan = await this.#planned(wish, log);
          scope.add({ base: plan.full.id, increments: plan.increments.length });
          return await this.#prepared(plan, log, signal, (made) => {
            scope.add({ restored_seq: made.reached.state.seq });
            return use(made);
          });
        } finally {
          this.#archive.doubt();
        }
      }),
    );
  }

  /** Puts what is in no backup yet into increments: before data is replaced, so that it can be brought back, and afterwards, so that the newest
   *  in the archive is what took its place. Inside of restore() only. @throws as create */
  async archiveRest(): Promise<void> {
    await this.#maker.make(this.#mustFeed(), 'incremental', new AbortController().signal);
  }

  /** Restores into a scratch folder, looks at it, and removes it. @throws as planRestore when there is nothing to restore · ShuttingDown */
  drill(wish: RestoreWish): Promise<DrillReport> {
    return this.#turns.take('drill', async (signal) => {
      const log = this.#mustFeed();
      const plan = await this.#planned(wish, log);
      return this.#noted(await this.#drilled(plan, log, signal), log);
    });
  }

  /** What is asked for by its name is looked at again, whatever was found before. @throws as planRestore · BackupTargetFailed */
  async #planned(wish: RestoreWish, log: ReplicatedLog): Promise<RestorePlan> {
    if (wish.backup !== null) this.#archive.pardon(wish.backup);
    return planRestore(await this.#archive.read(log), wish, runningOf(log));
  }

  /** By itself: that no plan leads to the newest state is what this one found, and no failure of a backup. @throws BackupTargetFailed */
  async #drillByItself(log: ReplicatedLog): Promise<void> {
    await this.#turns.take('drill', async (signal) => {
      const listing = await this.#archive.read(log);
      const startedAtMs = this.#parts.clock.wallMs();
      let plan: RestorePlan;
      try {
        plan = planRestore(listing, NEWEST, runningOf(log));
      } catch (error) {
        const nothing = { seq: null, points: null, recall: null };
        const report = { backups: [], startedAtMs, tookMs: 0, ok: false, problem: messageOf(error), ...nothing };
        this.#parts.log.error('backup_drill_failed', { error });
        return this.#noted(report, log);
      }
      return this.#noted(await this.#drilled(plan, log, signal), log);
    });
  }

  /** The proof lies with the full backup as well: a small increment is soon replaced, and its proof with it. */
  async #noted(report: DrillReport, log: ReplicatedLog): Promise<DrillReport> {
    this.#lastDrill = report;
    this.#lastDrillEndedAtMs = this.#parts.clock.monotonicMs();
    if (!report.ok) {
      this.#drillsFailed += 1;
      return report;
    }
    const ends = [report.backups[0], report.backups.at(-1)].filter((id) => id !== undefined);
    for (const id of new Set(ends)) await this.#archive.of(log).prove(id, report);
    await this.#archive.read(log);
    return report;
  }

  async #drilled(plan: RestorePlan, log: ReplicatedLog, signal: AbortSignal): Promise<DrillReport> {
    const { clock, log: lines } = this.#parts;
    const startedAtMs = clock.wallMs();
    const startMs = clock.monotonicMs();
    const backups = [plan.full.id, ...plan.increments.map(({ id }) => id)];
    let found: Pick<DrillReport, 'seq' | 'points' | 'recall'> = { seq: null, points: null, recall: null };
    let problem: string | null = null;
    const fields = { base: plan.full.id, increments: plan.increments.length };
    try {
      await logOperation({ log: lines, clock, name: 'backup_drill', fields }, async (scope) => {
        const findings = await this.#prepared(plan, log, signal, (made) => lookAt(made, made.scratch, signal));
        const { seq, points, recall } = findings;
        found = { seq, points, recall };
        scope.add(found);
        if (findings.problem !== null) throw new Error(findings.problem);
      });
    } catch (error) {
      if (signal.aborted) throw error;
      problem = messageOf(error);
    }
    const tookMs = Math.round(clock.monotonicMs() - startMs);
    return { backups, startedAtMs, tookMs, ok: problem === null, problem, ...found };
  }

  async #prepared<T>(
    plan: RestorePlan,
    log: ReplicatedLog,
    signal: AbortSignal,
    use: (made: MadeRestore) => Promise<T>,
  ): Promise<T> {
    const restore = await this.#prepare(plan, log, signal);
    try {
      return await use(restore);
    } finally {
      await restore.discard();
    }
  }

  async #prepare(plan: RestorePlan, log: ReplicatedLog, signal: AbortSignal): Promise<MadeRestore> {
    const { dataDir, cacheBytes, limits } = this.#parts;
    const scratch = join(dataDir, `restoring-${randomBytes(16).toString('hex')}`);
    const how = { archive: this.#archive.of(log), scratch, cacheBytes, limits, signal, onStep: () => {} };
    try {
      return { ...(await prepareRestore(plan, how)), plan, scratch };
    } catch (error) {
      this.#archive.noteDamage(error);
      throw error;
    }
  }

  /** The newest state, for a look at its points; whoever looked discards it. @throws as planRestore, prepareRestore */
  #newest(): Promise<MadeRestore> {
    const { log: lines, clock } = this.#parts;
    return this.#turns.take('restore', (signal) =>
      logOperation({ log: lines, clock, name: 'backup_opened' }, async (scope) => {
        const log = this.#mustFeed();
        const plan = planRestore(await this.#archive.read(log), NEWEST, runningOf(log));
        scope.add({ base: plan.full.id, increments: plan.increments.length });
        const made = await this.#prepare(plan, log, signal);
        try {
          await made.finish(null);
          return made;
        } catch (error) {
          await made.discard();
          throw error;
        }
      }),
    );
  }

  // What is done by itself.

  async #tick(): Promise<void> {
    if (this.#ticking || this.#turns.isStopped) return;
    this.#ticking = true;
    try {
      await this.#look();
    } catch (error) {
      if (this.#turns.isStopped) return;
      this.#maker.failed(error);
      this.#parts.log.error('backups_not_looked_at', { error });
    } finally {
      this.#ticking = false;
    }
  }

  /** @throws what keeps it from knowing what is due */
  async #look(): Promise<void> {
    const { schedule, isActive } = this.#parts;
    const log = this.#parts.feed();
    if (log === null || this.#turns.running !== null) return;
    if (!isActive()) return this.#hold.letGo(log);
    if (this.#maker.attempts().failures > 0 && (await this.#hold.isShortOfRoom())) this.#hold.letGo(log);
    else if (!this.#archive.isFresh(log)) this.#hold.keepWhole(log);
    if (this.#isResting()) return;
    const listing = await this.#archive.known(log);
    this.#hold.keepFor(log, listing);
    const due = backupDue(this.#progress(listing, log), schedule);
    // What fails then is counted by who made it.
    if (due.kind !== 'none')
      await this.#turns.take(due.kind, (signal) => this.#maker.make(log, due.kind, signal)).catch(() => {});
    else if (this.#isDrillDue(listing)) await this.#drillByItself(log);
  }

  /** After failures it waits as long as the policy says, also with its questions. */
  #isResting(): boolean {
    const { monotonicMs: nowMs, lastEndedAtMs, failures } = this.#maker.attempts();
    const schedule = { ...this.#parts.schedule, intervalMs: 1 };
    const asked = { nowMs, lastEndedAtMs, failures, newest: null, full: null };
    return failures > 0 && backupDue(asked, schedule).kind === 'none';
  }

  #progress(listing: Listing, log: ReplicatedLog) {
    const running = runningOf(log);
    return progressOf(standingOf(listing, running), running, this.#maker.attempts());
  }

  #kindFor(listing: Listing, log: ReplicatedLog): BackupKind {
    return fullReason(this.#progress(listing, log), this.#parts.schedule) === null ? 'incremental' : 'full';
  }

  #isDrillDue({ backups, verified }: Listing): boolean {
    const { drillIntervalMs, clock } = this.#parts;
    const oldest = backups.at(-1);
    if (oldest === undefined) return false;
    const lastDrill = this.#lastDrill && { ok: this.#lastDrill.ok, endedAtMs: this.#lastDrillEndedAtMs };
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    return isDrillDue({ ...now, lastDrill, provenAtMs: verified.values(), oldestAtMs: oldest.createdAtMs }, drillIntervalMs);
  }

  #mustFeed(): ReplicatedLog {
    const log = this.#parts.feed();
    if (log === null) throw new SkeinError('BackupsOff', 'This node has no data of a cluster yet');
    return log;
  }
}

function lastOf(instants: ReadonlyMap<string, number>): number | null {
  return instants.size === 0 ? null : Math.max(...instants.values());
}
