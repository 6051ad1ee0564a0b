/** Starts a worker thread of the engine, with a small young generation: what these threads hold is bytes outside the heap, and a large
 *  nursery would only stay resident after a burst. (V8's default is 48 MB for each thread.) */

import { Worker } from 'node:worker_threads';
import { threadArguments } from '../resilience/thread-arguments.js';

const YOUNG_GENERATION_MB = 6;

/** @param file beside this one, compiled  @param workerData plain data */
export function startThread(file: string, name: string, workerData: unknown): Worker {
  return new Worker(new URL(`./${file}`, import.meta.url), {
    workerData,
    name,
    ...threadArguments(process.execArgv),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}
