/** The write thread: owns the one writing connection, gathers requests into groups or applies what a master sent, commits, and keeps
 *  the store tidy.
 *
 *  What arrives while a commit runs shares the next one. An answer leaves only after the commit that made it durable.
 *  A full disk refuses the whole group with 507 and heals; any other commit failure is fatal: the main thread stops the process.
 *  A replica takes no requests and lets nothing expire by itself. Must not know: HTTP, indexes, sockets. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import { FIXED } from '../model/limits.js';
import { armTestHooks } from '../model/test-hooks.js';
import { openManifest } from '../storage/manifest.js';
import { openWriter } from '../storage/open-store.js';
import { StorageFull } from '../storage/storage.js';
import { TooMuchToUndo } from './applier.js';
import { BatchApplier } from './batch-applier.js';
import { applyCorrection, notRepairable } from './correct.js';
import { applyMending } from './mend.js';
import { QuietCollection } from './quiet-collection.js';
import { StoreUpkeep } from './store-upkeep.js';
import { UnitWriter } from './unit-writer.js';
import type {
  CorrectMessage,
  FromWriter,
  MendMessage,
  RoleChange,
  ToWriter,
  WriteMessage,
  WriteReply,
  WriterData,
} from './writer-messages.js';

const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const GROUP_REQUESTS_MAX = 512;
const TICK_MS = 100;
const QUIET_MS = 1_000;
const MANIFEST_SYNC_MS = 1_000;
const MANIFEST_SLOTS = 2;

if (parentPort === null) throw new Error('writer-thread.js runs as a worker only');
const port = parentPort;
const data = workerData as WriterData;
armTestHooks(process.env, () => process.kill(process.pid, 'SIGKILL'));
const store = openWriter(data.storePath, { cacheBytes: data.cacheBytes });
const manifest = openManifest(data.dataDir, data.bootId);
manifest.setRole(data.role);
const units = new UnitWriter(store, data.limits);
const upkeep = new StoreUpkeep(store, units, data.limits);
const batches = new BatchApplier({ store, units, post, conclude: (commit) => conclude([], commit) });
/** Requests, corrections, mendings and changes of role, in their order. */
const queue: (WriteMessage | CorrectMessage | MendMessage | RoleChange)[] = [];
let { role, ownFromEpoch } = data;
let stopping = false;
const garbage = new QuietCollection();
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
  switch (message.kind) {
    case 'write':
    case 'correct':
    case 'mend':
    case 'role':
      queue.push(message);
      return;
    case 'session':
      batches.begin(message.session);
      return;
    case 'batch':
      batches.take(message.session, message.batch);
      return;
    case 'reap':
      upkeep.reapThrough(message.throughSeq);
      return;
    case 'keep_log':
      upkeep.keepLogFrom(message.fromSeq);
      return;
    case 'stop':
      // What is not durable here is still its master's.
      batches.end();
      stopping = true;
  }
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
    const sweep = isOpen() && (sweepBehind || Date.now() - lastSweepMs >= FIXED.expirySweepMs);
    if (sweep) commitSweep();
    if (group.length > 0 && role === 'master') commitGroup(group);
    if (group.length > 0 && role === 'replica') refuse(group);
    const followed = role === 'replica' && batches.step();
    changeRole();
    correct();
    mend();
    if (queue.length === 0 && stopping) return stop();
    if (group.length > 0 || followed) {
      lastGroupMs = performance.now();
      garbage.worked();
    }
    const idle = queue.length === 0 && performance.now() - lastGroupMs > QUIET_MS;
    if (upkeep.run(idle)) post({ kind: 'figures', figures: upkeep.figures() });
    syncManifest();
    if (queue[0]?.kind === 'write' || sweepBehind || (role === 'replica' && batches.isDue)) schedule();
  } catch (error) {
    fail(error);
  }
}

/** The next requests, up to a change of role. */
function takeGroup(): WriteMessage[] {
  const group: WriteMessage[] = [];
  let bytes = 0;
  for (let next = queue[0]; next?.kind === 'write' && group.length < GROUP_REQUESTS_MAX; next = queue[0]) {
    if (group.length > 0 && bytes >= GROUP_BYTES_MAX) break;
    bytes += next.bytes;
    group.push(next);
    queue.shift();
  }
  return group;
}

/** May this node change data by itself? A mastership begins with an entry of its own; those of earlier epochs are another's to write. */
function isOpen(): boolean {
  return role === 'master' && units.state.state.epoch >= ownFromEpoch;
}

/** A change of role waits until what came before it is done; the clock calls again. */
function changeRole(): void {
  const next = queue[0];
  if (next?.kind !== 'role' || (role === 'replica' && batches.hasWork)) return;
  queue.shift();
  ({ role, ownFromEpoch } = next);
  sweepBehind = false;
  if (role === 'master') batches.end();
  units.trustDigestsFrom(0);
  manifest.setRole(role);
  noteManifest();
  post({ kind: 'role_changed', role });
  if (queue.length > 0) schedule();
}

