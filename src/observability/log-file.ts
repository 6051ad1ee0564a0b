/** A log file that starts anew when it is full and keeps the last ones.
 *
 *    path ─(full)─► path.1 ─► path.2 ─► … ─► path.<filesMax> ─► removed
 *
 *  Invariant: every line begins on a line of its own, whatever a full disk or a kill has cut off before it; no file grows beyond its bound by
 *  more than one line, and no failure of the disk gets out: what the file does not take as a whole goes to `instead` and is counted, and
 *  the file is tried again a second later.
 *  Writes are synchronous: a line is with the system when `write` returns. Must not know: what the lines say. */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../model/errors.js';
import type { LogFileOptions } from '../model/log.js';
import { makeFolder } from '../resilience/make-folder.js';

const RETRY_MS = 1_000;
const LOOK_MS = 1_000;
const FILE_MODE = 0o640;
/** A pipe in the place of the file does not make the process wait for its reader. */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;
const LINE_END = 10;
/** A disk without room or with a fault may be well again; anything else at the start is a mistake of the operator. */
const MAY_PASS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE']);

export interface LogFileParts extends LogFileOptions {
  /** Milliseconds on a clock that never goes back. */
  nowMs(): number;
  /** Takes what the file does not. */
  instead(line: string): void;
}

export class LogFile {
  readonly #parts: LogFileParts;
  #fd: number | null = null;
  #bytes = 0;
  #nextTryMs = 0;
  #nextLookMs = 0;
  #lostLines = 0;
  /** Of a line that went in by half: the next one begins on a line of its own. */
  #torn = false;

  /** @throws Error when the file cannot be there: no folder, no permission, not a file */
  constructor(parts: LogFileParts) {
    this.#parts = parts;
    try {
      this.#open();
    } catch (error) {
      if (!MAY_PASS.has(String((error as NodeJS.ErrnoException).code)))
        throw new Error(`the log file ${parts.path} cannot be written: ${messageOf(error)}`);
      this.#failed();
    }
  }

  /** Lines that went elsewhere. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** @param line with its line end */
  write(line: string): void {
    if (!this.#tryWrite(line)) {
      this.#lostLines += 1;
      this.#parts.instead(line);
    }
  }

  #tryWrite(line: string): boolean {
    const now = this.#parts.nowMs();
    if (this.#fd === null && now < this.#nextTryMs) return false;
    try {
      if (now >= this.#nextLookMs) this.#look(now);
      if (this.#fd === null) this.#open();
      const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#parts.bytesMax) this.#rotate();
      this.#append(bytes);
      this.#torn = false;
      return true;
    } catch {
      this.#failed();
      return false;
    }
  }

  #append(bytes: Buffer): void {
    let written = 0;
    while (written < bytes.length) {
      const count = writeSync(this.#fd as number, bytes, written);
      written += count;
      this.#bytes += count;
      this.#torn = written < bytes.length;
    }
  }

  /** Somebody may have moved or removed the file. */
  #look(now: number): void {
    this.#nextLookMs = now + LOOK_MS;
    if (this.#fd === null) return;
    const open = fstatSync(this.#fd);
    const there = statSync(this.#parts.path, { throwIfNoEntry: false });
    if (there?.ino !== open.ino || there.dev !== open.dev) this.#close();
  }

  #open(): void {
    const { path } = this.#parts;
    makeFolder(dirname(path));
    const fd = openSync(path, FLAGS, FILE_MODE);
    let stats: Stats;
    try {
      stats = fstatSync(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#fd = fd;
    this.#bytes = stats.size;
    this.#torn = stats.isFile() && stats.size > 0 && endsTorn(path, stats.size);
  }

  #rotate(): void {
    const { path, filesMax } = this.#parts;
    this.#close();
    if (filesMax === 0) rmSync(path, { force: true });
    for (let number = filesMax; number >= 1; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      try {
        renameSync(from, `${path}.${number}`);
      } catch (error) {
        // One that is not there leaves a gap.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.#open();
  }

  #failed(): void {
    this.#close();
    this.#nextTryMs = this.#parts.nowMs() + RETRY_MS;
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = null;
    if (fd === null) return;
    try {
      closeSync(fd);
    } catch {
      // Whatever was left to be told, the descriptor is gone.
    }
  }
}

/** A kill or a full disk in the middle of a line, in this run or an earlier one. */
function endsTorn(path: string, size: number): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // May be written and not read: then nobody can tell.
    return false;
  }
  try {
    const last = Buffer.alloc(1);
    return readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== LINE_END;
  } finally {
    closeSync(fd);
  }
}
