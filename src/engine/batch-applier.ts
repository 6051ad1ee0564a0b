/** The write thread of a replica: applies what came from its master, a group of whole units in one transaction.
 *
 *  Anything wrong undoes the whole group and ends the session; a full disk keeps the group and tries again until there is room.
 *  Must not know: sockets, clients, what the master is. */

import { failpoint } from '../model/failpoint.js';
import { StorageFull, type StoreWriter } from '../storage/storage.js';
import type { EntryBatch, TracedEntry } from './engine.js';
import { ApplyRefused, batchBytes, type CheckedEntry, EntryIntake } from './entry-intake.js';
import type { UnitWriter } from './unit-writer.js';
import type { FromWriter } from './writer-messages.js';

const FULL_DISK_PAUSE_MS = 500;

export interface BatchApplierParts {
  readonly store: StoreWriter;
  readonly units: UnitWriter;
  post(message: FromWriter): void;
  /** Makes the open transaction durable by `commit` and tells of it. */
  conclude(commit: () => void): void;
}

export class BatchApplier {
  readonly #parts: BatchApplierParts;
  readonly #intake = new EntryIntake();
  /** What the main thread counts as held here. */
  #owedBytes = 0;
  #pausedUntilMs = 0;

  constructor(parts: BatchApplierParts) {
    this.#parts = parts;
  }

  begin(session: number): void {
    this.#intake.begin(session);
    this.#settle();
  }

  take(session: number, batch: EntryBatch): void {
    this.#owedBytes += batchBytes(batch);
    this.#intake.take(session, batch);
    this.#settle();
  }

  /** What is left is dropped, until another session begins. */
  end(): void {
    this.#intake.fail();
    this.#settle();
  }

  get hasWork(): boolean {
    return this.#intake.hasWork;
  }

  /** Work that need not wait for room on the disk. */
  get isDue(): boolean {
    return this.#intake.hasWork && performance.now() >= this.#pausedUntilMs;
  }

  /** Applies one group. @returns whether there was one  @throws StorageFailure */
  step(): boolean {
    if (!this.isDue) return false;
    const { store, units, post } = this.#parts;
    try {
      const startMs = performance.now();
      const group = this.#intake.group(units.state.state);
      if (group.length > 0) {
        store.begin();
        units.follow(group);
        failpoint('apply.before_commit');
        this.#parts.conclude(() => {
          store.commit();
          failpoint('apply.after_commit');
        });
        this.#intake.done();
        this.#tellTraces(group, performance.now() - startMs);
      }
      this.#settle();
      return group.length > 0;
    } catch (error) {
      store.rollback();
      units.reload();
      if (error instanceof StorageFull) {
        this.#pausedUntilMs = performance.now() + FULL_DISK_PAUSE_MS;
        post({ kind: 'refused', replies: [], full: true });
        return false;
      }
      if (!(error instanceof ApplyRefused)) throw error;
      post({ kind: 'apply_failed', ...this.#intake.fail(), failure: error.failure });
      this.#settle();
      return false;
    }
  }

  #tellTraces(group: readonly CheckedEntry[], tookMs: number): void {
    const entries: TracedEntry[] = [];
    for (const { entry } of group) if (entry.trace !== null) entries.push({ seq: entry.seq, trace: entry.trace, tookMs });
    if (entries.length > 0) this.#parts.post({ kind: 'traced', entries });
  }

  /** Tells how much was let go of. */
  #settle(): void {
    const held = this.#intake.heldBytes;
    if (held >= this.#owedBytes) return;
    this.#parts.post({ kind: 'apply_room', bytes: this.#owedBytes - held });
    this.#owedBytes = held;
  }
}