function notMaster(): SkeinError {
  return new SkeinError('NotMaster', 'This node is not the master, or not yet, and takes no writes');
}

/** Makes rows of a replica what its master has, beside the log. */
function correct(): void {
  const next = queue[0];
  if (next?.kind !== 'correct') return;
  queue.shift();
  const { id, correction } = next;
  besideTheLog(id, () => {
    if (role === 'master') throw notRepairable('role', 'This node has become the master');
    const trustedFromSeq = applyCorrection(store, units.state, correction);
    forgetCounts();
    return () => units.trustDigestsFrom(trustedFromSeq);
  });
}

/** Writes over damaged rows. */
function mend(): void {
  const next = queue[0];
  if (next?.kind !== 'mend') return;
  queue.shift();
  const { id, mending } = next;
  besideTheLog(id, () => {
    applyMending(store, units.state, mending);
    return () => {};
  });
}

/** A transaction without an entry: the seq stays. @param change what to do in it; returns what to do when it is durable */
function besideTheLog(id: number, change: () => () => void): void {
  try {
    store.begin();
    const afterwards = change();
    failpoint('apply.before_commit');
    conclude([{ id, outcome: { seq: units.state.state.seq, uids: [], results: [], repeated: false } }], () => {
      store.commit();
      failpoint('apply.after_commit');
    });
    afterwards();
  } catch (error) {
    if (!(error instanceof StorageFull) && !(error instanceof SkeinError)) throw error;
    store.rollback();
    units.reload();
    noteManifest();
    const full = error instanceof StorageFull;
    const refused = full ? diskFull() : error;
    post({ kind: 'refused', replies: [{ id, refused: refused.toRecord() }], full });
  }
  if (queue.length > 0) schedule();
}

/** Durably, so that whenever the process ends no manifest knows other counts of the seq at which the data is about to change. */
function forgetCounts(): void {
  const { state } = units.state;
  const counts = { collections: units.state.collectionsCount, points: units.state.pointsCount() };
  for (let slot = 0; slot < MANIFEST_SLOTS; slot++) {
    if (!manifest.write({ ...state, seq: state.seq - 1 }, counts)) throw new StorageFull('MANIFEST cannot be written');
  }
  manifest.sync();
}

function refuse(group: readonly WriteMessage[]): void {
  const refused = notMaster().toRecord();
  post({ kind: 'refused', replies: group.map(({ id }) => ({ id, refused })), full: false });
}

function commitGroup(group: WriteMessage[]): void {
  commit(group, (seqBefore) => {
    const replies: WriteReply[] = [];
    for (const { id, request } of group) {
      try {
        if (!isOpen() && request.operations[0]?.kind !== 'begin_history') throw notMaster();
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
function commit(group: readonly WriteMessage[], run: (seqBefore: number) => WriteReply[]): void {
  const seqBefore = units.state.state.seq;
  try {
    failpoint('commit.before_begin');
    store.begin();
    const replies = run(seqBefore);
    if (units.state.state.seq === seqBefore) {
      store.rollback();
      if (replies.length > 0) post({ kind: 'refused', replies, full: false });
      return;
    }
    conclude(replies, () => {
      failpoint('commit.before_commit');
      store.commit();
      failpoint('commit.after_commit');
    });
  } catch (error) {
    if (!(error instanceof StorageFull)) throw error;
    store.rollback();
    units.reload();
    sweepBehind = false;
    const refused = diskFull().toRecord();
    post({ kind: 'refused', replies: group.map(({ id }) => ({ id, refused })), full: true });
  }
}

function diskFull(): SkeinError {
  return new SkeinError('DiskLimitExceeded', 'The disk is full: nothing was written, reads go on', { reason: 'disk_full' });
}

/** Makes the open transaction durable, and only then known. */
function conclude(replies: readonly WriteReply[], makeDurable: () => void): void {
  const changed = units.state.flush();
  const aliases = units.state.takeAliases();
  const accessKeys = units.state.takeAccessKeys();
  const cluster = units.state.takeCluster();
  const startMs = performance.now();
  makeDurable();
  const commitMs = performance.now() - startMs;
  noteManifest();
  failpoint('commit.after_manifest');
  post({ kind: 'committed', state: { ...units.state.state }, changed, aliases, accessKeys, cluster, replies, commitMs });
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
      const { more, refused } = units.sweepExpired(nowMs());
      sweepBehind = more;
      for (const record of refused) post({ kind: 'sweep_refused', record });
    } catch (error) {
      // Damage is no reason to stop: what it keeps stays where it is and is never served, until it is mended.
      if (!(error instanceof SkeinError)) throw error;
      post({ kind: 'sweep_refused', record: error.toRecord() });
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
post({
  kind: 'opened',
  state: units.state.state,
  collections: store.collections(),
  aliases: store.aliases(),
  accessKeys: store.accessKeys(),
  cluster: { lineage: store.lineage(), voters: store.voters() },
});
