/** From files that have come to the store that counts: nothing is believed before it was checked, and one rename decides.
 *
 *    SHA-256 of each file ─► every row, sum and digest, in a child process ─► the state against the head ─► node id ─► all synced ─► switch
 *
 *  Must not know: how the files came. */

import { dirname, join } from 'node:path';
import { failpoint } from '../model/failpoint.js';
import type { StoreFolder } from '../storage/data-folder.js';
import { syncFile, syncFolder } from '../storage/durable-files.js';
import { openReader, openWriter } from '../storage/open-store.js';
import type { StoreState } from '../storage/storage.js';
import { adoptStore } from '../storage/store-switch.js';
import { verifyInChild } from '../storage/verify-in-child.js';
import { hashFile } from './snapshot-hash.js';
import { DATABASE_NAME, pathOf, type SnapshotHead } from './snapshot-head.js';

const CACHE_BYTES = 4 * 1024 * 1024;

/** The files are not what their head says, or the store in them is not sound. The message says what. */
export class SnapshotDamaged extends Error {
  override readonly name = 'SnapshotDamaged';
}

/** @param made the folder with the files, on the disk of dataDir
 *  @throws SnapshotDamaged · RangeError · StorageFull · Error */
export async function installSnapshot(
  dataDir: string,
  made: string,
  head: SnapshotHead,
  { nodeId, bootId }: { readonly nodeId: string; readonly bootId: string },
): Promise<StoreFolder> {
  if (!/^[0-9a-f]{32}$/.test(nodeId)) throw new RangeError(`'${nodeId}' is not an id of 32 lower-case hex digits`);
  failpoint('snapshot.before_verify');
  await verifyFiles(made, head);
  await verifyRows(join(made, DATABASE_NAME), head);
  failpoint('snapshot.after_verify');
  takeOver(join(made, DATABASE_NAME), head, nodeId);
  await syncAll(made, head);
  const { clusterId, historyId, epoch, baseSeq, collections, points } = head;
  const identity = { format: 1, clusterId, nodeId, historyId, epoch, role: 'replica' } as const;
  return adoptStore(dataDir, made, {
    ...identity,
    lastSeq: baseSeq,
    counts: { collections, points },
    cleanShutdown: true,
    bootId,
  });
}

async function verifyFiles(made: string, { files }: SnapshotHead): Promise<void> {
  for (const file of files) {
    const { bytes, sha256 } = await hashFile(pathOf(made, file.name));
    if (bytes !== file.bytes) throw new SnapshotDamaged(`${file.name} has ${bytes} bytes and not ${file.bytes}`);
    if (sha256 !== file.sha256) throw new SnapshotDamaged(`${file.name} has another SHA-256 than the head says`);
  }
}

/** Every row, sum and digest, in a child process, and the state against the head. @throws SnapshotDamaged · Error */
export async function verifyStoreOf(databasePath: string, head: SnapshotHead, signal: AbortSignal): Promise<void> {
  await verifyRows(databasePath, head, signal);
  const store = openReader(databasePath, { cacheBytes: CACHE_BYTES });
  try {
    verifyState(store.state(), head);
  } finally {
    store.close();
  }
}

async function verifyRows(databasePath: string, head: SnapshotHead, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const { ok, counts, findings } = await verifyInChild(databasePath, 'full', () => {}, options);
  const first = findings.find(({ fatal }) => fatal);
  if (!ok) throw new SnapshotDamaged(`the store in the snapshot is not sound: ${first?.message ?? 'no reason was given'}`);
  mustAgree('collections', counts.collections, head.collections);
  mustAgree('points', counts.points, head.points);
  mustAgree('rows of dead points', counts.deadPoints, 0);
  mustAgree('log entries', counts.logEntries, 0);
}

/** Compares the state with the head, then puts this node's id in. */
function takeOver(databasePath: string, head: SnapshotHead, nodeId: string): void {
  const store = openWriter(databasePath, { cacheBytes: CACHE_BYTES });
  try {
    const state = store.state();
    verifyState(state, head);
    store.begin();
    store.writeState({ ...state, nodeId });
    store.commit();
  } finally {
    store.close();
  }
}

function verifyState(state: StoreState, head: SnapshotHead): void {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  for (const name of ['clusterId', 'historyId', 'epoch'] as const) mustAgree(name, state[name], head[name]);
  mustAgree('seq', state.seq, head.baseSeq);
  mustAgree('chain hash', hex(state.chainHash), head.baseHash);
  mustAgree('digest', hex(state.digest), head.digest);
  mustAgree('first seq of the log', state.logMinSeq, head.baseSeq + 1);
}

function mustAgree(what: string, found: string | number, expected: string | number): void {
  if (found !== expected)
    throw new SnapshotDamaged(`the store in the snapshot has ${what} ${found}, and the head says ${expected}`);
}

async function syncAll(made: string, { files }: SnapshotHead): Promise<void> {
  const folders = new Set<string>();
  for (const { name } of files) {
    const path = pathOf(made, name);
    await syncFile(path);
    for (let folder = dirname(path); folder.length >= made.length; folder = dirname(folder)) folders.add(folder);
  }
  for (const folder of folders) syncFolder(folder);
}
