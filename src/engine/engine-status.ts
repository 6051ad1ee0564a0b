/** How an engine is, as plain data: what metrics and health print. Must not know: who prints it. */

import type { Position } from '../model/position.js';
import type { WalCheckpoints } from './engine-work.js';
import type { QueryCacheStatus, SearchStatus } from './search-status.js';

/** Numbers for /metrics and /health, plain data, taken at once. */
export interface EngineStatus {
  readonly position: Position;
  readonly indexedSeq: number;
  readonly collections: number;
  readonly points: number;
  readonly writeQueue: { readonly requests: number; readonly bytes: number };
  readonly commits: { readonly count: number; readonly units: number; readonly lastMs: number };
  readonly index: {
    readonly building: number;
    /** Durable and not yet found by searches. */
    readonly lagBytes: number;
    /** Found by searches, and without a place in its graph yet. */
    readonly waitingBytes: number;
    readonly searchesWaiting: number;
    /** How many questions may wait for an index worker at the moment; fewer than the limit while their waits are too long. */
    readonly searchesMax: number;
    readonly rebuilds: number;
    /** Versions of points that the indexes of an engine took in. */
    readonly taken: Readonly<Record<'vector' | 'text', number>>;
  };
  readonly search: SearchStatus;
  readonly log: { readonly minSeq: number; readonly bytes: number };
  readonly storage: {
    readonly databaseBytes: number;
    readonly walBytes: number;
    readonly walCheckpoints: WalCheckpoints;
    readonly diskFreeBytes: number;
    /** 0 before the first look. */
    readonly diskTotalBytes: number;
    /** Writes are refused for want of room. */
    readonly full: boolean;
    /** Writes are refused because the data folder cannot be written. */
    readonly readOnly: boolean;
  };
  readonly queryCache: QueryCacheStatus;
  readonly nativeBuild: string;
}
