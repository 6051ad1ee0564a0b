/** Picks the SQLite driver that this Node can run, and refuses a SQLite that is too old to be safe.
 *
 *  better-sqlite3 12 runs on Node 20 and dies when a process ends on Node 24; 13 needs Node 22.14 and dies at its first open on 20.
 *  So both are installed where both can be, 13 under the alias better-sqlite3-next, and the version of Node decides.
 *  Must not know: files, tables. */

import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { StoreRefused } from './storage.js';

export type Database = BetterSqlite3.Database;
export type Driver = new (path: string, options?: BetterSqlite3.Options) => Database;

const DRIVER_12 = 'better-sqlite3';
const DRIVER_13 = 'better-sqlite3-next';
const NEXT_FROM = '22.14.0';
/** Older ones can lose pages of the WAL when it is reset. */
const SQLITE_MIN = '3.51.3';

let loaded: Driver | undefined;

/** Compares dotted versions by number; what follows a dash is ignored. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('-', 1).join('').split('.').map(Number);
  const right = b.split('-', 1).join('').split('.').map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The package that fits a version of Node ("20.20.2"). */
export function driverPackageFor(nodeVersion: string): string {
  return compareVersions(nodeVersion, NEXT_FROM) < 0 ? DRIVER_12 : DRIVER_13;
}

/** The driver for this process, loaded once. @throws StoreRefused (driver) saying what to install */
export function loadDriver(): Driver {
  if (loaded !== undefined) return loaded;
  const name = driverPackageFor(process.versions.node);
  try {
    loaded = createRequire(import.meta.url)(name) as Driver;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    throw new StoreRefused(
      'driver',
      `Node ${process.versions.node} needs the package ${name}, which cannot be loaded (${reason}). ` +
        'Run npm ci again with the Node that runs the server.',
      { cause: error },
    );
  }
  return loaded;
}

/** @throws StoreRefused (driver) when the SQLite inside the driver is older than the oldest safe one */
export function checkSqliteVersion(version: unknown): void {
  if (typeof version === 'string' && compareVersions(version, SQLITE_MIN) >= 0) return;
  throw new StoreRefused('driver', `The driver brings SQLite ${String(version)}; ${SQLITE_MIN} or newer is needed`);
}
