/** What a question is asked in: the store as this worker reads it, the collection, where the index stands, what searching costs here.
 *  Must not know: the question. */

import type { SearchCosts, SearchObservation } from '../search/costs.js';
import type { StoreReads } from '../storage/storage.js';
import type { IndexedCollection } from './index-messages.js';

export interface RunSurroundings {
  readonly reads: StoreReads;
  readonly collection: IndexedCollection;
  /** Of the index; it stands still while the question is answered. */
  readonly seq: number;
  /** Labels from this one on are not inside yet. */
  readonly nextLabel: number;
  /** Is what is inside a state that the store had? Else it may hold a part of a unit that is beyond `seq`. */
  readonly level: boolean;
  readonly costs: SearchCosts;
  learn(seen: SearchObservation): void;
}
