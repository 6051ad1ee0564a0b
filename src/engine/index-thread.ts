/** An index worker: owns the vector indexes or the text indexes of some collections, keeps them level with the store, answers questions
 *  between short slices.
 *
 *  Questions are begun as their messages arrive; long ones and upkeep go on in slices of a few milliseconds in turns, one collection after
 *  the other, rebuilds in shorter ones with pauses between. In a slice new rows come first, so that searches find them; the graph gets the
 *  rest of it. Must not know: HTTP, what is asked. */

import { parentPort, workerData } from 'node:worker_threads';
import { openReader } from '../storage/open-store.js';
import { type AskReply, AsksInTurn, type BegunAsk } from './asks-in-turn.js';
import { CONTENT_KINDS } from './content-kinds.js';
import { meetEngineFault } from './engine-fault.js';
import { givenUpIn } from './given-up.js';
import type { FromIndex, IndexReport, IndexThreadData, ToIndex } from './index-messages.js';
import { OwnedIndex } from './owned-index.js';
import { QuietCollection } from './quiet-collection.js';

const SLICE_MS = 4;
const REPORT_INTERVAL_MS = 100;
const BEAT_MS = 500;

if (parentPort === null) throw new Error('index-thread.js runs as a worker only');
const port = parentPort;
const data = workerData as IndexThreadData;
const kind = CONTENT_KINDS[data.engine];
const reads = openReader(data.storePath, { cacheBytes: data.cacheBytes });
const owned = new Map<number, OwnedIndex>();
const due = new Set<number>();
/** Collections with work for later. */
const timers = new Map<number, NodeJS.Timeout>();
const lastReports = new Map<number, { report: IndexReport; atMs: number }>();
/** What was asked for and goes on beside other messages: openings, checkpoints. */
const pending = new Set<Promise<void>>();
/** Indexes that are taken away, by collection. */
const closing = new Map<number, Promise<void>>();
/** Questions to collections that are not level yet. */
const held = new Map<number, (ToIndex & { kind: 'ask' })[]>();
const asks = new AsksInTurn();
const isGivenUp = givenUpIn(data.givenUp);
const garbage = new QuietCollection();
let scheduled = false;
let stopping = false;

function post(message: FromIndex): void {
  port.postMessage(message);
}

function note(event: string, fields: Readonly<Record<string, unknown>>): void {
  post({ kind: 'note', event, fields });
}

function schedule(): void {
  if (scheduled || stopping) return;
  scheduled = true;
  setImmediate(turn);
}

function turn(): void {
  scheduled = false;
  if (stopping) return;
  asks.advance(SLICE_MS);
  for (const uid of due) {
    due.delete(uid);
    const index = owned.get(uid);
    if (index === undefined) continue;
    const nextMs = index.advance(SLICE_MS);
    garbage.worked();
    report(index);
    if (held.has(uid) && index.ready && !index.starved) release(uid);
    if (nextMs === 0) due.add(uid);
    else later(uid, nextMs);
    break;
  }
  if (due.size > 0 || asks.waiting > 0) schedule();
}

/** @param delayMs null: not before the next change */
function later(uid: number, delayMs: number | null): void {
  clearTimeout(timers.get(uid));
  timers.delete(uid);
  if (delayMs === null) return;
  const wake = (): void => {
    timers.delete(uid);
    due.add(uid);
    schedule();
  };
  timers.set(uid, setTimeout(wake, delayMs));
}

/** Tells the main thread where an index stands: at once when it is level or what it does has changed, else now and then. */
function report(index: OwnedIndex): void {
  const current = index.report();
  const last = lastReports.get(current.uid);
  const nowMs = performance.now();
  if (last !== undefined && !turned(last.report, current)) {
    const aged = nowMs - last.atMs >= REPORT_INTERVAL_MS;
    if (!moved(last.report, current, index.level, aged)) return;
  }
  lastReports.set(current.uid, { report: current, atMs: nowMs });
  post({ kind: 'report', report: current, opening: index.opening });
}

function turned(last: IndexReport, current: IndexReport): boolean {
  const { kind, growing, rebuilds } = current.status;
  const was = last.status;
  if (last.configurations !== current.configurations || last.damaged !== current.damaged) return true;
  if (last.nextProgress < 1 !== current.nextProgress < 1 || was.payloadProgress < 1 !== current.status.payloadProgress < 1)
    return true;
  return last.phase !== current.phase || was.kind !== kind || was.rebuilds !== rebuilds || was.growing > 0 !== growing > 0;
}

