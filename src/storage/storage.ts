/** The door of the store: one SQLite file that holds operation log, points, vectors, digest tree, catalogue, aliases, idempotency keys, and
 *  the lineage and voters of the cluster.
 *
 *  Synchronous: a connection belongs to one thread. One writer (in the writer thread), any number of readers.
 *  Every row carries a CRC32 over all its columns, checked on every read: a damaged row throws CorruptData and is never served.
 *  Row key = uid · 2^31 + label; labels are dense per collection in log order, so key order is log order of vectors.
 *  A superseded or deleted point keeps its row with deadSeq until reapDead, so indexes and open searches can still read it.
 *
 *  Must not know: operations, HTTP, indexes, workers. Formats: docs/STORAGE_FORMAT.md. */

import type { AccessKey } from '../model/access-key.js';
import type { Alias } from '../model/alias.js';
import type { CollectionRecord } from '../model/collection.js';
import type { PointId } from '../model/point.js';
import type { Voter } from '../model/replication.js';

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
  /** Bytes of the entries in the log. */
  readonly logBytes: number;
  /** All dead rows with deadSeq ≤ this are gone; of later ones some may be gone too. */
  readonly reapedSeq: number;
}

/** A point's row without its payload. */
export interface PointHead {
  readonly uid: number;
  readonly label: number;
  readonly id: PointId;
  /** Seq of the entry that last wrote the point. */
  readonly version: number;
  /** Seq of the entry that wrote its vectors under this label; of a repaired point, the seq at which the store stood. Ascending with labels. */
  readonly labelSeq: number;
  /** The label this one superseded in the same entry, or null for a new point. */
  readonly prevLabel: number | null;
  readonly expiresAtMs: number | null;
  readonly deadSeq: number | null;
  /** Content hash, 16 bytes (codec/digest.ts). */
  readonly contentHash: Uint8Array;
}

export interface PointRow extends PointHead {
  /** UTF-8 JSON exactly as given; empty means `{}`. */
  readonly payload: Uint8Array;
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
  /** As of now, whatever it was when the label was given out; null when it was not asked for. */
  readonly payload: Uint8Array | null;
}

/** A live point that was written again under the label it had. */
export interface ChangedRow {
  readonly label: number;
  readonly version: number;
  readonly payload: Uint8Array;
}

