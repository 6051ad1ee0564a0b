/** The door of the store: one SQLite file that holds operation log, points, vectors, digest tree, catalogue and idempotency keys.
 *
 *  Synchronous: a connection belongs to one thread. One writer (in the writer thread), any number of readers.
 *  Every row carries a CRC32 over all its columns, checked on every read: a damaged row throws CorruptData and is never served.
 *  Row key = uid · 2^31 + label; labels are dense per collection in log order, so key order is log order of vectors.
 *  A superseded or deleted point keeps its row with deadSeq until reapDead, so indexes and open searches can still read it.
 *
 *  Must not know: operations, HTTP, indexes, workers. Formats: docs/STORAGE_FORMAT.md. */

import type { CollectionRecord, CollectionSpec } from '../model/collection.js';
import type { PointId } from '../model/point.js';

/** Where the store stands; one row, changed in the same transaction as the data. */
export interface StoreState {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly historyId: string;
  readonly epoch: number;
  /** Last applied seq; 0 in an empty store. */
  readonly seq: number;
  /** Chain hash at seq, 32 bytes (zeros at 0). */
  readonly chainHash: Uint8Array;
  /** State digest at seq, 16 bytes. */
  readonly digest: Uint8Array;
  readonly nextUid: number;
  /** First seq still in the log (seq + 1 when the log is empty). */
  readonly logMinSeq: number;
  readonly logBytes: number;
  /** Dead rows with deadSeq ≤ this are gone or may go. */
  readonly reapedSeq: number;
}

export interface PointRow {
  readonly uid: number;
  readonly label: number;
  readonly id: PointId;
  /** Seq of the entry that last wrote the point. */
  readonly version: number;
  /** Seq of the entry that wrote its vectors under this label. */
  readonly labelSeq: number;
  /** The label this one superseded in the same entry, or null for a new point. */
  readonly prevLabel: number | null;
  readonly expiresAtMs: number | null;
  readonly deadSeq: number | null;
  /** UTF-8 JSON exactly as given; empty means `{}`. */
  readonly payload: Uint8Array;
  /** Content hash, 16 bytes (codec/digest.ts). */
  readonly contentHash: Uint8Array;
}

/** A catalogue row: the record and the collection's digest (sum over its live points, 16 bytes). */
export interface CollectionRow extends CollectionRecord {
  readonly digest: Uint8Array;
  /** Set when dropped: the rows are still being purged and nothing else may see it. */
  readonly droppedSeq: number | null;
}

/** What an index must add: in label order, dead rows included. */
export interface LabelRow {
  readonly label: number;
  readonly labelSeq: number;
  readonly prevLabel: number | null;
  readonly deadSeq: number | null;
  /** Encoded vector set (codec/vector-set.ts), 4-byte aligned. */
  readonly vectorSet: Uint8Array;
}

export interface RememberedRow {
  readonly scope: Uint8Array;
  readonly body: Uint8Array;
  /** Seq of the remembering entry: the unit's last. */
  readonly seq: number;
  readonly timeMs: number;
  readonly results: Uint8Array;
}

export interface LogRow {
  readonly seq: number;
  /** Encoded entry (codec/entry.ts). */
  readonly entry: Uint8Array;
  /** Chain hash after this entry, 32 bytes. */
  readonly chainHash: Uint8Array;
}

/** Reads, common to both kinds of connection. Outside `snapshot` each call is its own read transaction.
 *  @throws SkeinError CorruptData (details: collection uid, label or id, table) when a row fails its CRC */
