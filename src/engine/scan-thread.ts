/** The scan worker: runs large reads (filters over many points, exact searches, long pages) off the main thread.
 *  Started when first needed, ended when idle. Must not know: who asked. */

import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import { openReader } from '../storage/open-store.js';
import type { IndexWorkerData } from './index-messages.js';
import { type ReadAnswers, type ReadKind, type ReadRequest, runRead } from './reads.js';

export interface ToScan {
  readonly id: number;
  readonly request: ReadRequest;
}

export type FromScan =
  | { readonly id: number; readonly answer: ReadAnswers[ReadKind] }
  | { readonly id: number; readonly refused: ErrorRecord };

if (parentPort === null) throw new Error('scan-thread.js runs as a worker only');
const port = parentPort;
const { storePath, cacheBytes } = workerData as IndexWorkerData;
const reads = openReader(storePath, { cacheBytes });

function answer({ id, request }: ToScan): FromScan {
  try {
    return { id, answer: runRead(reads, request) };
  } catch (error) {
    if (error instanceof SkeinError) return { id, refused: error.toRecord() };
    throw error;
  }
}

port.on('message', (message: ToScan) => port.postMessage(answer(message)));