export interface ChangedPage {
  readonly rows: readonly ChangedRow[];
  /** Labels that were changed and whose rows are damaged. */
  readonly damaged: readonly number[];
  /** Up to this seq nothing is missing. */
  readonly throughSeq: number;
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

/** A history in the order of their beginnings: it continues what stood at startSeq, and ends where the next row starts. */
export interface LineageRow {
  readonly epoch: number;
  /** 32 lower-case hex digits. */
  readonly historyId: string;
  readonly startSeq: number;
  /** Chain hash at startSeq, 32 bytes. */
  readonly startHash: Uint8Array;
}

/** What the store knows of its cluster; the newest history of the lineage is the state's. */
export interface ClusterRows {
  readonly lineage: readonly LineageRow[];
  /** By node id. */
  readonly voters: readonly Voter[];
}

/** What is wrong with the row of a label or with its vectors. */
export interface LabelDamage {
  /** head: the row itself, so that what it says is not sure. payload, vectors: that alone; the head is what was written. */
  readonly part: 'head' | 'payload' | 'vectors';
  readonly id: PointId | null;
  readonly version: number | null;
  /** Nobody reads it any more, and it will be reaped. */
  readonly dead: boolean;
}

/** head: null when it is damaged. */
export interface LabelHead {
  readonly label: number;
  readonly head: PointHead | null;
}

/** Rows of the log up to lastSeq; missing: seqs whose row is damaged or not there. */
export interface LogLook {
  readonly rows: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly missing: readonly number[];
}

/** last: where the next look goes on; null at the end. */
export interface RememberedLook {
  readonly rows: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly last: Uint8Array | null;
}

/** A point as it was stored, to be written over its damaged row. */
export interface MendedPoint {
  readonly id: PointId;
  readonly version: number;
  readonly expiresAtMs: number | null;
  readonly vectorSet: Uint8Array;
  readonly payload: Uint8Array;
  readonly contentHash: Uint8Array;
}

/** Reads, common to both kinds of connection. Outside `snapshot` each call is its own read transaction.
 *  Byte arrays that are returned are the caller's own.
 *  @throws SkeinError CorruptData (details: table, collection_uid, label or id or seq) when a row fails its CRC or a page is damaged
 *  @throws StorageFailure when the file cannot be read at all */
export interface StoreReads {
  /** Runs `read` in one read transaction: all it reads belongs to one state. Keep it under a second. Nested calls join the outer
   *  one; on the writer inside begin … commit it sees the changes made so far. */
  snapshot<T>(read: () => T): T;
  state(): StoreState;
  /** Live collections, by uid. */
  collections(): CollectionRow[];
  /** A live collection; a dropped one is undefined. */
  collection(uid: number): CollectionRow | undefined;
  /** A live collection, or one that was dropped, as long as the log tells of the drop. */
  anyCollection(uid: number): CollectionRow | undefined;
  /** The live point of an id. Cost: two index lookups, about 10 µs. */
  pointById(uid: number, id: PointId): PointRow | undefined;
  /** The row of a label, dead or alive; undefined once reaped. */
  pointByLabel(uid: number, label: number): PointRow | undefined;
  /** The same without payloads, however long: those are neither read nor checked. */
  headById(uid: number, id: PointId): PointHead | undefined;
  headByLabel(uid: number, label: number): PointHead | undefined;
  headsAfter(uid: number, after: PointId | null, limit: number): PointHead[];
  /** The live point with which scroll order ends. Cost: one index lookup. */
  lastHead(uid: number): PointHead | undefined;
  vectorSet(uid: number, label: number): Uint8Array | undefined;
  /** Live points in scroll order, strictly behind `after` (null: from the start), at most `limit` and at most about bytesMax of payloads
   *  (at least one if any). A page that is not empty does not say that it is the last. */
  pointsAfter(uid: number, after: PointId | null, limit: number, bytesMax: number): PointRow[];
  /** Rows of a collection in label order from a label on, dead ones too; at most `limit` and about bytesMax of payloads, at least one if any. */
  pointsFrom(uid: number, fromLabel: number, limit: number, bytesMax: number): PointRow[];
  /** Rows with label ≥ fromLabel in label order, at most `limit` and at most about bytesMax of vectors and payloads (at least one if any).
   *  Without withPayload payloads are neither read nor checked. */
  labelsFrom(uid: number, fromLabel: number, limit: number, bytesMax: number, withPayload?: boolean): LabelRow[];
  /** All live labels with label < belowLabel, ascending. Cost: a scan of the point rows, about 0.3 µs each. The rows' CRCs are not
   *  checked (their number is, against the catalogue, outside a write transaction). */
  liveLabels(uid: number, belowLabel: number): Uint32Array;
  /** Rows that died with afterSeq < deadSeq ≤ throughSeq, in deadSeq order. */
  deadBetween(uid: number, afterSeq: number, throughSeq: number, limit: number): { label: number; deadSeq: number }[];
  /** Live rows that were written again under their label with afterSeq < version ≤ throughSeq, by version, then label. A page ends behind a
   *  version, as soon as it has `limit` rows or about bytesMax of payloads; a version has at most 1,000 rows. One that was written several times
   *  stands at its newest version alone. */
  changedBetween(uid: number, afterSeq: number, throughSeq: number, limit: number, bytesMax: number): ChangedPage;
  /** Log rows with seq ≥ fromSeq, in order, at most `limit` and about bytesMax (at least one if any). CRC and order checked. */
  logFrom(fromSeq: number, limit: number, bytesMax: number): LogRow[];
  /** Chain hash at a seq of the log, or at logMinSeq − 1; undefined for any other. Cost: one head, no entry. */
  chainHashAt(seq: number): Uint8Array | undefined;
  /** Bytes of the entries with seq > afterSeq. Cost: a scan over their heads. */
  logBytesAfter(afterSeq: number): number;
  /** Oldest first; never empty. */
  lineage(): LineageRow[];
  /** By node id. */
  voters(): Voter[];
  /** By name. */
  aliases(): Alias[];
  /** By id. */
  accessKeys(): AccessKey[];
  /** Chain hash at logMinSeq − 1, 32 bytes: what the first row of the log continues. */
  logBaseHash(): Uint8Array;
  /** 64 bucket sums of one page of the digest tree (1,024 bytes); zeros when the page was never written. */
  digestPage(uid: number, page: number): Uint8Array;
  /** Live points that expired at or before nowMs, oldest first, over all live collections; damaged rows are passed over. */
  expired(nowMs: number, limit: number): { uid: number; id: PointId; expiresAtMs: number }[];
  remembered(scope: Uint8Array): RememberedRow | undefined;
  /** Checks the rows of one label, payload and vectors too; null when they are whole or there are none. Damaged rows are no error here. */
  lookAtLabel(uid: number, label: number): LabelDamage | null;
  /** Heads in label order from a label on, dead rows and damaged ones too. */
  lookAtHeads(uid: number, fromLabel: number, limit: number): LabelHead[];
  /** Checks log rows from a seq on, at most `limit` and about bytesMax (at least one if any). */
  lookAtLog(fromSeq: number, limit: number, bytesMax: number): LogLook;
  /** Checks idempotency keys behind a scope (empty: from the start), at most `limit`. */
  lookAtRemembered(after: Uint8Array, limit: number): RememberedLook;
  /** Bytes of the database file and of its WAL. */
  fileBytes(): { database: number; wal: number };
  close(): void;
}

/** The one writing connection. All changes happen between begin and commit.
 *  After StorageFull or StorageFailure inside a transaction only rollback is left.
 *  @throws StorageFull (SQLITE_FULL: clean, heals) · StorageFailure (any other error: the process must stop, outcome unknown) */
export interface StoreWriter extends StoreReads {
  begin(): void;
  /** Returns when the transaction is durable (fsync done). */
  commit(): void;
  /** Undoes everything since begin; harmless when SQLite has done so by itself. */
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
  /** Writes over the row of a label that is alive, in its place. @param digestHash the content hash that the digest asks for there; null: not known
   *  @returns false, and nothing is changed, when the row cannot be proven to be this point's */
  mendPoint(uid: number, label: number, point: MendedPoint, digestHash: Uint8Array | null): boolean;
  /** Writes over a row of the log, or puts it where one is lost; the caller has checked its hash. */
  mendLog(row: LogRow, timeMs: number): void;
  remember(row: RememberedRow): void;
  /** The beginning of a history later than all others. */
  insertLineage(row: LineageRow): void;
  /** Replaces the address of a voter that is there already. */
  putVoter(voter: Voter): void;
  /** Harmless when it is not there. */
  removeVoter(nodeId: string): void;
  /** Replaces what the name stood for before. */
  putAlias(alias: Alias): void;
  /** Harmless when it is not there. */
  removeAlias(name: string): void;
  /** Replaces what the key was before. */
  putAccessKey(key: AccessKey): void;
  /** Harmless when it is not there. */
  removeAccessKey(id: string): void;
  /** Replaces the state row. A state with an empty log (logMinSeq = seq + 1) makes its chain hash the log's base hash.
   *  @throws StorageFailure when logMinSeq or reapedSeq are older than what upkeep has stored: read state() after upkeep */
  writeState(state: StoreState): void;

