/** A correction of rows from its request to the moment when all indexes show it. Must not know: where it comes from, how rows are changed. */

import { allEnded } from './all-ended.js';
import type { Correction } from './correct.js';
import type { IndexKeeper } from './index-keeper.js';
import type { WriterLink } from './writer-link.js';

export interface CorrectionsParts {
  readonly link: Pick<WriterLink, 'correct'>;
  readonly keeper: Pick<IndexKeeper, 'settle'>;
}

export class Corrections {
  readonly #parts: CorrectionsParts;
  #running = 0;

  constructor(parts: CorrectionsParts) {
    this.#parts = parts;
  }

  /** Meanwhile rows die at a seq that indexes may have passed. */
  get areRunning(): boolean {
    return this.#running > 0;
  }

  /** @param forget what was searched for may be of the state before, or of both  @throws as Engine.correct */
  async correct(correction: Correction, forget: () => void): Promise<void> {
    this.#running += 1;
    try {
      await this.#parts.link.correct(correction);
      forget();
      // An index that is lost says nothing of the others, which may still hold what has died.
      await allEnded(correction.collections.map(({ uid }) => this.#parts.keeper.settle(uid)));
    } finally {
      this.#running -= 1;
      forget();
    }
  }
}
