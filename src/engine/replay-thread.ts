/** The thread of one replay: applies stretches of a log to a store that nobody serves, by the code that replicas use, up to a target.
 *
 *    batches ─► checked against the chain ─► whole units up to the target, 8 MiB a transaction, digest compared behind each ─► finish
 *
 *  Invariant: nothing beyond the target is applied, and the store stands at the end of a unit after every answer.
 *  Must not know: where the batches come from, what the store is for. */

import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { armTestHooks } from '../model/test-hooks.js';
import { asDiskError } from '../storage/durable-files.js';
import { openWriter } from '../storage/open-store.js';
import { StorageFull } from '../storage/storage.js';
import type { EntryBatch } from './engine.js';
import { ApplyRefused, type CheckedEntry, EntryIntake } from './entry-intake.js';
import type { FromReplay, ReplayEnding, ReplayState, ReplayThreadData, ToReplay } from './replay-messages.js';
import { UnitWriter } from './unit-writer.js';

const SESSION = 1;

if (parentPort === null) throw new Error('replay-thread.js runs as a worker only');
const port = parentPort;
const data = workerData as ReplayThreadData;
armTestHooks(process.env, () => process.kill(process.pid, 'SIGKILL'));
const store = openWriter(data.databasePath, { cacheBytes: data.cacheBytes });
const units = new UnitWriter(store, data.limits);
const intake = new EntryIntake();
intake.begin(SESSION);
let { timeMs } = data;
let reached = isBeyond(store.state().seq + 1, null);

function post(message: FromReplay): void {
  port.postMessage(message);
}

function shownState(): ReplayState {
  return { state: { ...units.state.state }, timeMs, reached };
}

/** Is a unit that ends here one that the target does not want? */
function isBeyond(unitEndSeq: number, unitTimeMs: number | null): boolean {
  const { seq, timeMs: byMs } = data.target;
  if (seq !== null && unitEndSeq > seq) return true;
  return byMs !== null && unitTimeMs !== null && unitTimeMs > byMs;
}

function take(batch: EntryBatch): void {
  if (reached) return;
  intake.take(SESSION, batch);
  while (intake.hasWork && !reached) {
    const group = intake.group(units.state.state);
    const wanted = upToTarget(group);
    if (wanted.length > 0) apply(wanted);
    intake.done();
    reached ||= wanted.length < group.length;
  }
}

/** Whole units, until the first that lies behind the target: what a clock that was set back wrote later stays behind it as well. */
function upToTarget(group: readonly CheckedEntry[]): readonly CheckedEntry[] {
  let whole = 0;
  for (const [i, { entry }] of group.entries()) {
    if (!entry.last) continue;
    if (isBeyond(entry.seq, entry.timeMs)) break;
    whole = i + 1;
  }
  return group.slice(0, whole);
}

function apply(group: readonly CheckedEntry[]): void {
  store.begin();
  units.follow(group);
  units.state.flush();
  store.commit();
  units.state.takeAliases();
  units.state.takeCluster();
  units.state.takeAccessKeys();
  store.checkpointWal(FIXED.walBytesCap);
  timeMs = group.at(-1)?.entry.timeMs ?? timeMs;
  const { seq } = units.state.state;
  if (data.target.seq !== null && seq >= data.target.seq) reached = true;
}

/** The store becomes what it is to be from now on: another node's, perhaps another cluster's, at the beginning of a history. */
function finish(ending: ReplayEnding | null): void {
  const before = shownState();
  if (ending !== null) {
    const { clusterId, nodeId, historyId, epoch, carried } = ending;
    store.begin();
    store.writeState({ ...units.state.state, clusterId, nodeId });
    store.commit();
    units.reload();
    store.begin();
    const time = Math.max(Date.now(), timeMs ?? 0);
    units.run({ operations: [{ kind: 'begin_history', historyId, epoch, nodeId }] }, time, true);
    units.run({ operations: [{ kind: 'carry_over', ...carried }] }, time);
    units.state.flush();
    store.commit();
  }
  store.close();
  post({ kind: 'state', state: { ...before, ...(ending !== null && { state: { ...units.state.state } }) } });
  port.close();
}

port.on('message', (message: ToReplay) => {
  try {
    if (message.kind === 'finish') return finish(message.ending);
    take(message.batch);
    post({ kind: 'state', state: shownState() });
  } catch (thrown) {
    if (thrown instanceof ApplyRefused) post({ kind: 'refused', failure: thrown.failure });
    else {
      const error = asDiskError(thrown);
      post({ kind: 'failed', full: error instanceof StorageFull, message: messageOf(error) });
    }
    port.close();
  }
});
post({ kind: 'state', state: shownState() });