  /** Upkeep in small durable transactions of its own (never between begin and commit). Each does at most `rowsMax` rows and returns
   *  how many it did: as many as rowsMax means that there may be more. Instants are milliseconds since 1970.
   *
   *  Removes point rows with deadSeq ≤ throughSeq and their vectors; sets reapedSeq when none is left. */
  reapDead(throughSeq: number, rowsMax: number): number;
  /** Removes rows of dropped collections: points, vectors, digest pages, and last, when the log does not hold the drop any more, the
   *  catalogue row. */
  purgeDropped(rowsMax: number): number;
  /** Removes whole units from the start of the log: those older than olderThanMs while the log is larger than keepBytes, and any while it
   *  is larger than hardBytes. The unit of keepFromSeq and later ones go for hardBytes only (null: no such wish). Adjusts state().logMinSeq and
   *  logBytes. A unit with more than rowsMax rows goes whole. */
  pruneLog(
    rule: { olderThanMs: number; keepBytes: number; hardBytes: number; keepFromSeq: number | null },
    rowsMax: number,
  ): number;
  /** Forgets idempotency keys that were remembered more than keepMs before the newest one, and all but the newest keysMax. Times are the
   *  entries', never a clock's, so that every node forgets the same keys. */
  pruneRemembered(keepMs: number, keysMax: number, rowsMax: number): number;
  /** Gives free pages back to the file system, at most pagesMax. @returns pages given back */
  vacuumSome(pagesMax: number): number;
  /** Moves the WAL into the database as far as readers allow; when all is moved and the WAL is over capBytes, cuts it to nothing
   *  (waits a fifth of a second for readers, else leaves it for the next call).
   *  @throws StorageFull (the database file could not grow; nothing is lost) · StorageFailure */
  checkpointWal(capBytes: number): { walBytes: number; truncated: boolean };
  /** Rolls back what is open, moves the WAL once more, closes. No PRAGMA optimize: its statistics would change query plans. */
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

/** Why a store, a folder or a driver cannot be used at all:
 *  missing, empty (0 bytes), foreign (not a store of ours, or its header is damaged), exists (where a new one was asked for),
 *  format (another version of ours), settings (a pragma does not hold), driver, locked (another process), unwritable, folder. */
export type RefusalReason =
  | 'missing'
  | 'empty'
  | 'foreign'
  | 'exists'
  | 'format'
  | 'settings'
  | 'driver'
  | 'locked'
  | 'unwritable'
  | 'folder';

/** A store, a folder or a driver that cannot be used; nothing was changed. The message is for an operator. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Who a new store belongs to. clusterId, nodeId and historyId are 32 lower-case hex digits. */
export interface NewStore {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly historyId: string;
  readonly epoch: number;
}

export interface StoreOptions {
  /** Page cache of the connection. */
  readonly cacheBytes: number;
  /** Largest size of the database file in pages (schema.ts, PAGE_BYTES); a write that needs more throws StorageFull. Default: none. */
  readonly pagesMax?: number;
}
