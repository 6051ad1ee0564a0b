/** The sidecar MANIFEST: what the store had acknowledged, told apart from the store itself.
 *
 *  SQLite drops a damaged tail of its WAL without a word; a 0-byte file opens as an empty database. The manifest makes both visible:
 *  after each durable group it takes the last seq and the counts, without fsync (a kill cannot lose it, a power loss may lose the
 *  last second), and is synced on demand. It is never ahead of the store.
 *  Two slots written in turn (manifest-slot.ts): a torn write hurts the older state only. Must not know: SQLite. */

import { closeSync, fdatasyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../model/errors.js';
import { writeDurably } from './durable-files.js';
import {
  decodeSlot,
  encodeSlot,
  MANIFEST_FORMAT,
  type ManifestRecord,
  type ManifestRole,
  SLOT_BYTES,
  type Slot,
} from './manifest-slot.js';
import { StorageFailure, type StoreState } from './storage.js';

export const MANIFEST_FILE = 'MANIFEST';
/** Even, so that the first record of a file stands in slot 0. */
const FIRST_GENERATION = 2;

export interface ManifestCounts {
  /** Live collections and live points. */
  readonly collections: number;
  readonly points: number;
}

/** What was found. record is the newest intact one; problems say in words what is wrong with the file. */
export interface ManifestReading {
  readonly record: ManifestRecord | null;
  readonly problems: readonly string[];
}

type Written = Pick<StoreState, 'clusterId' | 'nodeId' | 'historyId' | 'epoch' | 'seq'>;

export interface Manifest {
  /** The last record written or found, or null. */
  readonly record: ManifestRecord | null;
  /** Notes a durable state, without fsync. Call it after the commit, never before. @returns false on a full disk (nothing lost, the
   *  manifest stays behind)  @throws StorageFailure */
  write(state: Written, counts: ManifestCounts): boolean;
  /** From the next write on. */
  setRole(role: ManifestRole): void;
  /** fsync. @throws StorageFailure */
  sync(): void;
  /** Notes whether the shutdown was clean, syncs, closes. @throws StorageFailure */
  close(how: { clean: boolean }): void;
}

/** Reads both slots; never throws for what is in the file, or because it is missing. */
export function readManifest(dataDir: string): ManifestReading {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(dataDir, MANIFEST_FILE));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { record: null, problems: [missing ? 'MANIFEST is missing' : `MANIFEST cannot be read (${String(error)})`] };
  }
  const { newest, problems } = newestSlot(bytes);
  return { record: newest?.record ?? null, problems };
}

function newestSlot(bytes: Buffer): { newest: Slot | null; problems: string[] } {
  const problems: string[] = [];
  if (bytes.length !== 2 * SLOT_BYTES) problems.push(`MANIFEST has ${bytes.length} bytes and not ${2 * SLOT_BYTES}`);
  let newest: Slot | null = null;
  for (const place of [0, 1]) {
    const slot = decodeSlot(bytes.subarray(place * SLOT_BYTES, (place + 1) * SLOT_BYTES));
    if (slot === 'empty') continue;
    if (typeof slot === 'string') {
      problems.push(`slot ${place} of MANIFEST ${slot}`);
      continue;
    }
    if (slot.generation % 2 !== place) problems.push(`slot ${place} of MANIFEST stands in the wrong place`);
    if (newest === null || slot.generation > newest.generation) newest = slot;
  }
  if (newest === null) problems.push('MANIFEST holds no intact record');
  return { newest, problems };
}

/** Writes a manifest anew, durably: for a new folder, and to repair one after the store was verified. */
export function replaceManifest(dataDir: string, record: ManifestRecord): void {
  const bytes = Buffer.alloc(2 * SLOT_BYTES);
  bytes.set(encodeSlot({ generation: FIRST_GENERATION, record }), 0);
  writeDurably(join(dataDir, MANIFEST_FILE), bytes);
}

/** Opens the manifest for writing and notes durably that from now on the shutdown is not clean.
 *  Where no intact record is found, the file is made anew with the first write. @throws StorageFailure */
export function openManifest(dataDir: string, bootId: string): Manifest {
  const path = join(dataDir, MANIFEST_FILE);
  const found = readSlots(path);
  const last = found.newest;
  let file = failing(() => openSync(path, 'r+'));
  let generation = last?.generation ?? FIRST_GENERATION;
  let record = last?.record ?? null;
  let role: ManifestRole = record?.role ?? 'master';
  // A file of another shape than two sound slots is replaced as a whole, so that its problems do not stay.
  let sound = found.problems.length === 0;

  const put = (next: ManifestRecord): void => {
    if (sound) {
      const slot = encodeSlot({ generation: generation + 1, record: next });
      const written = failing(() => writeSync(file, slot, 0, SLOT_BYTES, ((generation + 1) % 2) * SLOT_BYTES));
      if (written !== SLOT_BYTES) throw new StorageFailure(`MANIFEST: only ${written} of ${SLOT_BYTES} bytes were written`);
      generation += 1;
    } else {
      failing(() => replaceManifest(dataDir, next));
      failing(() => closeSync(file));
      file = failing(() => openSync(path, 'r+'));
      generation = FIRST_GENERATION;
      sound = true;
    }
    record = next;
  };
  const sync = (): void => failing(() => fdatasyncSync(file));

  if (record !== null) {
    put({ ...record, cleanShutdown: false, bootId });
    sync();
  }
  return {
    get record() {
      return record;
    },
    write: (state, counts) => {
      const { clusterId, nodeId, historyId, epoch, seq } = state;
      const base = { format: MANIFEST_FORMAT, clusterId, nodeId, historyId, epoch, role } as const;
      try {
        put({ ...base, lastSeq: seq, counts, cleanShutdown: false, bootId });
        return true;
      } catch (error) {
        if (isDiskFull(error)) return false;
        throw error;
      }
    },
    setRole: (next) => {
      role = next;
    },
    sync,
    close: ({ clean }) => {
      if (record !== null) put({ ...record, role, cleanShutdown: clean });
      sync();
      failing(() => closeSync(file));
    },
  };
}

function readSlots(path: string): { newest: Slot | null; problems: string[] } {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return newestSlot(failing(() => readFileSync(path)));
  failing(() => writeDurably(path, new Uint8Array(0)));
  return { newest: null, problems: ['MANIFEST is missing'] };
}

function isDiskFull(error: unknown): boolean {
  const cause = error instanceof StorageFailure ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
}

function failing<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new StorageFailure(`MANIFEST: ${messageOf(error)}`, { cause: error });
  }
}
