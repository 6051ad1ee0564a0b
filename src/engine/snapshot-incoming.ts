/** A snapshot on its way in: chunks become files, in order, and what is there already is found again after a crash.
 *
 *    incoming-<id>/head.json          the head, durable before the first chunk
 *    incoming-<id>/store/…            the files, each as long as it has come; the lengths are the progress
 *
 *  Invariant: nothing here touches what serves. After a kill the next chunk is the first that is not there whole; after a power loss bytes
 *  may be missing inside, which the sums tell before anything is switched.
 *  Must not know: networks, what is in the files. */

import { constants, mkdir, open, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failpoint } from '../model/failpoint.js';
import type { StoreFolder } from '../storage/data-folder.js';
import { asDiskError, syncFolder, writeDurably } from '../storage/durable-files.js';
import { StorageFull } from '../storage/storage.js';
import { checkSnapshotHead, chunkMap, HEAD_BYTES_MAX, type Piece, pathOf, type SnapshotHead } from './snapshot-head.js';
import { installSnapshot, SnapshotDamaged } from './snapshot-install.js';

const INCOMING = 'incoming-';
const INCOMING_NAME = /^incoming-[0-9a-f]{32}$/;
const HEAD_FILE = 'head.json';

/** One snapshot on its way in. Its functions are called one after the other. */
export interface IncomingSnapshot {
  /** The chunk that is to be written next; as many as there are chunks when all are there. */
  readonly nextChunk: number;
  /** Of the chunks that are there. */
  readonly bytes: number;
  /** @throws RangeError when it is not the next chunk, or has another length · StorageFull (it may be tried again) · Error */
  write(chunk: number, bytes: Uint8Array): Promise<void>;
  /** Verifies everything, puts the node's id in, and makes it the store that counts; the old one stays until removeStore. The caller holds
   *  the folder's lock and has closed the old store's writer.
   *  @returns the folder that counts now
   *  @throws SnapshotDamaged (the download is removed) · RangeError when chunks are missing · StorageFull · Error. After an error
   *  which store counts is to be looked up anew: it is complete, the old one or the new one. */
  install(how: { readonly nodeId: string; readonly bootId: string }): Promise<StoreFolder>;
  /** Removes what has come. */
  discard(): Promise<void>;
}

/** Begins a download, or goes on with the one of the same head; what has come of any other is removed.
 *  @throws RangeError for a head that breaks its bounds · StorageFull when the files do not fit on the disk · Error */
export async function openIncoming(dataDir: string, given: SnapshotHead): Promise<IncomingSnapshot> {
  const head = checkSnapshotHead(given);
  const folder = join(dataDir, `${INCOMING}${head.id}`);
  try {
    const found = await readIncomingHead(folder);
    const same = found !== null && JSON.stringify(found) === JSON.stringify(head);
    for (const path of await incomingFolders(dataDir)) {
      if (path !== folder || !same) await rm(path, { recursive: true, force: true });
    }
    const nextChunk = same ? chunksIn(await lengthOf(folder, head), head) : 0;
    await mustFit(dataDir, head, nextChunk);
    if (!same) {
      await mkdir(folder);
      syncFolder(dataDir);
      writeDurably(join(folder, HEAD_FILE), Buffer.from(JSON.stringify(head)));
    }
    return new Incoming(dataDir, folder, head, nextChunk);
  } catch (error) {
    throw asDiskError(error);
  }
}

/** What an interrupted download left, for a hello that wants to resume; null when nothing usable is there. */
export async function resumableSnapshot(dataDir: string): Promise<{ readonly id: string; readonly nextChunk: number } | null> {
  for (const folder of await incomingFolders(dataDir)) {
    const head = await readIncomingHead(folder);
    if (head === null || folder !== join(dataDir, `${INCOMING}${head.id}`)) continue;
    const nextChunk = chunksIn(await lengthOf(folder, head), head);
    if (nextChunk > 0) return { id: head.id, nextChunk };
  }
  return null;
}

/** Removes whatever downloads left. @throws Error of the file system */
export async function discardIncoming(dataDir: string): Promise<void> {
  for (const path of await incomingFolders(dataDir)) await rm(path, { recursive: true, force: true });
}

