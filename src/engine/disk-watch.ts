/** The disk under the data folder, looked at once a second: is there room, and may it be written at all.
 *
 *  A write is refused before it is tried while less than the watermark is free (507) or the folder is read-only (503); both heal with the
 *  next look. A commit that found the disk full is remembered until one goes through or there is plenty of room.
 *  Must not know: the store, who writes. */

import { access, constants, statfs } from 'node:fs/promises';
import { messageOf, SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';

/** With so much free, a disk that was found full is so no more. */
const PLENTY_BYTES = 64 * 1024 * 1024;

export class DiskWatch {
  readonly #dataDir: string;
  readonly #freeBytesMin: number;
  readonly #log: Log;
  #freeBytes = Number.POSITIVE_INFINITY;
  #totalBytes = 0;
  #foundFull = false;
  #readOnly = false;

  constructor(dataDir: string, freeBytesMin: number, log: Log) {
    this.#dataDir = dataDir;
    this.#freeBytesMin = freeBytesMin;
    this.#log = log;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** 0 before the first look. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Writes are refused, or the last one was. */
  get full(): boolean {
    return this.#foundFull || this.#freeBytes < this.#freeBytesMin;
  }

  get readOnly(): boolean {
    return this.#readOnly;
  }

  /** Looks anew. What cannot be found out stays as it was. */
  async look(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.#dataDir);
      this.#freeBytes = bavail * bsize;
      this.#totalBytes = blocks * bsize;
      if (this.#freeBytes >= Math.max(PLENTY_BYTES, this.#freeBytesMin)) this.noteFull(false);
      this.#noteReadOnly(!(await isWritable(this.#dataDir)));
    } catch (error) {
      this.#log.warn('disk_not_readable', { reason: messageOf(error) });
    }
  }

  /** A commit found the disk full, or one went through. */
  noteFull(full: boolean): void {
    if (full !== this.#foundFull) this.#log.warn(full ? 'disk_full' : 'disk_has_room_again');
    this.#foundFull = full;
  }

  #noteReadOnly(readOnly: boolean): void {
    if (readOnly !== this.#readOnly) this.#log.warn(readOnly ? 'data_folder_read_only' : 'data_folder_writable_again');
    this.#readOnly = readOnly;
  }

  /** @param frees the write only gives space back: it is taken down to a quarter of the watermark
   *  @throws ReadOnly, DiskLimitExceeded: nothing was written */
  admit(frees: boolean): void {
    if (this.#readOnly) throw new SkeinError('ReadOnly', 'The data folder cannot be written; nothing was written, reads go on');
    const needed = frees ? this.#freeBytesMin / 4 : this.#freeBytesMin;
    if (this.#freeBytes >= needed) return;
    throw new SkeinError(
      'DiskLimitExceeded',
      `Only ${this.#freeBytes} bytes are free on the disk; nothing was written, reads go on`,
      { reason: 'disk_watermark', free_bytes: this.#freeBytes, needed_bytes: needed },
    );
  }
}

/** @throws Error when the folder is not there or cannot be asked */
async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return false;
    throw error;
  }
}
