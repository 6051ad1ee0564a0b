/** Makes one backup when it is told to, puts it in the place of a small one, and lets go of what is not needed any more. Counts what came of it.
 *
 *  Invariant: a backup that fails leaves the archive as it was.
 *  Must not know: when a backup is due, that others wait. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { BuiltSnapshot } from '../engine/snapshot.js';
import type { BackupKind, BackupStatus } from '../model/backup.js';
import { messageOf, SkeinError } from '../model/errors.js';
import { logOperation } from '../model/log-operation.js';
import { type BackupHead, storedBytesOf } from './head.js';
import { type LogHold, runningOf } from './log-hold.js';
import { asNoRoom } from './no-room.js';
import { type Attempts, mergeable, replaces, type Standing, standingOf } from './standing.js';
import { type TidyingParts, tidy } from './tidying.js';
import { LogGone, type WritingOptions, writeFull, writeIncrement } from './writing.js';

export interface MakerParts extends TidyingParts {
  readonly hold: LogHold;
  buildSnapshot(signal: AbortSignal): Promise<BuiltSnapshot>;
}

export class BackupMaker {
  readonly #parts: MakerParts;
  #createdAtMs = 0;
  #lastEndedAtMs: number | null = null;
  #lastFullAtMs: number | null = null;
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
  attempts(): Attempts {
    const { clock } = this.#parts;
    return {
      ...{ wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() },
      ...{ lastEndedAtMs: this.#lastEndedAtMs, lastFullAtMs: this.#lastFullAtMs, failures: this.#failuresInRow },
    };
  }

  /** @returns null when nothing was written since the newest
   *  @throws BackupTargetFailed · DiskLimitExceeded · CorruptData · the signal's reason · Error: counted and logged */
  async make(log: ReplicatedLog, kind: BackupKind, signal: AbortSignal): Promise<BackupHead | null> {
    const { clock, archive, hold } = this.#parts;
    const startMs = clock.monotonicMs();
    try {
      const head = await this.#logged(log, kind, signal);
      this.#lastEndedAtMs = clock.monotonicMs();
      this.#failuresInRow = 0;
      if (head === null) return null;
      if (head.kind === 'full') this.#lastFullAtMs = this.#lastEndedAtMs;
      this.#made[head.kind] += 1;
      this.#lastTookMs = Math.round(this.#lastEndedAtMs - startMs);
      // Reading all of the target for each of many increments would cost more than they do.
      if (head.kind === 'full' || !archive.isFresh(log)) await tidy(this.#parts, log);
      if (archive.shown !== null) hold.keepFor(log, archive.shown);
      return head;
    } catch (thrown) {
      const error = asNoRoom(thrown);
      if (!signal.aborted) {
        this.failed(error);
        if (isFull(error)) await tidy(this.#parts, log);
      }
      throw error;
    }
  }

  #logged(log: ReplicatedLog, kind: BackupKind, signal: AbortSignal): Promise<BackupHead | null> {
    const { archive, clock } = this.#parts;
    return logOperation({ log: this.#parts.log, clock, name: 'backup', fields: { kind } }, async (scope) => {
      const standing = standingOf(await archive.known(log), runningOf(log));
      const head = await this.#write(log, standing, kind, signal);
      scope.add(
        head === null ? { backup: null } : { backup: head.id, kind: head.kind, seq: head.end.seq, bytes: storedBytesOf(head) },
      );
      return head;
    });
  }

  /** In front of a full one goes an increment, so that no moment and no older full one depends on it. */
  async #write(log: ReplicatedLog, standing: Standing, kind: BackupKind, signal: AbortSignal): Promise<BackupHead | null> {
    if (standing.continued) {
      try {
        const increment = await this.#writeIncrement(log, standing, signal);
        if (kind === 'incremental') return increment;
        if (increment !== null) this.#made.incremental += 1;
      } catch (error) {
        // Pruned at this very moment, over its hard bound.
        if (!(error instanceof LogGone)) throw error;
      }
    }
    return this.#writeFull(this.#how(log, signal));
  }

  async #writeIncrement(log: ReplicatedLog, standing: Standing, signal: AbortSignal): Promise<BackupHead | null> {
    const { archive } = this.#parts;
    const merged = mergeable(standing, runningOf(log));
    if (standing.fromSeq === null || standing.fromSeq > log.state().seq) return null;
    const head = await writeIncrement(merged?.fromSeq ?? standing.fromSeq, this.#how(log, signal));
    if (head === null) return null;
    archive.took(head);
    const known = archive.shown?.backups ?? [];
    if (merged !== null && replaces(head, merged, known)) await this.#removeReplaced(log, merged.id);
    return head;
  }

  #how(log: ReplicatedLog, signal: AbortSignal): WritingOptions {
    return { archive: this.#parts.archive.of(log), log, createdAtMs: this.#nextCreatedAtMs(), signal };
  }

  async #writeFull(how: WritingOptions): Promise<BackupHead> {
    const built = await this.#parts.buildSnapshot(how.signal);
    const head = await writeFull(built, how).finally(() => built.remove());
    this.#parts.archive.took(head);
    return head;
  }

  /** One that stays does no harm: the longer one is there, and this goes when the archive is tidied. */
  async #removeReplaced(log: ReplicatedLog, id: string): Promise<void> {
    const { archive } = this.#parts;
    try {
      await archive.of(log).remove(id);
      archive.lost(id);
    } catch (error) {
      this.#parts.log.warn('backups_not_tidied', { error });
      archive.doubt();
    }
  }

  /** Counts what kept a backup from being made. */
  failed(error: unknown): void {
    const { clock, archive } = this.#parts;
    this.#lastEndedAtMs = clock.monotonicMs();
    // That it was not even asked says nothing of why: what it was that failed before stays in sight.
    const isReason = !(error instanceof SkeinError && error.type === 'CircuitOpen');
    if (isReason || this.#failuresInRow === 0) this.#lastFailure = { atMs: clock.wallMs(), message: messageOf(error) };
    this.#failed += 1;
    this.#failuresInRow += 1;
    archive.doubt();
  }

  /** Another instant for each, so that no two have one name. */
  #nextCreatedAtMs(): number {
    const newest = this.#parts.archive.shown?.backups[0]?.createdAtMs ?? 0;
    this.#createdAtMs = Math.max(this.#parts.clock.wallMs(), this.#createdAtMs + 1, newest + 1);
    return this.#createdAtMs;
  }
}

/** Is it room in the target that is missing? */
function isFull(error: unknown): boolean {
  return error instanceof SkeinError && error.type === 'BackupTargetFailed' && error.details['reason'] === 'full';
}
