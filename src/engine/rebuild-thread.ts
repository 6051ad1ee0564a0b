/** The maintenance worker's job of building one graph anew from the store: live labels only, saved as a checkpoint, then it ends.
 *  The owner of the collection loads the file, catches up and switches. Must not know: searches, other collections. */

import { parentPort, workerData } from 'node:worker_threads';
import { openReader } from '../storage/open-store.js';
import { createIndex } from '../vector-index/open-index.js';
import type { IndexedCollection, IndexWorkerData } from './index-messages.js';
import { IndexUpkeep } from './index-upkeep.js';

export interface RebuildData extends IndexWorkerData {
  readonly collection: IndexedCollection;
  /** One 32-bit word: not 0 once the rebuild is to be given up. */
  readonly giveUp: SharedArrayBuffer;
}

export type FromRebuild =
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'built'; readonly seq: number; readonly bytes: number };

const SLICE_MS = 50;
const PROGRESS_INTERVAL_MS = 250;

if (parentPort === null) throw new Error('rebuild-thread.js runs as a worker only');
const port = parentPort;
const { collection, storePath, cacheBytes, giveUp } = workerData as RebuildData;
const givenUp = (): boolean => Atomics.load(new Int32Array(giveUp), 0) !== 0;
const { uid, labelGeneration, spec, folder } = collection;
const reads = openReader(storePath, { cacheBytes });
const parameters = { dimension: spec.dimension, distance: spec.distance, m: spec.hnsw.m, efConstruct: spec.hnsw.efConstruct };
const goalLabel = reads.collection(uid)?.nextLabel ?? 0;
const upkeep = new IndexUpkeep(reads, uid, createIndex(parameters), 0, 0, goalLabel);

let lastMs = 0;
// What is written meanwhile is the owner's to catch up with.
for (let more = true; more && !upkeep.complete && !givenUp(); ) {
  more = upkeep.advance(SLICE_MS);
  if (performance.now() - lastMs > PROGRESS_INTERVAL_MS) {
    lastMs = performance.now();
    const done = goalLabel === 0 ? 1 : Math.min(1, upkeep.nextLabel / goalLabel);
    port.postMessage({ kind: 'progress', done } satisfies FromRebuild);
  }
}
while (!givenUp() && upkeep.index.work(SLICE_MS)) {
  // A small set grows into its graph before it is saved.
}
if (!givenUp()) {
  const bytes = await upkeep.index.save(folder, { uid, labelGeneration, seq: upkeep.seq, nextLabel: upkeep.nextLabel });
  port.postMessage({ kind: 'built', seq: upkeep.seq, bytes } satisfies FromRebuild);
}
reads.close();
