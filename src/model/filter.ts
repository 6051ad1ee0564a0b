/** Filters: their grammar as types, and what lies within bounds. Parsing is in wire/filter.ts, plain evaluation in search/evaluate-filter.ts.
 *  Keys are dotted paths; arrays match when any element does. Meaning: docs/HTTP_API.md, "Filters". */

import type { PointId } from './point.js';

export interface Filter {
  readonly must?: readonly Condition[];
  readonly should?: readonly Condition[];
  readonly mustNot?: readonly Condition[];
  readonly minShould?: { readonly conditions: readonly Condition[]; readonly minCount: number };
}

export type MatchValue = string | number | boolean;
/** Numbers, or instants as milliseconds when `time` is true. */
export interface RangeBounds {
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

export function within(value: number, { gt, gte, lt, lte }: RangeBounds): boolean {
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  );
}

export type Condition =
  | { readonly kind: 'filter'; readonly filter: Filter }
  | { readonly kind: 'match_value'; readonly key: string; readonly value: MatchValue }
  | { readonly kind: 'match_any'; readonly key: string; readonly values: readonly MatchValue[] }
  | { readonly kind: 'match_except'; readonly key: string; readonly values: readonly MatchValue[] }
  | { readonly kind: 'match_text'; readonly key: string; readonly text: string }
  | { readonly kind: 'range'; readonly key: string; readonly time: boolean; readonly bounds: RangeBounds }
  | { readonly kind: 'geo_radius'; readonly key: string; readonly lat: number; readonly lon: number; readonly radiusM: number }
  | {
      readonly kind: 'geo_box';
      readonly key: string;
      readonly top: number;
      readonly left: number;
      readonly bottom: number;
      readonly right: number;
    }
  | { readonly kind: 'exists'; readonly key: string; readonly exists: boolean }
  | { readonly kind: 'is_null'; readonly key: string; readonly isNull: boolean }
  | { readonly kind: 'values_count'; readonly key: string; readonly bounds: RangeBounds }
  | { readonly kind: 'nested'; readonly key: string; readonly filter: Filter }
  | { readonly kind: 'has_id'; readonly ids: readonly PointId[] };
