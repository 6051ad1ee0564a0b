/** Recall on demand as it is asked for and answered. Plain data. Must not know: how it is measured. */

import type { Filter } from '../model/filter.js';
import type { Position } from '../model/position.js';
import type { FilterClass } from '../model/recall.js';

export interface RecallRequest {
  /** Points to search for, at most. */
  readonly sample: number;
  /** Hits of each. */
  readonly limit: number;
  readonly efSearch?: number;
  readonly filter?: Filter;
  /** Name of the vectors that are searched; left out: the default ones. */
  readonly using?: string;
  readonly timeoutMs?: number;
}

export interface RecallAnswer {
  /** Mean over the points that were searched for; null when there were none. */
  readonly recall: number | null;
  readonly sampled: number;
  readonly limit: number;
  readonly efSearch: number;
  /** The least of one point. */
  readonly worst: number | null;
  readonly tookMs: number;
  readonly position: Position;
  /** Only with a filter. */
  readonly byFilterClass?: readonly { readonly filterClass: FilterClass; readonly recall: number; readonly sampled: number }[];
}
