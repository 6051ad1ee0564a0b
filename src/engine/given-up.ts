/** Work that nobody waits for any more: how whoever asked for it tells the thread that does it, while it does it.
 *
 *    asker   board.note(id) ──► shared cells ──► worker: given up? before it begins, between slices, before each page of rows
 *
 *  A message would wait behind the work that it is about. A cell may be taken by a later id, and then the earlier work is done in vain, which
 *  is all that can happen. Must not know: what the work is. */

import type { Cancellation } from '../model/cancellation.js';
import { SkeinError } from '../model/errors.js';
import type { StoreReads } from '../storage/storage.js';

const CELLS = 4_096;

export class GivenUpBoard {
  readonly shared = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT);
  readonly #cells = new Int32Array(this.shared);

  note(id: number): void {
    Atomics.store(this.#cells, id % CELLS, id | 0);
  }

  /** When it is cancelled, notes `id` and rejects with Timeout (abandoned). @returns ends the listening, which must be done when it is over */
  watch(id: number, cancellation: Cancellation | undefined, reject: (reason: SkeinError) => void): () => void {
    if (cancellation === undefined) return () => {};
    return cancellation.onCancel(() => {
      this.note(id);
      reject(abandoned());
    });
  }
}

/** The worker's side. */
export function givenUpIn(shared: SharedArrayBuffer): (id: number) => boolean {
  const cells = new Int32Array(shared);
  return (id) => Atomics.load(cells, id % CELLS) === (id | 0);
}

/** Nobody hears of it: the request was answered with a Timeout of its own, or its caller has gone. */
export function abandoned(): SkeinError {
  return new SkeinError('Timeout', 'Nobody waits for the answer any more', { abandoned: true });
}

export function isAbandoned(error: unknown): boolean {
  return error instanceof SkeinError && error.details['abandoned'] === true;
}

/** The same store; every read asks first whether it is still wanted. For one request. @param check throws when it is not */
export function wantedReads(reads: StoreReads, check: () => void): StoreReads {
  const checked =
    <Arguments extends unknown[], Answer>(read: (...given: Arguments) => Answer) =>
    (...given: Arguments): Answer => {
      check();
      return read(...given);
    };
  return {
    ...reads,
    pointById: checked(reads.pointById),
    headById: checked(reads.headById),
    pointByLabel: checked(reads.pointByLabel),
    headByLabel: checked(reads.headByLabel),
    headsAfter: checked(reads.headsAfter),
    pointsAfter: checked(reads.pointsAfter),
    pointsFrom: checked(reads.pointsFrom),
    labelsFrom: checked(reads.labelsFrom),
    vectorSet: checked(reads.vectorSet),
  };
}
