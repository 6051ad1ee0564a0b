/** What an engine tells of its work as it ends, for whoever measures it. Plain data; told on the main thread.
 *  Must not know: who listens. */

import type { OperationResult } from '../model/operation.js';

export type EngineWork =
  /** A transaction became durable; so many requests shared it. */
  | { readonly kind: 'commit'; readonly tookMs: number; readonly units: number }
  /** Rows were read from the store, or could not be; waiting for the scan thread counts. `read` is one of the few kinds of reads. */
  | { readonly kind: 'read'; readonly read: string; readonly tookMs: number }
  /** A request of this node was written. */
  | { readonly kind: 'written'; readonly results: readonly OperationResult[] };

/** Of the database's write-ahead log, since the start. */
export interface WalCheckpoints {
  readonly count: number;
  readonly totalMs: number;
  readonly lastMs: number;
}