export interface StoreReads {
  /** Runs `read` in one read transaction: all it reads belongs to one state. Keep it under a second. */
  snapshot<T>(read: () => T): T;
  state(): StoreState;
  /** Live collections, by uid. */
  collections(): CollectionRow[];
  collection(uid: number): CollectionRow | undefined;
  /** The live point of an id. Cost: two index lookups, about 10 µs. */
  pointById(uid: number, id: PointId): PointRow | undefined;
  /** The row of a label, dead or alive; undefined once reaped. */
  pointByLabel(uid: number, label: number): PointRow | undefined;
  vectorSet(uid: number, label: number): Uint8Array | undefined;
  /** Live points in scroll order, strictly behind `after` (null: from the start). */
  pointsAfter(uid: number, after: PointId | null, limit: number): PointRow[];
  /** Rows with label ≥ fromLabel in label order, at most `limit` and at most about bytesMax of vectors (at least one if any). */
  labelsFrom(uid: number, fromLabel: number, limit: number, bytesMax: number): LabelRow[];
  /** All live labels with label < belowLabel, ascending. Cost: a scan of the point rows, about 0.3 µs each. */
  liveLabels(uid: number, belowLabel: number): Uint32Array;
  /** Rows that died with afterSeq < deadSeq ≤ throughSeq, in deadSeq order. */
  deadBetween(uid: number, afterSeq: number, throughSeq: number, limit: number): { label: number; deadSeq: number }[];
  /** Log rows with seq ≥ fromSeq, in order, at most `limit` and about bytesMax (at least one if any). CRC and order checked. */
  logFrom(fromSeq: number, limit: number, bytesMax: number): LogRow[];
  /** 64 bucket sums of one page of the digest tree (1,024 bytes); zeros when the page was never written. */
  digestPage(uid: number, page: number): Uint8Array;
  /** Live points that expired at or before nowMs, oldest first, over all live collections. */
  expired(nowMs: number, limit: number): { uid: number; id: PointId; expiresAtMs: number }[];
  remembered(scope: Uint8Array): RememberedRow | undefined;
  /** Bytes of the database file and of its WAL. */
  fileBytes(): { database: number; wal: number };
  close(): void;
}

/** The one writing connection. All changes happen between begin and commit.
 *  @throws StorageFull (SQLITE_FULL: clean, heals) · StorageFailure (any other error: the process must stop, outcome unknown) */
export interface StoreWriter extends StoreReads {
  begin(): void;
  /** Returns when the transaction is durable (fsync done). */
  commit(): void;
  rollback(): void;
  /** A mark inside the transaction; one at a time. */
  savepoint(): void;
  release(): void;
  rollbackToSavepoint(): void;

  insertCollection(row: CollectionRow): void;
  /** Replaces every changeable column (all but uid, name, createdSeq). */
  updateCollection(row: CollectionRow): void;
  insertPoint(row: PointRow): void;
  /** Replaces version, expiresAtMs, payload, contentHash of a live row under the same label. */
  updatePoint(row: PointRow): void;
  /** The row stays under its label and leaves every reading by id. */
  markDead(row: PointRow, deadSeq: number): void;
  insertVectorSet(uid: number, label: number, vectorSet: Uint8Array): void;
  writeDigestPage(uid: number, page: number, sums: Uint8Array): void;
  appendLog(row: LogRow, timeMs: number): void;
  remember(row: RememberedRow): void;
  writeState(state: StoreState): void;

  /** Upkeep in small transactions of its own (never between begin and commit). Each does at most `rowsMax` rows and returns how many it did. */
  reapDead(throughSeq: number, rowsMax: number): number;
  purgeDropped(rowsMax: number): number;
  /** Removes whole units from the start of the log: those older than olderThanMs while the log is larger than keepBytes, and any while it
   *  is larger than hardBytes; never a unit that ends after keepFromSeq (null: none). Adjusts state().logMinSeq and logBytes. */
  pruneLog(rule: { olderThanMs: number; keepBytes: number; hardBytes: number; keepFromSeq: number | null }, rowsMax: number): number;
  /** Forgets idempotency keys older than olderThanMs and all but the newest keysMax. */
  pruneRemembered(olderThanMs: number, keysMax: number, rowsMax: number): number;
  /** Gives free pages back to the file system, at most pagesMax. */
  vacuumSome(pagesMax: number): number;
  /** Moves the WAL into the database: PASSIVE until all is moved, then TRUNCATE when it is over capBytes. @throws StorageFailure */
  checkpointWal(capBytes: number): { walBytes: number; truncated: boolean };
  /** Frees what the store can free: the last passive checkpoint, PRAGMA optimize. */
  close(): void;
}

/** A full disk: nothing of the transaction happened, reads go on, a later try may work. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
}

/** Any other failure of the database: the outcome of the transaction is unknown until the file is opened again. */
export class StorageFailure extends Error {
  override readonly name = 'StorageFailure';
}

export interface NewStore {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly historyId: string;
  readonly epoch: number;
}

export interface StoreOptions {
  readonly cacheBytes: number;
}

export type { CollectionRecord, CollectionSpec };
