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
import { readName } from './names.js';
import { asNoRoom } from './no-room.js';
import { type Attempts, nextStretch, replaces, type Standing, standingOf } from './standing.js';
import { type TidyingParts, tidy } from './tidying.js';
import { LogGone, type WritingOptions, writeFull, writeIncrement } from './writing.js';

export interface MakerParts extends TidyingParts {
  readonly hold: LogHold;
  buildSnapshot(signal: AbortSignal): Promise<BuiltSnapshot>;
}

interface Increments {
  /** Null: nothing was written since the newest. */
  readonly last: BackupHead | null;
  /** False: the log no longer has what comes next, and nothing but a full one helps. */
  readonly isContinued: boolean;
}

/** So many hold the largest log there is. */
const INCREMENTS_AT_ONCE_MAX = 1_000;

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
    const { clock } = this.#parts;
    return logOperation({ log: this.#parts.log, clock, name: 'backup', fields: { kind } }, async (scope) => {
      const head = await this.#write(log, kind, signal);
      scope.add(
        head === null ? { backup: null } : { backup: head.id, kind: head.kind, seq: head.end.seq, bytes: storedBytesOf(head) },
      );
      return head;
    });
  }

  async #write(log: ReplicatedLog, kind: BackupKind, signal: AbortSignal): Promise<BackupHead | null> {
    const { last, isContinued } = await this.#writeIncrements(log, log.state().seq, signal);
    return kind === 'incremental' && isContinued ? last : this.#writeFull(log, signal);
  }

  /** A full one ends where an increment ends: so no moment and no older full one depends on it, and nothing of a restore of it is in none. */
  async #writeFull(log: ReplicatedLog, signal: AbortSignal): Promise<BackupHead> {
    const built = await this.#parts.buildSnapshot(signal);
    try {
      await this.#writeIncrements(log, built.head.baseSeq, signal);
      const head = await writeFull(built, this.#how(log, signal));
      this.#took(head);
      return head;
    } finally {
      await built.remove();
    }
  }

  /** All that is in none yet, up to this seq. */
  async #writeIncrements(log: ReplicatedLog, toSeq: number, signal: AbortSignal): Promise<Increments> {
    let last: BackupHead | null = null;
    try {
      for (let turn = 0; turn < INCREMENTS_AT_ONCE_MAX; turn++) {
        const standing = standingOf(await this.#parts.archive.known(log), runningOf(log));
        if (!standing.continued) return { last, isContinued: false };
        const head = await this.#writeIncrement(log, standing, toSeq, signal);
        if (head === null) return { last, isContinued: true };
        last = head;
      }
      throw new Error('the log does not come to an end');
    } catch (error) {
      // Pruned at this very moment, over its hard bound.
      if (error instanceof LogGone) return { last, isContinued: false };
      throw error;
    }
  }

  async #writeIncrement(log: ReplicatedLog, standing: Standing, toSeq: number, signal: AbortSignal): Promise<BackupHead | null> {
    const next = nextStretch(standing, runningOf(log), toSeq);
    if (next === null) return null;
    const head = await writeIncrement(next, this.#how(log, signal));
    if (head === null) return null;
    this.#took(head);
    const known = this.#parts.archive.shown?.backups ?? [];
    if (next.merged !== null && replaces(head, next.merged, known)) await this.#removeReplaced(log, next.merged.id);
    return head;
  }

  #how(log: ReplicatedLog, signal: AbortSignal): WritingOptions {
    return { archive: this.#parts.archive.of(log), log, createdAtMs: this.#nextCreatedAtMs(), signal };
  }

  #took(head: BackupHead): void {
    this.#parts.archive.took(head);
    this.#made[head.kind] += 1;
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

  /** Another instant for each, so that no two have one name, and later than all: names are in the order of their making. */
  #nextCreatedAtMs(): number {
    const { backups = [], damaged = [] } = this.#parts.archive.shown ?? {};
    const broken = damaged.map(({ id }) => readName(id)?.createdAtMs ?? 0);
    const newest = Math.max(backups[0]?.createdAtMs ?? 0, ...broken);
    this.#createdAtMs = Math.max(this.#parts.clock.wallMs(), this.#createdAtMs + 1, newest + 1);
    return this.#createdAtMs;
  }
}

/** Is it room in the target that is missing? */
function isFull(error: unknown): boolean {
  return error instanceof SkeinError && error.type === 'BackupTargetFailed' && error.details['reason'] === 'full';
}
