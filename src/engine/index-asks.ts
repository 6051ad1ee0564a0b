/** What may be asked of an index worker, and how it answers. Plain data only.
 *
 *  A filter is answered from the payload index of the worker. Where that knows only a superset (a field that was not declared), the answer
 *  is `narrow`: these labels may match, their rows must be read; the same question comes again with the labels that do. */

import type { FacetValue } from '../model/facet.js';
import type { Filter } from '../model/filter.js';
import type { LabelFilter } from '../model/label-filter.js';
import type { QueryVector } from '../model/point.js';
import type { SparseModifier } from '../model/vector-spec.js';
import type { FilterMatch } from '../payload-index/payload-index.js';
import type { IndexHealth } from '../vector-index/vector-index.js';

/** Which points may be answered: all, those that pass a filter, or labels that were found by reading rows. */
export interface Among {
  readonly filter: Filter | null;
  readonly labels: LabelFilter | null;
  /** With labels: those from this one on came later, and are held against the filter where the index is. */
  readonly sinceLabel?: number;
  /** With labels: how many were estimated to match. */
  readonly estimated?: number;
}

export interface VectorAsk extends Among {
  readonly kind: 'vector';
  /** Under which the vectors are stored that are searched; left out: the default ones. */
  readonly key?: string;
  readonly query: QueryVector;
  /** Of a sparse query. */
  readonly modifier?: SparseModifier | null;
  /** Candidates to answer: hits times oversampling. */
  readonly wanted: number;
  readonly ef: number;
  /** Compare with every point that may be answered, whatever the plan says. */
  readonly exact: boolean;
  /** It goes on while nothing else is asked, and the index may change meanwhile: its answer has the seq of its end. */
  readonly background?: true;
}

export type DenseAsk = VectorAsk & { readonly query: Float32Array };

export interface TextAsk extends Among {
  readonly kind: 'text';
  readonly query: string;
  readonly wanted: number;
}

/** The labels that a filter lets pass. */
export interface MatchAsk extends Among {
  readonly kind: 'match';
  /** Only those that have a dense vector under this key; left out: all. */
  readonly key?: string;
}

/** How often each value of a field occurs, as far as the payload index can tell alone. */
export interface FacetAsk {
  readonly kind: 'facet';
  readonly path: string;
  /** Null: all points are counted. */
  readonly filter: Filter | null;
  readonly limit: number;
}

/** Of the background, always. */
export interface HealthAsk {
  readonly kind: 'health';
  readonly sampleMax: number;
}

export type IndexAsk = VectorAsk | TextAsk | MatchAsk | FacetAsk | HealthAsk;
export type IndexAskKind = IndexAsk['kind'];
export type AskOf<K extends IndexAskKind> = IndexAsk & { readonly kind: K };

export type Unindexed = FilterMatch['unindexed'];

/** The filter was not answered: rows of these labels must be read. */
export interface Narrow {
  readonly narrow: LabelFilter;
  /** How many of them match, as estimated before any row is read. */
  readonly estimated: number;
  readonly unindexed: Unindexed;
  readonly seq: number;
  /** Labels from this one on were not inside yet. */
  readonly nextLabel: number;
}

export interface VectorFound {
  /** Best first, at most `wanted` and some ties more. */
  readonly labels: Uint32Array;
  readonly scores: Float64Array;
  /** The scores are those of model/distance.ts; else about those. */
  readonly exact: boolean;
  readonly plan: 'flat' | 'graph' | 'scan';
  readonly reason: string;
  /** Live points that may be answered, as estimated before and as counted. */
  readonly estimated: number;
  readonly matches: number;
  readonly visited: number;
  readonly rejected: number;
  readonly live: number;
  readonly seq: number;
  readonly steps: readonly Step[];
  /** What rows were read for here. */
  readonly unindexed: Unindexed;
}

export interface TextFound {
  readonly labels: Uint32Array;
  readonly scores: Float64Array;
  /** Documents that have a word of the query and may be answered. */
  readonly matches: number;
  readonly estimated: number;
  readonly visited: number;
  readonly rejected: number;
  readonly live: number;
  readonly seq: number;
  readonly terms: readonly { readonly term: string; readonly documents: number }[];
  readonly steps: readonly Step[];
  /** What rows were read for here. */
  readonly unindexed: Unindexed;
}

export interface Step {
  readonly name: string;
  readonly tookMs: number;
}

export interface IndexAnswers {
  vector: VectorFound | Narrow;
  text: TextFound | Narrow;
  match: { readonly labels: LabelFilter; readonly seq: number; readonly nextLabel: number } | Narrow;
  facet:
    | { readonly values: readonly FacetValue[]; readonly exact: boolean; readonly seq: number }
    /** The field has no index that counts values, the filter is not answered by indexes alone, or the index holds a unit by half. */
    | { readonly takesRows: true; readonly seq: number };
  health: { readonly health: IndexHealth | null };
}
