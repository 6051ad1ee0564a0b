/** A world of archives without bytes: a log that is written, pruned, promoted and restored, and the backups that the rules of src/backup make of it.
 *
 *  Invariant: what is a decision of the product is asked of the product; here is only what time and other machines do to it.
 *  Must not know: what ought to be restorable. */

import type { BrokenBackup } from '../../src/backup/damaged.js';
import type { BackupHead, HeadLineage, IncrementHead } from '../../src/backup/head.js';
import { nameOf } from '../../src/backup/names.js';
import { NEWEST, planRestore, type RestorePlan } from '../../src/backup/plan.js';
import { type BackupSchedule, backupDue, fullReason } from '../../src/backup/policy.js';
import { expiredBackups } from '../../src/backup/retention.js';
import {
  keepLogFrom,
  keptBackups,
  nextStretch,
  progressOf,
  type Running,
  replacedIncrements,
  replaces,
  standingOf,
} from '../../src/backup/standing.js';
import { INCREMENT_BYTES_MAX } from '../../src/backup/writing.js';
import type { BackupKind, RestoreWish } from '../../src/model/backup.js';
import { positionAt } from '../../src/model/position.js';

export interface Place {
  readonly historyId: string;
  readonly epoch: number;
  readonly seq: number;
}

/** Where a kill breaks off what makes a backup. */
export type Kill = 'before_increment' | 'before_removal' | 'before_full' | 'before_tidying';

/** So that an increment of more than ten entries ends early. */
const ENTRY_BYTES = 24 * 1024 * 1024;
const FULL_BYTES = 100 * ENTRY_BYTES;
export const FULLS_MAX = 2;
export const DAY_MS = 86_400_000;
const SCHEDULE: BackupSchedule = { everyOperations: 10, intervalMs: 3_600_000, minIntervalMs: 10_000, fullIntervalMs: DAY_MS };
const ZEROS = '0'.repeat(64);

export class ArchiveWorld {
  nowMs = 1_000 * DAY_MS;
  backups: BackupHead[] = [];
  damaged: { readonly head: BackupHead; readonly broken: BrokenBackup }[] = [];
  running: Omit<Running, 'lineage'> & { readonly lineage: readonly HeadLineage[] };
  /** The ends of units, by the history that wrote them. */
  readonly #ends = new Map<string, number[]>();
  readonly #timeMs = new Map<string, number>();
  #epoch = 0;
  #lastEndedAtMs: number | null = null;
  #lastFullAtMs: number | null = null;

  readonly #packing: number;

