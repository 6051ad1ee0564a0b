/** A folder as backup target: one file for each object, its path below the folder is the key.
 *
 *    put:  .partial/<writer>.<n>  ─ write, fsync ─►  rename to its place  ─►  fsync of the folder
 *
 *  Invariant: a file outside .partial is whole. What a killed writer left in .partial is removed when its writer opens the folder again,
 *  or by anybody a day later. Must not know: what the bytes mean. */

import { type FileHandle, mkdir, open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import { codeOf, isMissing, OutsideRoot, openBelow, placeFile, removeFile, syncFolder, walkFiles } from './folder-files.js';
import { Stalled, withinStallLimit } from './stall-limit.js';
import {
  type BackupTarget,
  checkKey,
  type FailedCall,
  isKey,
  ObjectNotFound,
  type StoredObject,
  type TargetFailure,
  targetFailed,
} from './target.js';

const PARTIAL_FOLDER = '.partial';
/** Nothing is put for so long: a partial file that was not written to for a day has lost its writer. */
const PARTIAL_AGE_MS_MAX = 24 * 3_600_000;
const PIECE_BYTES = 256 * 1024;

export interface FolderTargetOptions {
  /** Made when only its last part is missing; a missing parent is an error, since it may be a volume that is not mounted. */
  readonly folder: string;
  /** Names who puts, of A–Z a–z 0–9 _ -: the node’s id. One at a time: its leftovers are removed on opening. null: for reading only. */
  readonly writer: string | null;
  /** The longest wait for one step of the file system, in milliseconds. */
  readonly stallMs: number;
  readonly clock: Clock;
}

type Call = Pick<FailedCall, 'operation' | 'key'>;

export function folderName(folder: string): string {
  return `folder ${folder}`;
}

/** @throws BackupTargetFailed */
export async function openFolderTarget(options: FolderTargetOptions): Promise<BackupTarget> {
  const name = folderName(options.folder);
  try {
    return await withinStallLimit(options.stallMs, async () => {
      if (options.writer !== null) await makeFolder(options.folder);
      const root = await realpath(options.folder);
      if (options.writer !== null) await tidyPartials(join(root, PARTIAL_FOLDER), options.writer, options.clock);
      return new FolderTarget(name, root, options);
    });
  } catch (error) {
    throw failure(name, { operation: 'open', key: '' }, error);
  }
}

class FolderTarget implements BackupTarget {
  readonly name: string;
  readonly #root: string;
  readonly #writer: string | null;
  readonly #stallMs: number;
  #puts = 0;

  constructor(name: string, root: string, { writer, stallMs }: FolderTargetOptions) {
    this.name = name;
    this.#root = root;
    this.#writer = writer;
    this.#stallMs = stallMs;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const call: Call = { operation: 'list', key: prefix };
    await this.#step(call, () => this.#checkPresent());
    const files = walkFiles(this.#root, prefix);
    for (
      let next = await this.#step(call, () => files.next());
      next.done !== true;
      next = await this.#step(call, () => files.next())
    ) {
      const { path, bytes, modifiedAtMs } = next.value;
      // What somebody else put there is not an object.
      if (isKey(path)) yield { key: path, bytes, modifiedAtMs };
    }
  }

  async put(key: string, body: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    checkKey(key);
    const call: Call = { operation: 'put', key };
    if (this.#writer === null) throw this.#failure(call, new Error('it was opened for reading only'));
    this.#puts += 1;
    const partial = join(this.#root, PARTIAL_FOLDER, `${this.#writer}.${this.#puts}`);
    const { file } = await this.#opened(call, async () => ({ file: await open(partial, 'wx', 0o600) }));
    let bytes = 0;
    try {
      for await (const piece of body) {
        await this.#step(call, () => file.writeFile(piece));
        bytes += piece.length;
      }
      await this.#step(call, () => file.sync());
      await this.#step(call, () => file.close());
      await this.#step(call, () => placeFile(partial, this.#root, key));
    } catch (error) {
      await this.#discard(file, partial);
      throw error;
    }
    return { bytes };
  }

  async *get(key: string): AsyncGenerator<Uint8Array> {
    checkKey(key);
    const call: Call = { operation: 'get', key };
    const { file, bytes } = await this.#opened(call, () => this.#open(key));
    try {
      for (let at = 0; at < bytes; ) {
        const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, bytes - at));
        const { bytesRead } = await this.#step(call, () => file.read(piece, 0, piece.length, at));
        if (bytesRead === 0) throw this.#failure(call, new Error(`it ended after ${at} of ${bytes} bytes`));
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await this.#release(() => file.close());
    }
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    await this.#step({ operation: 'remove', key }, () => removeFile(this.#root, key));
  }

  async #open(key: string): ReturnType<typeof openBelow> {
    try {
      return await openBelow(this.#root, key);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#checkPresent();
      throw new ObjectNotFound(this.name, key);
    }
  }

  /** An empty mount point looks like a folder without objects. Whoever puts has made .partial, so its absence tells them apart. */
  async #checkPresent(): Promise<void> {
    const marker = this.#writer === null ? this.#root : join(this.#root, PARTIAL_FOLDER);
    await stat(marker);
  }

  async #discard(file: FileHandle, partial: string): Promise<void> {
    await this.#release(async () => {
      await file.close();
      await rm(partial, { force: true });
    });
  }

  /** Gives back what a call held. It fails only where the call itself failed, or does no harm: leftovers are removed on opening. */
  async #release(action: () => Promise<void>): Promise<void> {
    try {
      await withinStallLimit(this.#stallMs, action);
    } catch {
      return;
    }
  }

  /** A file that is open only after its call was given up is closed then. */
  async #opened<T extends { readonly file: FileHandle }>(call: Call, action: () => Promise<T>): Promise<T> {
    const opening = action();
    try {
      return await this.#step(call, () => opening);
    } catch (error) {
      opening.then(({ file }) => file.close()).catch(() => {});
      throw error;
    }
  }

  async #step<T>(call: Call, action: () => Promise<T>): Promise<T> {
    try {
      return await withinStallLimit(this.#stallMs, action);
    } catch (error) {
      throw this.#failure(call, error);
    }
  }

  #failure(call: Call, error: unknown): Error {
    return error instanceof ObjectNotFound ? error : failure(this.name, call, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    await syncFolder(dirname(folder));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    // A volume that is not mounted is not made up for.
    if (code !== 'ENOENT') throw error;
    throw Object.assign(new Error(`there is no folder ${dirname(folder)} to make it in`, { cause: error }), { code });
  }
}

async function tidyPartials(folder: string, writer: string, clock: Clock): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      const dead = name.startsWith(`${writer}.`) || clock.wallMs() - (await stat(path)).mtimeMs > PARTIAL_AGE_MS_MAX;
      if (dead) await rm(path, { force: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/** After the codes of errno(3). */
const REASONS: Readonly<Record<string, TargetFailure>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  EIO: 'unreachable',
  ENOENT: 'unreachable',
  ENOTCONN: 'unreachable',
  ESTALE: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'timeout',
  EMFILE: 'unreachable',
  ENFILE: 'unreachable',
};

function failure(target: string, call: Call, error: unknown): Error {
  const known = error instanceof Stalled ? 'timeout' : REASONS[codeOf(error) ?? ''];
  const reason = error instanceof OutsideRoot ? 'refused' : (known ?? 'refused');
  return targetFailed({ target, ...call, reason, message: messageOf(error), cause: error });
}
