/** What an engine says of its searching for /metrics and /health/detailed: plain data, taken at once. Must not know: who shows it, how a
 *  search is answered. */

import type { FilterClass } from '../model/recall.js';
import type { BreakerState } from '../resilience/circuit-breaker.js';
import type { IndexHealth } from '../vector-index/vector-index.js';
import type { FallbackStatus } from './fallback.js';

/** What answered a search. */
export type SearchMode = 'hybrid' | 'text' | 'vector' | 'exact';

/** A search that came to its end. */
export interface EndedSearch {
  /** What it asked for. */
  readonly mode: SearchMode;
  readonly tookMs: number;
  /** What answered, when that is less than was asked for. */
  readonly degradedTo: SearchMode | null;
  /** The type of its error, or null. */
  readonly error: string | null;
}

export interface RecallWatchSettings {
  /** Of all vector searches, 0 … 1. */
  readonly share: number;
  /** Milliseconds of worker time a second. */
  readonly msPerS: number;
}

/** What is looked after beside the work. */
export interface WatchSettings {
  readonly recall: RecallWatchSettings;
  /** How often each graph is looked at, in milliseconds; 0: never. */
  readonly indexHealthIntervalMs: number;
}

export interface QueryCacheStatus {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}

/** One of the two kinds of indexes, with all its workers. */
export interface SearchEngineStatus {
  readonly breaker: BreakerState;
  /** Questions that failed, in a row up to now. */
  readonly failures: number;
  /** The same since the start. */
  readonly failuresTotal: number;
  /** Workers that were started again after they died. */
  readonly restarts: number;
  /** Workers that have said nothing for seconds. */
  readonly stalled: number;
  /** Collections that have such an index. */
  readonly collections: number;
  /** Of those, how many answer nothing yet: built for points that were there before, or loaded after a failure. */
  readonly loading: number;
  /** What the newest answer took, in milliseconds; null before the first. */
  readonly latencyMs: number | null;
}

/** Of one kind of searches in one collection. */
export interface RecallFigure {
  /** Null: of all collections that have no figures of their own. */
  readonly collection: string | null;
  readonly filterClass: FilterClass;
  /** Mean of about the newest 1,000 checks, 0 … 1. */
  readonly recall: number;
  readonly checks: number;
}

export interface ShortfallFigure {
  readonly collection: string | null;
  /** Searches that gave fewer hits than there are. */
  readonly count: number;
}

/** What repeating live searches exactly has shown since the start. */
export interface RecallStatus {
  readonly figures: readonly RecallFigure[];
  readonly shortfalls: readonly ShortfallFigure[];
  /** Checks that were not made, for want of time. */
  readonly skipped: number;
  /** Checks that say nothing, because the index moved meanwhile. */
  readonly discarded: number;
}

/** What a look at a graph found, and when. */
export interface IndexLook extends IndexHealth {
  /** Milliseconds since 1970. */
  readonly checkedAtMs: number;
}

/** How worn a graph is. */
export interface GraphFigure {
  /** Null: the worst of all collections that have no figures of their own. */
  readonly collection: string | null;
  /** Share of its places that stand for no point any more. */
  readonly tombstoneRatio: number;
  /** Share of a sample that was not found; null before the first look. */
  readonly unreachableRatio: number | null;
}

export interface SearchStatus {
  readonly vector: SearchEngineStatus;
  readonly text: SearchEngineStatus;
  readonly fallback: FallbackStatus;
  readonly recall: RecallStatus;
  readonly graphs: readonly GraphFigure[];
}
