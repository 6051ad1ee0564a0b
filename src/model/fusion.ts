/** Fusion: how the hits of the vector engine and of the text engine become one list. What it computes stands in src/search/fusion.ts. */

export const FUSION_METHODS = ['rrf', 'weighted', 'dbsf'] as const;

export interface Fusion {
  /** rrf: by ranks alone. weighted: by scores, brought to 0 … 1. dbsf: by scores, brought to their own spread. */
  readonly method: (typeof FUSION_METHODS)[number];
  /** The constant that is added to ranks (rrf only): the larger, the less the first places stand out. */
  readonly rrfK: number;
  /** Shares of the two engines, ≥ 0 and not both 0; only their ratio counts. */
  readonly weights: { readonly vector: number; readonly text: number };
}

export const DEFAULT_FUSION: Fusion = { method: 'rrf', rrfK: 60, weights: { vector: 1, text: 1 } };
