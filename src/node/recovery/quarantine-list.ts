/** The list of what could not be repaired: quarantine/<time>.jsonl in the data folder, one JSON object a line, and how much lies in quarantine/.
 *
 *  The rows themselves stay where they are, unreadable. Nothing here is ever removed: an operator does that. Off the event loop, as a slow disk
 *  must not hold up a heartbeat. Must not know: why. */

import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Damage } from '../../model/damage.js';

export const QUARANTINE_FOLDER = 'quarantine';
/** Of one process. */
const LINES_MAX = 10_000;
/** So many files are counted. */
const FILES_MAX = 10_000;

export interface QuarantineLine {
  readonly damage: Damage;
  readonly collection: string | null;
  readonly reason: string;
  readonly atMs: number;
}

export class QuarantineList {
  readonly #dataDir: string;
  #path: string | null = null;
  #lines = 0;
  #bytes = 0;
  #stores = 0;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Bytes of all files in quarantine/, as of the last look. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stores that were moved there. */
  get stores(): number {
    return this.#stores;
  }

  /** Looks what is there. Cost: one call for each file. @throws Error of the file system */
  async look(): Promise<void> {
    const folder = join(this.#dataDir, QUARANTINE_FOLDER);
    const names = await readdir(folder, { recursive: true, encoding: 'utf8' }).catch(whenGone([]));
    const sizes = await Promise.all(names.slice(0, FILES_MAX).map((name) => fileBytes(join(folder, name))));
    const entries = await readdir(folder, { withFileTypes: true }).catch(whenGone([]));
    this.#bytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
    this.#stores = entries.filter((entry) => entry.isDirectory()).length;
  }

  /** Durable on return. @throws Error of the file system */
  async add(lines: readonly QuarantineLine[]): Promise<void> {
    const [first] = lines;
    const room = LINES_MAX - this.#lines;
    if (first === undefined || room <= 0) return;
    const folder = join(this.#dataDir, QUARANTINE_FOLDER);
    // Not with `recursive`: that never ends where the name is a link to nowhere.
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const isNew = this.#path === null;
    this.#path ??= join(folder, `${timeName(first.atMs)}.jsonl`);
    const text = lines.slice(0, room).map((line) => `${JSON.stringify(lineOf(line))}\n`);
    const file = await open(this.#path, 'a');
    try {
      await file.appendFile(text.join(''));
      await file.sync();
    } finally {
      await file.close();
    }
    if (isNew) for (const path of [folder, this.#dataDir]) await syncFolder(path);
    this.#lines += text.length;
    this.#bytes += Buffer.byteLength(text.join(''));
  }
}

function lineOf({ damage, collection, reason, atMs }: QuarantineLine) {
  const { kind, table, collectionUid, label, id, version, seq, lastSeq, page, message } = damage;
  const place = { table, collection, collection_uid: collectionUid, label, id, version, seq, last_seq: lastSeq, page };
  return { time: new Date(atMs).toISOString(), kind, ...place, message, reason };
}

/** A time as a part of a file's name. */
export function timeName(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(':', '-');
}

async function fileBytes(path: string): Promise<number> {
  const found = await stat(path).catch(whenGone(null));
  return found?.isFile() === true ? found.size : 0;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What an operator removes meanwhile is no error. */
function whenGone<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
