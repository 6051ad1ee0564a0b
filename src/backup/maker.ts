/** Makes one backup when it is told to, puts it in the place of a small one, and lets go of what is not needed any more. Counts what came of it.
 *
 *  Invariants: a backup that fails leaves the archive as it was; the log is kept for what is in no backup yet, up to its hard bound.
 *  Must not know: when a backup is due, that others wait. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { BuiltSnapshot } from '../engine/snapshot.js';
import type { BackupKind, BackupStatus } from '../model/backup.js';
import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { Listing } from './archive.js';
import { type BackupHead, storedBytesOf } from './head.js';
import type { KnownArchive } from './known-archive.js';
import { expiredBackups, type RetentionRules } from './retention.js';
import { keepLogFrom, keptBackups, mergeable, type Running, type Standing, standingOf } from './standing.js';
import { LogGone, type WritingOptions, writeFull, writeIncrement } from './writing.js';

export interface MakerParts {
  readonly archive: KnownArchive;
  readonly retention: RetentionRules;
  readonly clock: Clock;
  readonly log: Log;
  buildSnapshot(signal: AbortSignal): Promise<BuiltSnapshot>;
}

/** Objects without a head are of a backup that is being made, until they are so old. */
const HEADLESS_AGE_MS_MAX = 24 * 3_600_000;

export class BackupMaker {
  readonly #parts: MakerParts;
  #createdAtMs = 0;
  #told: { readonly log: ReplicatedLog; readonly seq: number | null } | null = null;
  #lastEndedAtMs: number | null = null;
  #failed = 0;
  #failuresInRow = 0;
  #lastFailure: BackupStatus['lastFailure'] = null;
  #lastTookMs: number | null = null;
  readonly #made = { full: 0, incremental: 0 };

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  counts(): Pick<BackupStatus, 'made' | 'failed' | 'failuresInRow' | 'lastFailure' | 'lastTookMs'> {
    const [failed, failuresInRow, lastFailure, lastTookMs] = [
      this.#failed,
      this.#failuresInRow,
      this.#lastFailure,
      this.#lastTookMs,
    ];
    return { made: { ...this.#made }, failed, failuresInRow, lastFailure, lastTookMs };
  }

  /** For the policy. */
  attempts() {
    return { nowMs: this.#parts.clock.wallMs(), lastEndedAtMs: this.#lastEndedAtMs, failures: this.#failuresInRow };
  }

  /** @returns null when nothing was written since the newest
   *  @throws BackupTargetFailed · StorageFull · CorruptData · the signal's reason · Error: counted and logged */
  async make(log: ReplicatedLog, kind: BackupKind, signal: AbortSignal): Promise<BackupHead | null> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    try {
      const head = await this.#write(log, standingOf(await this.#parts.archive.known(log), runningOf(log)), kind, signal);
      this.#lastEndedAtMs = clock.wallMs();
      this.#failuresInRow = 0;
      if (head === null) return null;
      this.#made[head.kind] += 1;
      this.#lastTookMs = Math.round(clock.monotonicMs() - startMs);
      const { id, end } = head;
      this.#parts.log.info('backup_made', { backup: id, seq: end.seq, bytes: storedBytesOf(head), took_ms: this.#lastTookMs });
      await this.#tidy(log);
      return head;
    } catch (error) {
      if (!signal.aborted) this.failed(error);
      throw error;
    }
  }

  async #write(log: ReplicatedLog, standing: Standing, kind: BackupKind, signal: AbortSignal): Promise<BackupHead | null> {
    const how = { archive: this.#parts.archive.of(log), log, createdAtMs: this.#nextCreatedAtMs(), signal };
    if (kind === 'full' || standing.newest === null || !standing.continued) return this.#writeFull(how);
    if (standing.newest.end.seq >= log.state().seq) return null;
    const merged = mergeable(standing, runningOf(log));
    try {
      const head = await writeIncrement(merged?.fromSeq ?? standing.newest.end.seq + 1, how);
      if (head !== null && merged !== null && head.end.seq > merged.end.seq) await how.archive.remove(merged.id);
      return head;
    } catch (error) {
      // Pruned at this very moment, over its hard bound.
      if (error instanceof LogGone) return this.#writeFull(how);
      throw error;
    }
  }

  async #writeFull(how: WritingOptions): Promise<BackupHead> {
    const built = await this.#parts.buildSnapshot(how.signal);
    return writeFull(built, how).finally(() => built.remove());
  }

  /** A failure of this is no failure of the backup. */
  async #tidy(log: ReplicatedLog): Promise<void> {
    const { archive, retention, clock } = this.#parts;
    try {
      const listing = await archive.read(log);
      const nowMs = clock.wallMs();
      const expired = expiredBackups(keptBackups(listing), retention, nowMs);
      for (const id of expired) await archive.of(log).remove(id);
      const old = listing.headless.filter(({ modifiedAtMs }) => modifiedAtMs < nowMs - HEADLESS_AGE_MS_MAX);
      for (const { key } of old) await archive.of(log).removeObject(key);
      if (expired.length > 0) this.#parts.log.info('backups_removed', { backups: expired });
      this.keepLog(log, expired.length > 0 ? await archive.read(log) : listing);
    } catch (error) {
      archive.forget();
      this.#parts.log.warn('backups_not_tidied', { error });
    }
  }

  failed(error: unknown): void {
    this.#lastEndedAtMs = this.#parts.clock.wallMs();
    this.#failed += 1;
    this.#failuresInRow += 1;
    this.#lastFailure = { atMs: this.#lastEndedAtMs, message: messageOf(error) };
    this.#parts.archive.forget();
    this.#parts.log.error('backup_failed', { error, failures: this.#failuresInRow });
  }

  /** Another instant for each, so that no two have one name. */
  #nextCreatedAtMs(): number {
    const newest = this.#parts.archive.listing?.backups[0]?.createdAtMs ?? 0;
    this.#createdAtMs = Math.max(this.#parts.clock.wallMs(), this.#createdAtMs + 1, newest + 1);
    return this.#createdAtMs;
  }

  /** @param listing null: nothing is to be kept for backups */
  keepLog(log: ReplicatedLog, listing: Listing | null): void {
    const running = runningOf(log);
    const seq = listing === null ? null : keepLogFrom(standingOf(listing, running), running);
    if (this.#told?.log === log && this.#told.seq === seq) return;
    log.keepFrom('backups', seq);
    this.#told = { log, seq };
  }
}

export function runningOf(log: ReplicatedLog): Running {
  const { seq, logMinSeq } = log.state();
  return { seq, logMinSeq, lineage: log.lineage() };
}
