/** Filters: their grammar as types, and what lies within bounds. Parsing is in wire/filter.ts, plain evaluation in search/evaluate-filter.ts.
 *  Keys are dotted paths; arrays match when any element does. Meaning: docs/HTTP_API.md, "Filters". */

import type { PathStep } from './path-step.js';
import type { Place } from './place.js';
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

/** Where a condition looks. */
export interface AtKey {
  /** Dotted; crosses arrays of objects. Where `steps` say the way exactly: their names with dots between them. */
  readonly key: string;
  /** The way step by step: an array is crossed only where a step says so. */
  readonly steps?: readonly PathStep[];
}

/** Rings of places, each closed by itself: the ground between the exterior and the interiors. */
export interface Polygon {
  readonly exterior: readonly Place[];
  readonly interiors: readonly (readonly Place[])[];
}

type OnKey<Kind extends string, Test> = AtKey & { readonly kind: Kind } & Readonly<Test>;

export type Condition =
  | { readonly kind: 'filter'; readonly filter: Filter }
  | OnKey<'match_value', { value: MatchValue }>
  | OnKey<'match_any', { values: readonly MatchValue[] }>
  | OnKey<'match_except', { values: readonly MatchValue[] }>
  /** Without `words`: all of them occur, in any order. */
  | OnKey<'match_text', { text: string; words?: 'any' | 'phrase' }>
  | OnKey<'match_prefix', { prefix: string }>
  | OnKey<'range', { time: boolean; bounds: RangeBounds }>
  | OnKey<'geo_radius', { lat: number; lon: number; radiusM: number }>
  | OnKey<'geo_box', { top: number; left: number; bottom: number; right: number }>
  | OnKey<'geo_polygon', Polygon>
  | OnKey<'exists', { exists: boolean }>
  | OnKey<'is_null', { isNull: boolean }>
  | OnKey<'is_empty', { isEmpty: boolean }>
  | OnKey<'values_count', { bounds: RangeBounds }>
  /** With steps: of the values they lead to; without: of the elements there. */
  | OnKey<'nested', { filter: Filter }>
  | { readonly kind: 'has_id'; readonly ids: readonly PointId[] }
  /** Has the point a vector of this name? '' is the default one. */
  | { readonly kind: 'has_vector'; readonly name: string }
  /** The points of one of `total` equal parts, told by their ids alone (model/id-slice.ts). */
  | { readonly kind: 'slice'; readonly total: number; readonly index: number };
