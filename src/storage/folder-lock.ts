/** One process per data folder: LOCK is an empty SQLite file held by an exclusive transaction.
 *
 *  The lock is the kernel's (POSIX advisory), so it ends with the process, SIGKILL included: a stale lock cannot exist, and the file
 *  itself means nothing. It is never opened with fs here (asked for access only): closing any descriptor of it in this process would drop the lock.
 *  Must not know: what the folder holds. */

import { accessSync, constants } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf } from '../model/errors.js';
import { makeFolder } from '../resilience/make-folder.js';
import { sqliteCode } from './database-errors.js';
import { type Database, loadDriver } from './driver.js';
import { StoreRefused } from './storage.js';

export const LOCK_FILE = 'LOCK';

/** Held here as well as by the caller: a connection that the garbage collector takes would free the lock without a word. */
const held = new Set<Database>();

export interface FolderLock {
  /** Lets the next process in. */
  release(): void;
}

/** Takes the folder for this process, making the folder when it is missing.
 *  @throws StoreRefused (locked: another process, or another part of this one, has it · unwritable · driver) */
export function lockFolder(dataDir: string): FolderLock {
  const path = join(resolve(dataDir), LOCK_FILE);
  let db: Database | undefined;
  try {
    makeFolder(dataDir);
    db = new (loadDriver())(path, { timeout: 0 });
    // Without this a journal file would lie beside the lock.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    // A file that can only be read takes no lock at BEGIN, and says nothing of it; a write, never committed, tells.
    db.pragma('user_version = 1');
  } catch (error) {
    db?.close();
    throw refusal(error, dataDir, path);
  }
  const connection = db;
  held.add(connection);
  return {
    release: () => {
      held.delete(connection);
      connection.close();
    },
  };
}

function refusal(error: unknown, dataDir: string, path: string): unknown {
  if (error instanceof StoreRefused) return error;
  const code = sqliteCode(error);
  if (code.startsWith('SQLITE_BUSY')) {
    return new StoreRefused('locked', `${dataDir} is in use by another Skein process; two never share a data folder`, {
      cause: error,
    });
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    const advice = 'It holds no data: make sure that no server runs on the folder, then delete it.';
    return new StoreRefused('unwritable', `${path} is not a lock file of Skein. ${advice}`, { cause: error });
  }
  if (code.startsWith('SQLITE_READONLY')) {
    const why = 'the file system is read-only, or the file belongs to another user';
    return new StoreRefused('unwritable', `${path} cannot be written by ${userName()}: ${why}`, { cause: error });
  }
  const message = code.startsWith('SQLITE_CANTOPEN') ? whyUnopened(dataDir, path, error) : messageOf(error);
  return new StoreRefused('unwritable', `${dataDir} cannot be locked by ${userName()} (${message})`, { cause: error });
}

/** SQLite only says that it could not; the system says what was in the way. */
function whyUnopened(dataDir: string, path: string, error: unknown): string {
  try {
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (refused) {
    const isOwners = (refused as NodeJS.ErrnoException).code === 'EACCES';
    return `${messageOf(refused)}${isOwners ? '; the folder and what is in it must belong to that user' : ''}`;
  }
  return `${path}: ${messageOf(error)}`;
}

/** Where there is no entry for the number, as in many containers, the number alone. */
function userName(): string {
  const number = `user ${process.getuid?.() ?? 'of this process'}`;
  try {
    return `${number} (${userInfo().username})`;
  } catch {
    return number;
  }
}
