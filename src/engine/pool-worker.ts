/** A worker of an index pool as the main thread sees it: its thread, what it owns, when it last said something.
 *  Must not know: messages. */

import type { Worker } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import type { EngineKind, IndexedCollection } from './index-messages.js';

/** Once may be because the main thread stood still itself, and has not read what was said. */
const SILENCES_MAX = 1;

export interface PoolWorker {
  readonly number: number;
  thread: Worker;
  ended: Promise<void>;
  /** Collections it owns. */
  readonly owned: Map<number, IndexedCollection>;
  /** Monotonic times of its newest deaths. */
  deathsMs: readonly number[];
  /** It has heard that it must end. */
  stopping: boolean;
  /** When it last said something. */
  heardMs: number;
  /** How often in a row listen() found it silent. */
  silences: number;
}

export function isStalled({ silences }: PoolWorker): boolean {
  return silences > SILENCES_MAX;
}

export function tooLate(engine: EngineKind, timeoutMs: number, stalled: boolean): SkeinError {
  return new SkeinError('Timeout', `The ${engine} index did not answer within ${timeoutMs} ms`, {
    engine,
    timeout_ms: timeoutMs,
    ...(stalled ? { stalled } : {}),
  });
}