function moved(last: IndexReport, current: IndexReport, level: boolean, aged: boolean): boolean {
  // A correction of rows gives labels and no seq.
  if (last.seq !== current.seq || last.nextLabel !== current.nextLabel) return level || aged;
  if (aged && (last.nextProgress !== current.nextProgress || last.status.payloadProgress !== current.status.payloadProgress))
    return true;
  const { tombstones, growing, waiting } = current.status;
  const was = last.status;
  // The last one that waited has its place: whoever waits for room hears of it at once.
  if (waiting === 0 && was.waiting > 0) return true;
  return aged && (!level || was.tombstones !== tombstones || was.growing !== growing || was.waiting !== waiting);
}

async function take(message: ToIndex): Promise<void> {
  switch (message.kind) {
    case 'open': {
      const { collection, opening } = message;
      const index = new OwnedIndex(reads, kind, collection, opening, note);
      owned.set(collection.uid, index);
      // An index that was here before takes its files with it.
      await closing.get(collection.uid);
      await index.open();
      due.add(collection.uid);
      return schedule();
    }
    case 'close': {
      const index = owned.get(message.uid);
      owned.delete(message.uid);
      release(message.uid);
      later(message.uid, null);
      lastReports.delete(message.uid);
      return index === undefined ? undefined : discard(message.uid, index);
    }
    case 'advance':
      for (const uid of message.uids) if (owned.has(uid)) due.add(uid);
      return schedule();
    case 'ask':
      return ask(message);
    case 'configure':
      owned.get(message.collection.uid)?.configure(message.collection);
      due.add(message.collection.uid);
      return schedule();
    case 'checkpoint': {
      const index = owned.get(message.uid);
      if (index === undefined) return;
      const saving = index.save();
      const tell = (): void => post({ kind: 'report', report: index.report(), opening: index.opening });
      tell();
      await saving;
      tell();
      due.add(message.uid);
      return schedule();
    }
    case 'renew':
      await owned.get(message.uid)?.renew();
      due.add(message.uid);
      return schedule();
    case 'relieve':
      for (const index of owned.values()) index.relieve();
      return;
    case 'settle': {
      const settled = (): void => post({ kind: 'settled', id: message.id });
      const index = owned.get(message.uid);
      if (index === undefined) return settled();
      index.settle(settled);
      due.add(message.uid);
      return schedule();
    }
    case 'stop': {
      stopping = true;
      post({ kind: 'stopping' });
      for (const uid of owned.keys()) later(uid, null);
      // They read the store, which is closed below.
      await Promise.all(pending);
      for (const index of owned.values()) await index.saveAtShutdown();
      reads.close();
      post({ kind: 'stopped' });
      port.close();
    }
  }
}

async function discard(uid: number, index: OwnedIndex): Promise<void> {
  const ended = Promise.resolve(closing.get(uid)).then(() => index.discard());
  closing.set(uid, ended);
  await ended;
  if (closing.get(uid) === ended) closing.delete(uid);
}

/** A question waits while the index is not level yet, or was kept from its upkeep for too long. */
function ask(message: ToIndex & { kind: 'ask' }): void {
  const { id, uid, untilMs } = message;
  const index = owned.get(uid);
  if (index === undefined) return post({ kind: 'refused', id, error: null, workMs: 0 });
  if (!index.ready || index.starved) {
    held.set(uid, [...(held.get(uid) ?? []), message]);
    return;
  }
  const fails = meetEngineFault(kind.engine);
  const begin = (): BegunAsk => {
    if (fails) throw new Error(`a test made the ${kind.engine} index fail`);
    return index.ask(message.ask);
  };
  const reply: AskReply = {
    answer: (answer, workMs) => {
      // Whoever gets the answer must know first that rows were passed over for it.
      if (index.damaged !== (lastReports.get(uid)?.report.damaged ?? 0)) report(index);
      post({ kind: 'answer', id, answer, workMs });
    },
    refuse: (error, workMs) => post({ kind: 'refused', id, error, workMs }),
  };
  asks.begin(begin, reply, { untilMs, isGivenUp: () => isGivenUp(id) });
  if (asks.waiting > 0) schedule();
}

function release(uid: number): void {
  const messages = held.get(uid) ?? [];
  held.delete(uid);
  for (const message of messages) ask(message);
}

setInterval(() => post({ kind: 'beat' }), BEAT_MS).unref();

port.on('message', (message: ToIndex) => {
  const work = take(message);
  pending.add(work);
  work
    .finally(() => pending.delete(work))
    .catch((error: unknown) => {
      // An index that cannot be kept level must not serve: the thread ends, and the main thread decides.
      queueMicrotask(() => {
        throw error;
      });
    });
});
