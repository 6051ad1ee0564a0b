/** The tables, their format version, and what must be true of a file before its first table is made.
 *
 *  Large columns come last, so that a scan over the others never follows a row to its overflow pages.
 *  Every table is STRICT and every row has a crc (row-checksum.ts). Byte forms of the blobs: codec/.
 *  A change of anything here is a new FORMAT, with a line in the history of docs/STORAGE_FORMAT.md. */

import type { Database } from './driver.js';

/** Kept in PRAGMA user_version. History: 1 (2026-11), 2 (2026-11: lineage and voters), 3 (2026-11: aliases, the index points_changed),
 *  4 (2026-11: access keys). */
export const FORMAT = 4;
/** The oldest format that can be read, and brought to FORMAT where it is opened for writing (upgrade.ts). */
export const FORMAT_MIN = 1;
/** "Skn1", kept in PRAGMA application_id. */
export const APPLICATION_ID = 0x536b6e31;
/** Measured: at 128 and at 768 dimensions 4 KiB writes a half to a third of the WAL bytes of 16 KiB when points are replaced, loads
 *  up to 28 % slower (at 768), and reads as fast; the file is 12 % larger at 768. docs/STORAGE_FORMAT.md has the figures. */
export const PAGE_BYTES = 4_096;

export const TABLES: Readonly<Record<string, string>> = {
  state: `CREATE TABLE state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  crc INTEGER NOT NULL,
  cluster_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  history_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  next_uid INTEGER NOT NULL,
  log_min_seq INTEGER NOT NULL,
  log_bytes INTEGER NOT NULL,
  reaped_seq INTEGER NOT NULL,
  chain_hash BLOB NOT NULL,
  digest BLOB NOT NULL,
  log_base_hash BLOB NOT NULL
) STRICT`,
  collections: `CREATE TABLE collections (
  uid INTEGER PRIMARY KEY,
  crc INTEGER NOT NULL,
  name TEXT NOT NULL,
  next_label INTEGER NOT NULL,
  label_generation INTEGER NOT NULL,
  created_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  points_count INTEGER NOT NULL,
  data_bytes INTEGER NOT NULL,
  dropped_seq INTEGER,
  digest BLOB NOT NULL,
  spec BLOB NOT NULL
) STRICT`,
  points: `CREATE TABLE points (
  key INTEGER PRIMARY KEY,
  uid INTEGER NOT NULL,
  dead_seq INTEGER,
  version INTEGER NOT NULL,
  label_seq INTEGER NOT NULL,
  prev_label INTEGER,
  expires_at INTEGER,
  crc INTEGER NOT NULL,
  payload_crc INTEGER NOT NULL,
  id BLOB NOT NULL,
  content_hash BLOB NOT NULL,
  payload BLOB NOT NULL
) STRICT`,
  vectors: `CREATE TABLE vectors (
  key INTEGER PRIMARY KEY,
  crc INTEGER NOT NULL,
  vector_set BLOB NOT NULL
) STRICT`,
  digest_pages: `CREATE TABLE digest_pages (
  key INTEGER PRIMARY KEY,
  crc INTEGER NOT NULL,
  sums BLOB NOT NULL
) STRICT`,
  log: `CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  crc INTEGER NOT NULL,
  entry_crc INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  unit_first INTEGER NOT NULL,
  unit_last INTEGER NOT NULL,
  chain_hash BLOB NOT NULL,
  entry BLOB NOT NULL
) STRICT`,
  remembered: `CREATE TABLE remembered (
  scope BLOB NOT NULL PRIMARY KEY,
  crc INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  results BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
  lineage: `CREATE TABLE lineage (
  epoch INTEGER PRIMARY KEY,
  crc INTEGER NOT NULL,
  start_seq INTEGER NOT NULL,
  history_id TEXT NOT NULL,
  start_hash BLOB NOT NULL
) STRICT`,
  voters: `CREATE TABLE voters (
  node_id TEXT NOT NULL PRIMARY KEY,
  crc INTEGER NOT NULL,
  port INTEGER NOT NULL,
  host TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  aliases: `CREATE TABLE aliases (
  name TEXT NOT NULL PRIMARY KEY,
  crc INTEGER NOT NULL,
  uid INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  access_keys: `CREATE TABLE access_keys (
  id TEXT NOT NULL PRIMARY KEY,
  crc INTEGER NOT NULL,
  record BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
};

/** The format in which a table or an index first was, where it was not the first. */
const SINCE: Readonly<Record<string, number>> = { lineage: 2, voters: 2, aliases: 3, points_changed: 3, access_keys: 4 };

export const INDEXES: Readonly<Record<string, string>> = {
  collections_name: 'CREATE UNIQUE INDEX collections_name ON collections (name) WHERE dropped_seq IS NULL',
  collections_dropped: 'CREATE INDEX collections_dropped ON collections (dropped_seq) WHERE dropped_seq IS NOT NULL',
  points_live: 'CREATE UNIQUE INDEX points_live ON points (uid, id) WHERE dead_seq IS NULL',
  points_dead: 'CREATE INDEX points_dead ON points (uid, dead_seq) WHERE dead_seq IS NOT NULL',
  points_expiring: 'CREATE INDEX points_expiring ON points (expires_at) WHERE expires_at IS NOT NULL AND dead_seq IS NULL',
  points_changed: 'CREATE INDEX points_changed ON points (uid, version) WHERE dead_seq IS NULL AND version > label_seq',
  remembered_age: 'CREATE INDEX remembered_age ON remembered (time_ms, seq)',
};

/** Name and definition of each table of a format, then of each index. */
export function schemaOf(format: number): [string, string][] {
  return [...Object.entries(TABLES), ...Object.entries(INDEXES)].filter(([name]) => hasPart(format, name));
}

/** Does a format have this table or index? */
export function hasPart(format: number, name: string): boolean {
  return (SINCE[name] ?? FORMAT_MIN) <= format;
}

/** Makes all indexes; where many rows come first, they are made afterwards. */
export function createIndexes(db: Database): void {
  for (const sql of Object.values(INDEXES)) db.exec(sql);
}

/** Makes all tables, and what tells a file as ours; the caller holds the transaction. */
export function createTables(db: Database): void {
  for (const sql of Object.values(TABLES)) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${FORMAT}`);
}

/** Makes the tables and indexes that a store of an older format lacks; the caller holds the transaction. */
export function addWhatIsNew(db: Database, format: number): void {
  for (const [name, sql] of schemaOf(FORMAT)) if (!hasPart(format, name)) db.exec(sql);
  db.pragma(`user_version = ${FORMAT}`);
}

/** The format of a file that is one of ours. */
export function formatOf(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/** What differs between the tables and indexes of a file and those of its format, in words; empty when nothing does. */
export function schemaDifferences(db: Database): string[] {
  const rows = db.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").raw().all() as [string, string][];
  const found = new Map(rows);
  const differences: string[] = [];
  for (const [name, sql] of schemaOf(formatOf(db))) {
    if (!found.has(name)) differences.push(`${name} is missing`);
    else if (found.get(name) !== sql) differences.push(`${name} is defined differently`);
    found.delete(name);
  }
  for (const name of found.keys()) differences.push(`${name} is not part of the format`);
  return differences;
}
