/** How the rankings of the vector index and the text index become one (src/search/fusion.ts). */

export const FUSION_METHODS = ['rrf', 'weighted', 'dbsf'] as const;

export interface Fusion {
  readonly method: (typeof FUSION_METHODS)[number];
  /** Of reciprocal rank fusion: the larger, the less the first ranks stand out. */
  readonly rrfK: number;
  /** What each side counts, ≥ 0. */
  readonly weights: { readonly vector: number; readonly text: number };
}

export const DEFAULT_FUSION: Fusion = { method: 'rrf', rrfK: 60, weights: { vector: 1, text: 1 } };
