/** The scan worker: runs large reads (filters over many points, exact searches, long pages) off the main thread.
 *  Started when first needed, ended when idle. Must not know: who asked. */

import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import { openReader } from '../storage/open-store.js';
import type { FoundPoint } from './engine.js';
import { abandoned, givenUpIn, wantedReads } from './given-up.js';
import type { IndexWorkerData } from './index-messages.js';
import { MOVE_BYTES_MIN } from './operation-size.js';
import { type ReadAnswers, type ReadKind, type ReadRequest, runRead } from './reads.js';

/** With the board of given-up.ts, for the reads of this lane. */
export type ScanThreadData = IndexWorkerData & { readonly givenUp: SharedArrayBuffer };

export interface ToScan {
  readonly id: number;
  readonly request: ReadRequest;
  /** Date.now() from which on nobody waits for the answer. */
  readonly untilMs: number;
}

/** workMs: what it took without waiting. */
export type FromScan =
  | { readonly id: number; readonly answer: ReadAnswers[ReadKind]; readonly workMs: number }
  | { readonly id: number; readonly refused: ErrorRecord; readonly workMs: number };

if (parentPort === null) throw new Error('scan-thread.js runs as a worker only');
const port = parentPort;
const { storePath, cacheBytes, givenUp } = workerData as ScanThreadData;
const reads = openReader(storePath, { cacheBytes });
const isGivenUp = givenUpIn(givenUp);

function answer({ id, request, untilMs }: ToScan): FromScan {
  const startMs = performance.now();
  const workMs = (): number => performance.now() - startMs;
  try {
    const check = (): void => {
      if (isGivenUp(id)) throw abandoned();
      if (Date.now() >= untilMs) throw new SkeinError('Timeout', 'There was no time left to read the rows', {});
    };
    check();
    return { id, answer: runRead(wantedReads(reads, check), request), workMs: workMs() };
  } catch (error) {
    if (error instanceof SkeinError) return { id, refused: error.toRecord(), workMs: workMs() };
    throw error;
  }
}

/** Large payloads and vectors are moved, not copied: what a read of the store returns belongs to it alone. */
function moved(message: FromScan): ArrayBuffer[] {
  const found: readonly FoundPoint[] = 'refused' in message ? [] : pointsOf(message.answer);
  const buffers = new Set<ArrayBuffer>();
  if ('answer' in message && 'ends' in message.answer) buffers.add(message.answer.bytes.buffer as ArrayBuffer);
  for (const { payload, vector } of found) {
    for (const part of [payload, vector]) {
      if (part !== null && part.byteLength >= MOVE_BYTES_MIN) buffers.add(part.buffer as ArrayBuffer);
    }
  }
  return [...buffers];
}

function pointsOf(answer: ReadAnswers[ReadKind]): readonly FoundPoint[] {
  if ('points' in answer) return answer.points;
  if ('groups' in answer) return answer.groups.flatMap(({ hits }) => hits);
  return 'hits' in answer ? answer.hits : [];
}

port.on('message', (message: ToScan) => {
  const reply = answer(message);
  port.postMessage(reply, moved(reply));
});
