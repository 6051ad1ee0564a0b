/** What an error of the driver means to the callers of the store.
 *
 *    SQLITE_FULL                                    StorageFull, wherever it shows (a read may have to write out dirty pages)
 *    SQLITE_CORRUPT*, NOTADB, a read past the end   CorruptData from a read, StorageFailure from a write
 *    anything else                                  StorageFailure
 *  Errors that have their meaning already pass through. Must not know: tables, SQL. */

import { type ErrorDetails, messageOf, SkeinError } from '../model/errors.js';
import { StorageFailure, StorageFull, StoreRefused } from './storage.js';

/** The driver's extended result code, such as SQLITE_IOERR_FSYNC; '' for anything that is not an error of SQLite. */
export function sqliteCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return '';
  return error.code.startsWith('SQLITE_') ? error.code : '';
}

export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_IOERR_SHORT_READ';
}

/** A row or page that must not be served. */
export function corruptData(message: string, details: ErrorDetails, cause?: unknown): SkeinError {
  return new SkeinError('CorruptData', message, details, cause);
}

/** The error of a row that fails its CRC; details name the table and what is known of the row. */
export function damagedRow(table: string, details: ErrorDetails): SkeinError {
  const where = Object.entries(details).map(([name, value]) => `${name} ${String(value)}`);
  return corruptData(`A row of ${table} fails its checksum (${where.join(', ')})`, { table, ...details });
}

export function asReadError(error: unknown): unknown {
  if (isOurs(error)) return error;
  if (isDamage(error))
    return corruptData(`The database file is damaged (${sqliteCode(error)})`, { code: sqliteCode(error) }, error);
  return sqliteCode(error) === '' ? error : asFailure(error);
}

/** Everything that is not ours is a failure here, defects included: a transaction that went wrong for an unknown reason must not
 *  be committed by anybody. */
export function asWriteError(error: unknown): unknown {
  return isOurs(error) ? error : asFailure(error);
}

function asFailure(error: unknown): Error {
  const code = sqliteCode(error);
  const message = messageOf(error);
  if (code === 'SQLITE_FULL') return new StorageFull(`The disk is full (${message})`, { cause: error });
  return new StorageFailure(code === '' ? message : `${code}: ${message}`, { cause: error });
}

function isOurs(error: unknown): boolean {
  return (
    error instanceof SkeinError ||
    error instanceof StorageFull ||
    error instanceof StorageFailure ||
    error instanceof StoreRefused
  );
}

/** The same functions, with `before` called first and every thrown error put through `translate`. */
export function guarded<T extends object>(functions: T, translate: (error: unknown) => unknown, before?: () => void): T {
  const wrapped: Record<string, unknown> = {};
  for (const [name, run] of Object.entries(functions) as [string, (...parameters: unknown[]) => unknown][]) {
    wrapped[name] = (...parameters: unknown[]): unknown => {
      try {
        before?.();
        return run(...parameters);
      } catch (error) {
        throw translate(error);
      }
    };
  }
  return wrapped as T;
}
