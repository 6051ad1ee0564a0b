/** One rebuild at a time, in a worker that lives as long as the rebuild: started, watched, abandoned when its collection goes.
 *  A rebuild that fails (a full disk, a drop) costs nothing but its time: the serving graph stays. */

import type { Log } from '../model/log.js';
import type { IndexedCollection, IndexWorkerData } from './index-messages.js';
import type { FromRebuild, RebuildData } from './rebuild-thread.js';
import { startThread } from './start-thread.js';

const RETRY_AFTER_FAILURE_MS = 30_000;

export class Rebuilder {
  readonly #data: IndexWorkerData;
  readonly #log: Log;
  readonly #built: (uid: number) => void;
  #running: { readonly uid: number; readonly ended: Promise<void>; readonly giveUp: Int32Array; done: number } | null = null;
  #count = 0;
  #blockedUntilMs = 0;

  constructor(data: IndexWorkerData, log: Log, built: (uid: number) => void) {
    this.#data = data;
    this.#log = log;
    this.#built = built;
  }

  /** Rebuilds finished since the start. */
  get count(): number {
    return this.#count;
  }

  get idle(): boolean {
    return this.#running === null && performance.now() >= this.#blockedUntilMs;
  }

  /** 0 … 1 while this collection is being rebuilt, else null. */
  progress(uid: number): number | null {
    return this.#running?.uid === uid ? this.#running.done : null;
  }

  start(collection: IndexedCollection): void {
    const { uid } = collection;
    const giveUp = new SharedArrayBuffer(4);
    const workerData: RebuildData = { ...this.#data, collection, giveUp };
    const worker = startThread('rebuild-thread.js', 'skein-rebuild', workerData);
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const running = { uid, ended, giveUp: new Int32Array(giveUp), done: 0 };
    let built = false;
    this.#running = running;
    this.#log.info('index_rebuild_started', { uid });
    worker.on('message', (message: FromRebuild) => {
      if (message.kind === 'progress') running.done = message.done;
      else built = true;
    });
    worker.on('error', (error) => this.#log.warn('index_rebuild_failed', { uid, reason: error.message }));
    worker.on('exit', () => {
      this.#running = null;
      if (Atomics.load(running.giveUp, 0) !== 0) return;
      if (built) {
        this.#count += 1;
        this.#built(uid);
      } else {
        this.#blockedUntilMs = performance.now() + RETRY_AFTER_FAILURE_MS;
      }
    });
  }

  /** The collection was dropped, or the node stops. Resolves when the worker has ended; until then no other one is started. */
  async abandon(uid?: number): Promise<void> {
    const running = this.#running;
    if (running === null || (uid !== undefined && running.uid !== uid)) return;
    // Never terminated: the native writer would end the process with the thread. A save that runs is waited for.
    Atomics.store(running.giveUp, 0, 1);
    await running.ended;
  }
}
