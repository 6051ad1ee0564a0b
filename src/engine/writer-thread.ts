/** The write thread: owns the one writing connection, gathers requests into groups, commits, and keeps the store tidy.
 *
 *  What arrives while a commit runs shares the next one. An answer leaves only after the commit that made it durable.
 *  A full disk refuses the whole group with 507 and heals; any other commit failure is fatal: the main thread stops the process.
 *  Must not know: HTTP, indexes, replicas. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { openManifest } from '../storage/manifest.js';
import { openWriter } from '../storage/open-store.js';
import { type CollectionRow, StorageFull } from '../storage/storage.js';
import { TooMuchToUndo } from './applier.js';
import { StoreUpkeep } from './store-upkeep.js';
import { UnitWriter } from './unit-writer.js';
import type { FromWriter, ToWriter, WriteReply, WriterData } from './writer-messages.js';

const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const GROUP_REQUESTS_MAX = 512;
const TICK_MS = 100;
const QUIET_MS = 1_000;
const MANIFEST_SYNC_MS = 1_000;

if (parentPort === null) throw new Error('writer-thread.js runs as a worker only');
const port = parentPort;
const data = workerData as WriterData;
const store = openWriter(data.storePath, { cacheBytes: data.cacheBytes });
const manifest = openManifest(data.dataDir, data.bootId);
const units = new UnitWriter(store, data.limits);
const upkeep = new StoreUpkeep(store, units, data.limits);
const queue: (ToWriter & { kind: 'write' })[] = [];
let stopping = false;
let scheduled = false;
let lastTimeMs = 0;
let lastSweepMs = 0;
let sweepBehind = false;
let lastGroupMs = 0;
let lastSyncMs = 0;
let lastSyncedSeq = -1;

function post(message: FromWriter): void {
  port.postMessage(message);
}

/** The admission clock: never goes back within a run, so entry times are in log order. */
function nowMs(): number {
  lastTimeMs = Math.max(lastTimeMs, Date.now());
  return lastTimeMs;
}

function take(message: ToWriter): void {
  if (message.kind === 'write') queue.push(message);
  else if (message.kind === 'reap') upkeep.reapThrough(message.throughSeq);
  else stopping = true;
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

function turn(): void {
  scheduled = false;
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
    take(next.message as ToWriter);
  try {
    const group = takeGroup();
    const sweep = sweepBehind || Date.now() - lastSweepMs >= FIXED.expirySweepMs;
    if (sweep) commitSweep();
    if (group.length > 0) commitGroup(group);
    if (queue.length === 0 && stopping) return stop();
    if (group.length > 0) lastGroupMs = performance.now();
    const idle = queue.length === 0 && performance.now() - lastGroupMs > QUIET_MS;
    if (upkeep.run(idle)) post({ kind: 'figures', figures: upkeep.figures() });
    syncManifest();
    if (queue.length > 0 || sweepBehind) schedule();
  } catch (error) {
    fail(error);
  }
}

function takeGroup(): (ToWriter & { kind: 'write' })[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < GROUP_REQUESTS_MAX && (count === 0 || bytes < GROUP_BYTES_MAX)) {
    bytes += (queue[count] as ToWriter & { kind: 'write' }).bytes;
    count += 1;
  }
  return queue.splice(0, count);
}

function commitGroup(group: (ToWriter & { kind: 'write' })[]): void {
  commit(group, (seqBefore) => {
    const replies: WriteReply[] = [];
    for (const { id, request } of group) {
      try {
        replies.push({ id, outcome: units.run(request, nowMs(), units.state.state.seq === seqBefore) });
      } catch (error) {
        if (error instanceof TooMuchToUndo) {
          // It begins the next transaction.
          queue.unshift(...group.splice(replies.length));
          break;
        }
        if (!(error instanceof SkeinError)) throw error;
        replies.push({ id, refused: error.toRecord() });
      }
    }
    return replies;
  });
}

/** Runs units in one transaction and tells what came of them. When the disk is full, all of `group` is refused. */
function commit(group: readonly (ToWriter & { kind: 'write' })[], run: (seqBefore: number) => WriteReply[]): void {
  const seqBefore = units.state.state.seq;
  try {
    store.begin();
    const replies = run(seqBefore);
    if (units.state.state.seq === seqBefore) {
      store.rollback();
      if (replies.length > 0) post({ kind: 'refused', replies, full: false });
      return;
    }
    const changed: readonly CollectionRow[] = units.state.flush();
    const startMs = performance.now();
    store.commit();
    const state = { ...units.state.state };
    const commitMs = performance.now() - startMs;
    noteManifest();
    post({ kind: 'committed', state, changed, replies, commitMs });
  } catch (error) {
    if (!(error instanceof StorageFull)) throw error;
    store.rollback();
    units.reload();
    sweepBehind = false;
    const refused = new SkeinError('DiskLimitExceeded', 'The disk is full: nothing was written, reads go on', {
      reason: 'disk_full',
    });
    post({ kind: 'refused', replies: group.map(({ id }) => ({ id, refused: refused.toRecord() })), full: true });
  }
}

function noteManifest(): void {
  manifest.write(units.state.state, { collections: units.state.collectionsCount, points: units.state.pointsCount() });
}

/** After a power loss the manifest may miss what was written since; a kill loses nothing of it. */
function syncManifest(): void {
  const { seq } = units.state.state;
  if (seq === lastSyncedSeq || performance.now() - lastSyncMs < MANIFEST_SYNC_MS) return;
  manifest.sync();
  lastSyncedSeq = seq;
  lastSyncMs = performance.now();
}

function commitSweep(): void {
  lastSweepMs = Date.now();
  sweepBehind = false;
  commit([], () => {
    try {
      sweepBehind = units.sweepExpired(nowMs()).more;
    } catch (error) {
      // A damaged row is no reason to stop: it stays where it is, is never served, and the next check names it.
      if (!(error instanceof SkeinError)) throw error;
    }
    return [];
  });
}

function stop(): void {
  clearInterval(ticker);
  upkeep.finish();
  manifest.close({ clean: true });
  store.close();
  post({ kind: 'stopped' });
  port.close();
}

function fail(error: unknown): void {
  clearInterval(ticker);
  post({ kind: 'fatal', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  port.close();
}

port.on('message', (message: ToWriter) => {
  take(message);
  schedule();
});
const ticker = setInterval(schedule, TICK_MS);
noteManifest();
post({ kind: 'opened', state: units.state.state, collections: store.collections() });