class Incoming implements IncomingSnapshot {
  readonly #dataDir: string;
  readonly #folder: string;
  readonly #head: SnapshotHead;
  readonly #piecesOf: (chunk: number) => Piece[];
  #nextChunk: number;

  constructor(dataDir: string, folder: string, head: SnapshotHead, nextChunk: number) {
    this.#dataDir = dataDir;
    this.#folder = folder;
    this.#head = head;
    this.#piecesOf = chunkMap(head);
    this.#nextChunk = nextChunk;
  }

  get nextChunk(): number {
    return this.#nextChunk;
  }

  get bytes(): number {
    return Math.min(this.#head.bytes, this.#nextChunk * this.#head.chunkBytes);
  }

  async write(chunk: number, bytes: Uint8Array): Promise<void> {
    if (chunk !== this.#nextChunk) throw new RangeError(`chunk ${chunk} came, and ${this.#nextChunk} is the next one`);
    const pieces = this.#piecesOf(chunk);
    const length = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    if (bytes.length !== length) throw new RangeError(`chunk ${chunk} has ${bytes.length} bytes and not ${length}`);
    try {
      for (const piece of pieces)
        await writePiece(storeIn(this.#folder), piece, bytes.subarray(piece.at, piece.at + piece.bytes));
    } catch (error) {
      throw asDiskError(error);
    }
    this.#nextChunk += 1;
    failpoint('snapshot.chunk_written');
  }

  async install(how: { readonly nodeId: string; readonly bootId: string }): Promise<StoreFolder> {
    const { chunks } = this.#head;
    if (this.#nextChunk !== chunks) throw new RangeError(`${this.#nextChunk} of ${chunks} chunks are there`);
    try {
      const store = await installSnapshot(this.#dataDir, storeIn(this.#folder), this.#head, how);
      await this.discard();
      return store;
    } catch (error) {
      if (error instanceof SnapshotDamaged) await this.discard();
      throw asDiskError(error);
    }
  }

  discard(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}

/** Downloads of which nothing but the head is left, or not even that. */
export async function emptyIncoming(dataDir: string): Promise<string[]> {
  const empty: string[] = [];
  for (const folder of await incomingFolders(dataDir)) {
    const head = await readIncomingHead(folder);
    if (head === null || (await lengthOf(folder, head)) === 0) empty.push(folder);
  }
  return empty;
}

async function incomingFolders(dataDir: string): Promise<string[]> {
  const names = await readdir(dataDir);
  return names.filter((name) => INCOMING_NAME.test(name)).map((name) => join(dataDir, name));
}

function storeIn(folder: string): string {
  return join(folder, 'store');
}

async function readIncomingHead(folder: string): Promise<SnapshotHead | null> {
  try {
    const path = join(folder, HEAD_FILE);
    if ((await stat(path)).size > HEAD_BYTES_MAX) return null;
    return checkSnapshotHead(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** Bytes that have come without a gap: files are whole up to the first that is not. */
async function lengthOf(folder: string, { files }: SnapshotHead): Promise<number> {
  let length = 0;
  for (const { name, bytes } of files) {
    const size = await sizeOf(pathOf(storeIn(folder), name));
    length += Math.min(size, bytes);
    if (size < bytes) break;
  }
  return length;
}

/** Whole chunks; the last may be shorter than the others. */
function chunksIn(length: number, { bytes, chunks, chunkBytes }: SnapshotHead): number {
  return length === bytes ? chunks : Math.floor(length / chunkBytes);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** A disk that the download would fill is better left as it is: the store that serves needs it too. */
async function mustFit(dataDir: string, head: SnapshotHead, nextChunk: number): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  const needed = head.bytes - nextChunk * head.chunkBytes;
  if (bavail * bsize >= needed) return;
  throw new StorageFull(`A snapshot needs ${needed} bytes more, and the disk of ${dataDir} has ${bavail * bsize} free`);
}

/** Written at its place, so that a chunk that came only in part is simply written again. */
async function writePiece(store: string, { file, offset }: Piece, bytes: Uint8Array): Promise<void> {
  const path = pathOf(store, file.name);
  if (offset === 0) await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
  } finally {
    await handle.close();
  }
}
