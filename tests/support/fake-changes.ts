/** A change feed that gives the pages it is told to give: for what happens around a feed while it runs. What a feed holds is the real engine's to prove. */

import type { ChangeLog, ChangePage, ChangeSelection, ChangeStart } from '../../src/engine/engine.js';
import type { Cancellation } from '../../src/model/cancellation.js';
import { type ChangePlace, placeAt } from '../../src/model/change-place.js';
import { SkeinError } from '../../src/model/errors.js';
import { waitUntil } from './wait-until.js';

/** Looks that find nothing new, one after the other. */
const STILL_LOOKS = 6;

export class FakeChanges implements ChangeLog {
  /** What the next calls give or throw, one each; behind them every call waits. */
  readonly pages: (ChangePage | Error)[] = [];
  /** How each feed began. */
  readonly begun: { readonly start: ChangeStart; readonly selection: ChangeSelection }[] = [];
  /** Calls for a page. */
  asked = 0;

  begin(start: ChangeStart, selection: ChangeSelection): Promise<ChangePage> {
    this.begun.push({ start, selection });
    return Promise.resolve({ changes: [], place: placeAt({ historyId: 'ab'.repeat(16), epoch: 1, seq: 0 }) });
  }

  /** The feed waits for its reader: no page is asked for any more. @returns how many were */
  async untilStill(): Promise<number> {
    let asked = 0;
    let looksAlike = 0;
    const isStill = (): boolean => {
      looksAlike = asked > 0 && asked === this.asked ? looksAlike + 1 : 0;
      asked = this.asked;
      return looksAlike === STILL_LOOKS;
    };
    await waitUntil(isStill, { what: 'the feed waits for its reader' });
    return asked;
  }

  next(place: ChangePlace, _selection: ChangeSelection, waitMs: number, cancellation?: Cancellation): Promise<ChangePage> {
    this.asked += 1;
    const page = this.pages.shift();
    if (page instanceof Error) return Promise.reject(page);
    if (page !== undefined) return Promise.resolve(page);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve({ changes: [], place }), waitMs);
      cancellation?.onCancel(() => {
        clearTimeout(timer);
        reject(new SkeinError('Timeout', 'cancelled'));
      });
    });
  }
}
