/** Snapshots in tests: a master's folder with a story in it, a replica's blank one, and short forms of the way between them. */

import { join } from 'node:path';
import { type BuiltSnapshot, buildSnapshot, openIncoming, type SnapshotHead } from '../../src/engine/snapshot.js';
import { createDataFolder, inspectDataFolder, type StoreFolder } from '../../src/storage/data-folder.js';
import { loadDriver } from '../../src/storage/driver.js';
import { openWriter } from '../../src/storage/open-store.js';
import type { StoreWriter } from '../../src/storage/storage.js';
import { IDENTITY, OPTIONS, Story } from '../storage/story.js';

export const REPLICA_ID = 'ab'.repeat(16);
export const HOW = { nodeId: REPLICA_ID, bootId: 'replica-boot' };

export const CHUNK_BYTES = 10;

/** The head of a snapshot that is nowhere. @param digit tells it apart */
export function headOf(digit: string, chunks = 2): SnapshotHead {
  const bytes = chunks * CHUNK_BYTES;
  const [id, hash] = [digit.repeat(32), digit.repeat(64)];
  const of = { id, clusterId: id, historyId: id, epoch: 1, baseSeq: 7, baseHash: hash, digest: id };
  const files = [{ name: 'skein.db', bytes, sha256: hash }];
  return { format: 1, ...of, collections: 0, points: 0, files, bytes, chunkBytes: CHUNK_BYTES, chunks };
}

/** A data folder with a writer on its store. */
export function newMaster(dataDir: string): { store: StoreWriter; story: Story } {
  const { databasePath } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'boot' }, OPTIONS);
  const store = openWriter(databasePath, OPTIONS);
  return { store, story: new Story(store) };
}

/** What a node makes that is to join a cluster with nothing of its own. */
export function blankReplica(dataDir: string): StoreFolder {
  const none = '0'.repeat(32);
  const blank = { clusterId: none, nodeId: REPLICA_ID, historyId: none, epoch: 0 };
  return createDataFolder(dataDir, blank, { role: 'replica', bootId: 'boot' }, OPTIONS);
}

export function currentStore(dataDir: string): StoreFolder {
  const state = inspectDataFolder(dataDir);
  if (state.kind !== 'data') throw new Error(`the folder is ${state.kind}`);
  return state.store;
}

export function build(dataDir: string, signal?: AbortSignal): Promise<BuiltSnapshot> {
  const { databasePath, checkpointsPath } = currentStore(dataDir);
  const stop = signal === undefined ? {} : { signal };
  return buildSnapshot({ dataDir, storePath: databasePath, checkpointsDir: checkpointsPath, cacheBytes: 2 ** 21, ...stop });
}

export async function allBytes({ head, read }: BuiltSnapshot): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = 0; chunk < head.chunks; chunk++) chunks.push(await read(chunk));
  return Buffer.concat(chunks);
}

/** The same files in other chunks. */
export function inChunksOf(head: SnapshotHead, chunkBytes: number): SnapshotHead {
  return { ...head, chunkBytes, chunks: Math.ceil(head.bytes / chunkBytes) };
}

export function chunkOf(bytes: Buffer, { chunkBytes }: SnapshotHead, chunk: number): Buffer {
  return bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes);
}

/** Downloads what is missing and installs it. */
export async function receive(dataDir: string, head: SnapshotHead, bytes: Buffer): Promise<StoreFolder> {
  const incoming = await openIncoming(dataDir, head);
  while (incoming.nextChunk < head.chunks) await incoming.write(incoming.nextChunk, chunkOf(bytes, head, incoming.nextChunk));
  return incoming.install(HOW);
}

/** What a snapshot must carry from a store: its live rows as they are, label by label, and where it stands. */
export function liveContent(databasePath: string): Record<string, unknown[]> {
  const db = new (loadDriver())(databasePath, { readonly: true });
  try {
    const rows = (sql: string): unknown[] => db.prepare(sql).raw().all();
    const live = 'SELECT uid FROM collections WHERE dropped_seq IS NULL';
    return {
      state: rows('SELECT cluster_id, history_id, epoch, seq, next_uid, chain_hash, digest FROM state'),
      collections: rows('SELECT * FROM collections WHERE dropped_seq IS NULL ORDER BY uid'),
      points: rows(`SELECT * FROM points WHERE dead_seq IS NULL AND uid IN (${live}) ORDER BY key`),
      vectors: rows(
        `SELECT v.* FROM vectors AS v JOIN points AS p USING (key)
         WHERE p.dead_seq IS NULL AND p.uid IN (${live}) ORDER BY key`,
      ),
      digest_pages: rows(`SELECT * FROM digest_pages WHERE key / 64 IN (${live}) ORDER BY key`),
      remembered: rows('SELECT * FROM remembered ORDER BY scope'),
    };
  } finally {
    db.close();
  }
}

/** Number of rows, dead ones and those of dropped collections too. */
export function rowCounts(databasePath: string): Record<string, number> {
  const db = new (loadDriver())(databasePath, { readonly: true });
  try {
    const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
    return Object.fromEntries(['points', 'vectors', 'collections', 'log'].map((table) => [table, count(table)]));
  } finally {
    db.close();
  }
}

export function databaseIn(folder: string): string {
  return join(folder, 'skein.db');
}