  /** @param packing what packing makes of a byte */
  constructor(packing: number) {
    this.#packing = packing;
    this.running = { seq: 0, logMinSeq: 1, lineage: [this.#newHistory(0)] };
  }

  // What happens to the log.

  write(units: number): void {
    for (let i = 0; i < units; i++) {
      const seq = this.running.seq + 1 + ((this.running.seq + i) % 3 === 0 ? 1 : 0);
      this.running = { ...this.running, seq };
      const { historyId } = this.running.lineage.at(-1) as HeadLineage;
      this.#ends.set(historyId, [...(this.#ends.get(historyId) ?? []), seq]);
      this.#timeMs.set(`${historyId} ${seq}`, ++this.nowMs);
    }
  }

  /** As far as it is not kept for backups. */
  prune(): void {
    const keepFrom = keepLogFrom(standingOf(this.listing(), this.running), this.running);
    this.pruneTo(keepFrom);
  }

  /** Over its hard bound. */
  pruneTo(seq: number): void {
    const logMinSeq = Math.max(this.running.logMinSeq, Math.min(seq, this.running.seq + 1));
    this.running = { ...this.running, logMinSeq };
  }

  /** Another node takes over, which lacks the last units, and has the log from here on. */
  promote(unitsLost: number, logMinSeq: number): void {
    const fork = this.placesOf(this.running).at(-1 - unitsLost) ?? this.placesOf(this.running)[0];
    if (fork === undefined) return;
    this.#goOnFrom(this.running.lineage, fork.seq, Math.max(1, Math.min(logMinSeq, fork.seq + 1)));
  }

  /** In place. @throws as planRestore */
  restore(place: Place): void {
    const { full, increments } = this.plan({ ...NEWEST, position: place });
    this.archiveRest();
    const { lineage } = increments.at(-1) ?? full;
    this.#goOnFrom(lineage, place.seq, full.end.seq + 1);
    this.archiveRest();
  }

  #goOnFrom(lineage: readonly HeadLineage[], seq: number, logMinSeq: number): void {
    const before = lineage.filter(({ startSeq }) => startSeq < seq || startSeq === 0);
    this.running = { seq, logMinSeq, lineage: [...before, this.#newHistory(seq)] };
    this.write(1);
  }

  #newHistory(startSeq: number): HeadLineage {
    const epoch = ++this.#epoch;
    return { epoch, historyId: epoch.toString(16).padStart(32, '0'), startSeq, startHash: ZEROS };
  }

  // What becomes of the archive.

  /** @returns what is due now, with nobody asking */
  due() {
    const attempts = { lastEndedAtMs: this.#lastEndedAtMs, lastFullAtMs: this.#lastFullAtMs, failures: 0 };
    const now = { wallMs: this.nowMs, monotonicMs: this.nowMs };
    return backupDue(progressOf(standingOf(this.listing(), this.running), this.running, { ...attempts, ...now }), SCHEDULE);
  }

  kindWanted(): BackupKind {
    const attempts = { lastEndedAtMs: this.#lastEndedAtMs, lastFullAtMs: this.#lastFullAtMs, failures: 0 };
    const now = { wallMs: this.nowMs, monotonicMs: this.nowMs };
    const progress = progressOf(standingOf(this.listing(), this.running), this.running, { ...attempts, ...now });
    return fullReason(progress, SCHEDULE) === null ? 'incremental' : 'full';
  }

  /** As the maker does it. @param unitsMeanwhile written while a snapshot is begun @returns what was made */
  make(kind: BackupKind, unitsMeanwhile = 0, kill: Kill | null = null): BackupHead | null {
    if (kill === 'before_increment') return null;
    const head = this.#write(kind, unitsMeanwhile, kill);
    this.#lastEndedAtMs = ++this.nowMs;
    if (head?.kind === 'full') {
      this.#lastFullAtMs = this.nowMs;
      if (kill !== 'before_tidying') this.tidy();
    }
    return head;
  }

  #write(kind: BackupKind, unitsMeanwhile: number, kill: Kill | null): BackupHead | null {
    const last = this.#writeIncrements(this.running.seq, kill);
    if ((kind === 'incremental' && standingOf(this.listing(), this.running).continued) || kill === 'before_full') return last;
    this.write(unitsMeanwhile);
    const place = this.placesOf(this.running).at(-1) as Place;
    this.write(unitsMeanwhile);
    this.#writeIncrements(place.seq, kill);
    if (kill === 'before_removal') return null;
    const full = this.#head(null, place);
    this.backups = [full, ...this.backups];
    return full;
  }

  #writeIncrements(toSeq: number, kill: Kill | null): BackupHead | null {
    let last: BackupHead | null = null;
    for (let turns = 0; standingOf(this.listing(), this.running).continued; turns++) {
      if (turns > 200) throw new Error('the log does not come to an end');
      const head = this.#writeIncrement(toSeq, kill);
      if (head === null) break;
      last = head;
    }
    return last;
  }

  #writeIncrement(toSeq: number, kill: Kill | null): BackupHead | null {
    const next = nextStretch(standingOf(this.listing(), this.running), this.running, toSeq);
    if (next === null) return null;
    const { fromSeq, merged } = next;
    const head = this.#head(fromSeq, this.#endOfStretch(fromSeq, next.toSeq));
    this.backups = [head, ...this.backups];
    if (merged !== null && kill !== 'before_removal' && replaces(head as IncrementHead, merged, this.backups))
      this.remove(merged.id);
    return head;
  }

  #endOfStretch(fromSeq: number, toSeq: number): Place {
    const places = this.placesOf(this.running).filter(({ seq }) => seq >= fromSeq && seq <= toSeq);
    const fitting = places.filter(({ seq }) => (seq - fromSeq + 1) * ENTRY_BYTES <= INCREMENT_BYTES_MAX);
    return (fitting.at(-1) ?? places[0]) as Place;
  }

