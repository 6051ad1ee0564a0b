/** What is said between a bench and the process that holds hnswlib-node alone. */

import type { LatencySummary } from './latencies.js';

export type RawRequest =
  | { readonly kind: 'build'; readonly count: number; readonly dimension: number }
  | { readonly kind: 'search'; readonly ef: number; readonly forMs: number }
  | { readonly kind: 'replace'; readonly count: number }
  | { readonly kind: 'remove'; readonly count: number }
  | { readonly kind: 'mixed'; readonly ef: number; readonly forMs: number }
  | { readonly kind: 'memory' };

export interface RawTimed {
  readonly kind: 'timed';
  readonly operations: number;
  readonly totalMs: number;
}
export interface RawSearched {
  readonly kind: 'searched';
  readonly perSecond: number;
  readonly latencies: LatencySummary;
  /** For each query the ids of its ten nearest. */
  readonly answers: number[][];
}
export interface RawMemory {
  readonly kind: 'memory';
  readonly rssBytes: number;
}
export type RawAnswer = RawTimed | RawSearched | RawMemory;
