/** Opens SQLite connections with the settings on which durability rests, and asserts each of them afterwards.
 *
 *  A setting that did not take (an old file, a driver built otherwise, a file system without WAL) is refused, never lived with:
 *    journal_mode WAL · synchronous FULL (fsync before commit returns) · wal_autocheckpoint 0 (automatic ones swallow I/O errors)
 *    mmap_size 0 (a bad page is an error, not SIGBUS) · auto_vacuum INCREMENTAL and page_size (fixed when the file is made)
 *  Nothing here creates a file except createConnection. Must not know: what the tables hold. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../model/errors.js';
import { isDamage, sqliteCode } from './database-errors.js';
import { checkSqliteVersion, type Database, loadDriver } from './driver.js';
import { APPLICATION_ID, FORMAT, FORMAT_MIN, formatOf, PAGE_BYTES, schemaDifferences } from './schema.js';
import { type StoreOptions, StoreRefused } from './storage.js';
import { upgradeStore } from './upgrade.js';

export const BUSY_TIMEOUT_MS = 5_000;

type Pragmas = Readonly<Record<string, number | string>>;

const ALWAYS: Pragmas = {
  busy_timeout: BUSY_TIMEOUT_MS,
  mmap_size: 0,
  cell_size_check: 1,
  trusted_schema: 0,
  foreign_keys: 1,
  temp_store: 2,
};
const WRITING: Pragmas = { journal_mode: 'wal', synchronous: 2, wal_autocheckpoint: 0 };
const FIXED_IN_FILE: Pragmas = { page_size: PAGE_BYTES, auto_vacuum: 2, encoding: 'UTF-8', journal_mode: 'wal' };

/** What checkSettings needs of a connection. */
export interface PragmaSource {
  pragma(text: string, options: { simple: true }): unknown;
}

/** @throws StoreRefused (settings) naming every pragma that has another value */
export function checkSettings(source: PragmaSource, expected: Pragmas): void {
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(expected)) {
    const found = source.pragma(name, { simple: true });
    if (found !== value) wrong.push(`${name} is ${String(found)} and must be ${value}`);
  }
  if (wrong.length > 0) throw new StoreRefused('settings', `The database cannot be used safely: ${wrong.join(', ')}`);
}

/** Opens an existing store; for writing, one of an older format is brought to this one. @throws StoreRefused (missing, empty, foreign, format, settings, driver, unwritable) */
export function openConnection(path: string, role: 'write' | 'read', options: StoreOptions): Database {
  checkFile(path);
  const Driver = loadDriver();
  let db: Database;
  try {
    db = new Driver(resolve(path), { readonly: role === 'read', fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw new StoreRefused('unwritable', `${path} cannot be opened (${messageOf(error)})`, { cause: error });
  }
  try {
    checkIdentity(db, path);
    const settings = role === 'write' ? { ...ALWAYS, ...WRITING } : ALWAYS;
    apply(db, settings, options);
    checkSettings(db, { ...settings, ...FIXED_IN_FILE });
    checkTables(db, path);
    if (role === 'write') upgradeStore(db);
    return db;
  } catch (error) {
    db.close();
    throw asRefusal(error, path);
  }
}

/** Makes a database file with the settings of the format and no tables. @throws StoreRefused (exists, settings, driver) */
export function createConnection(path: string, options: StoreOptions): Database {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new StoreRefused('exists', `${path} exists already; a new store is never made over a file`);
  }
  const Driver = loadDriver();
  let db: Database;
  try {
    db = new Driver(resolve(path), { timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw new StoreRefused('unwritable', `${path} cannot be made (${messageOf(error)})`, { cause: error });
  }
  try {
    checkSqliteVersion(db.prepare('SELECT sqlite_version()').pluck().get());
    // Page size and vacuum mode are settled by the first write to the file, which the change to WAL is.
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma('auto_vacuum = INCREMENTAL');
    apply(db, { ...ALWAYS, ...WRITING }, options);
    checkSettings(db, { ...ALWAYS, ...WRITING, ...FIXED_IN_FILE });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function apply(db: Database, settings: Pragmas, options: StoreOptions): void {
  for (const [name, value] of Object.entries(settings)) db.pragma(`${name} = ${value}`);
  db.pragma(`cache_size = -${Math.ceil(options.cacheBytes / 1_024)}`);
  if (options.pagesMax !== undefined) db.pragma(`max_page_count = ${options.pagesMax}`);
}

function checkFile(path: string): void {
  // Only stat: opening and closing the file here would drop the locks that SQLite holds on it in this process.
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new StoreRefused('missing', `There is no store at ${path}`);
  if (!found.isFile()) throw new StoreRefused('foreign', `${path} is not a file`);
  if (found.size === 0) throw new StoreRefused('empty', `${path} has 0 bytes; a store never has: its content is lost`);
}

function checkIdentity(db: Database, path: string): void {
  checkSqliteVersion(db.prepare('SELECT sqlite_version()').pluck().get());
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new StoreRefused('foreign', `${path} is not a Skein store, or its header is damaged`);
  }
  const format = formatOf(db);
  if (format < FORMAT_MIN || format > FORMAT) {
    throw new StoreRefused('format', `${path} has format ${format}; this build reads formats ${FORMAT_MIN} to ${FORMAT}`);
  }
}

function checkTables(db: Database, path: string): void {
  const differences = schemaDifferences(db);
  if (differences.length > 0)
    throw new StoreRefused('foreign', `${path} has other tables than its format says: ${differences.join(', ')}`);
}

function asRefusal(error: unknown, path: string): unknown {
  if (isDamage(error)) {
    return new StoreRefused('foreign', `${path} is not a Skein store, or it is damaged (${sqliteCode(error)})`, { cause: error });
  }
  if (sqliteCode(error) !== '') {
    return new StoreRefused('unwritable', `${path} cannot be opened (${sqliteCode(error)}: ${messageOf(error)})`, {
      cause: error,
    });
  }
  return error;
}