  archiveRest(): void {
    for (let turns = 0; this.make('incremental') !== null; turns++)
      if (turns > 200) throw new Error('it does not come to an end');
  }

  /** @param removalsMax broken off behind so many */
  tidy(removalsMax = Number.POSITIVE_INFINITY): void {
    const listing = this.listing();
    const kept = keptBackups(listing, this.running);
    const expired = expiredBackups(kept, { fullsMax: FULLS_MAX, ageMsMax: null }, this.nowMs);
    const gone = [...new Set([...replacedIncrements(listing), ...expired])].slice(0, removalsMax);
    for (const id of gone) this.remove(id);
  }

  remove(id: string): void {
    this.backups = this.backups.filter((head) => head.id !== id);
    this.damaged = this.damaged.filter(({ head }) => head.id !== id);
  }

  /** @param isBlind its head as well */
  damage(head: BackupHead, isBlind: boolean): void {
    this.remove(head.id);
    const broken = { id: head.id, object: 'o', problem: 'p', end: isBlind ? null : head.end };
    this.damaged = [...this.damaged, { head, broken }];
  }

  /** @param isKnown those alone whose heads can be read */
  heal(isKnown = false): void {
    const sound = this.damaged.filter(({ broken }) => !isKnown || broken.end !== null);
    this.backups = [...this.backups, ...sound.map(({ head }) => head)].sort((a, b) => (a.id < b.id ? 1 : -1));
    this.damaged = this.damaged.filter((one) => !sound.includes(one));
  }

  /** What would come of it: nothing has happened afterwards. */
  tried<T>(work: () => T): T {
    const { nowMs, backups, damaged, running } = this;
    try {
      return work();
    } finally {
      Object.assign(this, { nowMs, backups, damaged, running });
    }
  }

  // What is asked.

  listing() {
    const damaged = this.damaged.map(({ broken }) => broken).sort((a, b) => (a.id < b.id ? 1 : -1));
    const doubted = this.damaged.filter(({ broken }) => broken.end !== null).map(({ head }) => head);
    return { backups: this.backups, damaged, doubted };
  }

  plan(wish: RestoreWish, running: Running | null = this.running): RestorePlan {
    return planRestore(this.listing(), wish, running);
  }

  /** The ends of units on a line, oldest first. */
  placesOf({ lineage, seq }: { readonly lineage: readonly HeadLineage[]; readonly seq: number }): Place[] {
    return lineage.flatMap(({ historyId, epoch, startSeq }, i) => {
      const last = lineage[i + 1]?.startSeq ?? seq;
      const ends = (this.#ends.get(historyId) ?? []).filter((end) => end > startSeq && end <= last);
      return ends.map((end) => ({ historyId, epoch, seq: end }));
    });
  }

  #head(fromSeq: number | null, place: Place): BackupHead {
    const createdAtMs = ++this.nowMs;
    const id = nameOf({ createdAtMs, range: fromSeq === null ? null : { fromSeq, toSeq: place.seq } });
    const timeMs = this.#timeMs.get(`${place.historyId} ${place.seq}`) ?? null;
    const end = { ...place, timeMs, chainHash: ZEROS, digest: ZEROS.slice(32) };
    const lineage = this.running.lineage.filter(({ epoch }) => epoch <= place.epoch);
    const bytes = fromSeq === null ? FULL_BYTES : (place.seq - fromSeq + 1) * ENTRY_BYTES;
    const storedBytes = Math.ceil(bytes * this.#packing);
    const files = [{ name: 'entries', bytes, sha256: '', storedBytes, storedSha256: '' }];
    const ids = { format: 1, id, clusterId: ZEROS.slice(32), nodeId: ZEROS.slice(32), createdAtMs } as const;
    if (fromSeq === null) return { ...ids, end, lineage, files, kind: 'full', snapshot: {} } as unknown as BackupHead;
    const first = positionAt(this.running.lineage, fromSeq, place);
    const firstTimeMs =
      this.#timeMs.get(`${first.historyId} ${fromSeq}`) ?? this.#timeMs.get(`${first.historyId} ${fromSeq + 1}`) ?? 0;
    return { ...ids, end, lineage, files, kind: 'incremental', fromSeq, firstTimeMs };
  }
}
