/** The store's housekeeping, in small steps between groups: dead rows, dropped collections, log retention, idempotency keys,
 *  WAL checkpoints, giving pages back. A full disk postpones a step; any other failure is the caller's to die of.
 *  Must not know: requests, messages. */

import { SkeinError } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import { FIXED } from '../model/limits.js';
import { StorageFull, type StoreWriter } from '../storage/storage.js';
import type { WalCheckpoints } from './engine-work.js';
import type { UnitWriter } from './unit-writer.js';
import type { StoreFigures } from './writer-messages.js';

const BUSY_INTERVAL_MS = 200;
const SLOW_INTERVAL_MS = 1_000;
const ROWS_PER_STEP = 2_000;
const WAL_CHECKPOINT_BYTES = 8 * 1024 * 1024;
const VACUUM_PAGES_PER_STEP = 256;

export class StoreUpkeep {
  readonly #store: StoreWriter;
  readonly #units: UnitWriter;
  readonly #limits: Limits;
  #reapThrough = 0;
  #keepFromSeq: number | null = null;
  #lastRunMs = Number.NEGATIVE_INFINITY;
  #lastSlowMs = Number.NEGATIVE_INFINITY;
  #walBytes = 0;
  #walCheckpoints: WalCheckpoints = { count: 0, totalMs: 0, lastMs: 0 };
  #seqCheckpointed = -1;
  #vacuumDue = false;

  constructor(store: StoreWriter, units: UnitWriter, limits: Limits) {
    this.#store = store;
    this.#units = units;
    this.#limits = limits;
  }

  reapThrough(seq: number): void {
    this.#reapThrough = Math.max(this.#reapThrough, seq);
  }

  /** The log keeps what is from this seq on, up to its hard bound; null: no such wish. */
  keepLogFrom(seq: number | null): void {
    this.#keepFromSeq = seq;
  }

  figures(): StoreFigures {
    const { database, wal } = this.#store.fileBytes();
    const { logMinSeq, logBytes } = this.#units.state.state;
    return { databaseBytes: database, walBytes: wal, walCheckpoints: this.#walCheckpoints, logMinSeq, logBytes };
  }

  /** Does what is due. @returns whether anything ran  @throws StorageFailure */
  run(idle: boolean): boolean {
    const now = performance.now();
    if (now - this.#lastRunMs < BUSY_INTERVAL_MS) return false;
    this.#lastRunMs = now;
    try {
      this.#rows(now);
      this.#moveWal(idle);
      if (idle && this.#vacuumDue) this.#vacuumDue = this.#store.vacuumSome(VACUUM_PAGES_PER_STEP) >= VACUUM_PAGES_PER_STEP;
    } catch (error) {
      // A damaged row in the way of a step stays; it is never served, and the next check names it.
      if (!(error instanceof StorageFull) && !(error instanceof SkeinError)) throw error;
    }
    return true;
  }

  #rows(now: number): void {
    if (this.#reapThrough > this.#units.state.state.reapedSeq) this.#did(this.#store.reapDead(this.#reapThrough, ROWS_PER_STEP));
    this.#did(this.#store.purgeDropped(ROWS_PER_STEP));
    if (now - this.#lastSlowMs < SLOW_INTERVAL_MS) return;
    const { logRetentionMs, logRetentionBytes, logBytesHardMax, idempotencyMs, idempotencyKeysMax } = this.#limits;
    const rule = {
      olderThanMs: Date.now() - logRetentionMs,
      keepBytes: logRetentionBytes,
      hardBytes: logBytesHardMax,
      keepFromSeq: this.#keepFromSeq,
    };
    const pruned = this.#did(this.#store.pruneLog(rule, ROWS_PER_STEP));
    const forgotten = this.#did(this.#store.pruneRemembered(idempotencyMs, idempotencyKeysMax, ROWS_PER_STEP));
    // A full step means that there is more: then the next one comes at once, so that bounds hold under any load.
    if (pruned < ROWS_PER_STEP && forgotten < ROWS_PER_STEP) this.#lastSlowMs = now;
  }

  /** After each step, because a full disk may stop the next one. */
  #did(rows: number): number {
    if (rows === 0) return 0;
    this.#units.state.adoptUpkeep();
    this.#vacuumDue = true;
    return rows;
  }

  #moveWal(idle: boolean): void {
    const { seq } = this.#units.state.state;
    this.#walBytes = this.#store.fileBytes().wal;
    const due = this.#walBytes > WAL_CHECKPOINT_BYTES || (idle && this.#seqCheckpointed !== seq);
    if (!due) return;
    const startMs = performance.now();
    this.#store.checkpointWal(FIXED.walBytesCap);
    const lastMs = performance.now() - startMs;
    const { count, totalMs } = this.#walCheckpoints;
    this.#walCheckpoints = { count: count + 1, totalMs: totalMs + lastMs, lastMs };
    this.#seqCheckpointed = seq;
  }

  /** The last step before closing. */
  finish(): void {
    try {
      this.#store.checkpointWal(0);
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error;
    }
  }
}
