/** Collects a thread's garbage once after work, when the thread has been quiet for a while.
 *
 *  What a burst of writes leaves is little to V8, which counts heaps, and much to the machine: request bodies and rows are bytes outside the
 *  heap, kept by small objects that nothing presses it to look at. Cost: one full collection of a small heap, some milliseconds, at a
 *  moment when nobody writes, and only when there is much to gain. Source: Node's documentation of v8.setFlagsFromString and --expose-gc. Must not know: what the work is. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const QUIET_MS = 5_000;
/** Bytes outside the heap that are worth a collection. */
const OUTSIDE_BYTES_MIN = 8 * 1024 * 1024;

export class QuietCollection {
  readonly #collect: () => void;
  readonly #timer: NodeJS.Timeout;
  #worked = false;
  #due = false;

  /** @param collect this thread's collector unless a test has another */
  constructor(quietMs = QUIET_MS, collect = threadCollector()) {
    this.#collect = collect;
    this.#timer = setInterval(() => this.#look(), quietMs).unref();
  }

  /** Something was done that may leave garbage. */
  worked(): void {
    this.#worked = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const quiet = !this.#worked;
    if (quiet && this.#due) this.#collect();
    this.#due = !quiet;
    this.#worked = false;
  }
}

function threadCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    if (process.memoryUsage().external >= OUTSIDE_BYTES_MIN) collect();
  };
}
