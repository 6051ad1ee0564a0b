/** Filters as they stand in a body: their types for the client, their schema for /openapi.json.
 *
 *  Requests are read by wire/filter.ts, which names the place of every mistake; the schema here only describes.
 *  Meaning of each condition: docs/HTTP_API.md, "Filters". */

import type { PointId } from '../model/point.js';

/** What a key is held against; see docs/HTTP_API.md, "Filters". */
type ConditionBody =
  | FilterBody
  | { readonly key: string; readonly match: { readonly value: string | number | boolean } }
  | { readonly key: string; readonly match: { readonly any: readonly (string | number | boolean)[] } }
  | { readonly key: string; readonly match: { readonly except: readonly (string | number | boolean)[] } }
  | { readonly key: string; readonly match: { readonly text: string } }
  | { readonly key: string; readonly match: { readonly text_any: string } }
  | { readonly key: string; readonly match: { readonly phrase: string } }
  | { readonly key: string; readonly match: { readonly prefix: string } }
  | { readonly key: string; readonly range: RangeBody<number | string> }
  | { readonly key: string; readonly geo_radius: { readonly center: GeoPointBody; readonly radius_m: number } }
  | { readonly key: string; readonly geo_box: { readonly top_left: GeoPointBody; readonly bottom_right: GeoPointBody } }
  | { readonly key: string; readonly geo_polygon: GeoPolygonBody }
  | { readonly key: string; readonly exists: boolean }
  | { readonly key: string; readonly is_null: boolean }
  | { readonly key: string; readonly is_empty: boolean }
  | { readonly key: string; readonly values_count: RangeBody<number> }
  | { readonly nested: { readonly key: string; readonly filter: FilterBody } }
  | { readonly has_id: readonly PointId[] }
  | { readonly slice: { readonly total: number; readonly index: number } };
export interface RangeBody<Bound> {
  readonly gt?: Bound;
  readonly gte?: Bound;
  readonly lt?: Bound;
  readonly lte?: Bound;
}
export interface GeoPointBody {
  readonly lat: number;
  readonly lon: number;
}
/** Rings of at least three places, closed by themselves. */
export interface GeoPolygonBody {
  readonly exterior: readonly GeoPointBody[];
  readonly interiors?: readonly (readonly GeoPointBody[])[];
}
export interface FilterBody {
  readonly must?: readonly ConditionBody[];
  readonly should?: readonly ConditionBody[];
  readonly must_not?: readonly ConditionBody[];
  readonly min_should?: { readonly conditions: readonly ConditionBody[]; readonly min_count: number };
}

const range = (bound: object): object => ({
  type: 'object',
  properties: { gt: bound, gte: bound, lt: bound, lte: bound },
  minProperties: 1,
  additionalProperties: false,
});
const scalar = { type: ['string', 'number', 'boolean'] };
const geoPoint = {
  type: 'object',
  required: ['lat', 'lon'],
  properties: { lat: { type: 'number', minimum: -90, maximum: 90 }, lon: { type: 'number', minimum: -180, maximum: 180 } },
  additionalProperties: false,
};
const ring = { type: 'array', items: geoPoint, minItems: 3 };
const onKey = (name: string, value: object): object => ({
  type: 'object',
  required: ['key', name],
  properties: { key: { type: 'string', description: 'A dotted path.' }, [name]: value },
  additionalProperties: false,
});
const only = (name: string, value: object): object => ({
  type: 'object',
  required: [name],
  properties: { [name]: value },
  additionalProperties: false,
});
const conditions = { type: 'array', items: { $ref: 'Condition#' } };

export const FILTER_SCHEMA = {
  $id: 'Filter',
  type: 'object',
  properties: {
    must: conditions,
    should: conditions,
    must_not: conditions,
    min_should: {
      type: 'object',
      required: ['conditions', 'min_count'],
      properties: { conditions, min_count: { type: 'integer', minimum: 0 } },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};

export const CONDITION_SCHEMA = {
  $id: 'Condition',
  oneOf: [
    { $ref: 'Filter#' },
    onKey('match', {
      oneOf: [
        only('value', scalar),
        only('any', { type: 'array', items: scalar }),
        only('except', { type: 'array', items: scalar }),
        ...['text', 'text_any', 'phrase', 'prefix'].map((name) => only(name, { type: 'string' })),
      ],
    }),
    onKey('range', range({ type: ['number', 'string'], description: 'Numbers, or ISO 8601 times.' })),
    onKey('geo_radius', {
      type: 'object',
      required: ['center', 'radius_m'],
      properties: { center: geoPoint, radius_m: { type: 'number', minimum: 0 } },
      additionalProperties: false,
    }),
    onKey('geo_box', {
      type: 'object',
      required: ['top_left', 'bottom_right'],
      properties: { top_left: geoPoint, bottom_right: geoPoint },
      additionalProperties: false,
    }),
    onKey('geo_polygon', {
      type: 'object',
      required: ['exterior'],
      properties: { exterior: ring, interiors: { type: 'array', items: ring } },
      additionalProperties: false,
    }),
    onKey('exists', { type: 'boolean' }),
    onKey('is_null', { type: 'boolean' }),
    onKey('is_empty', { type: 'boolean' }),
    onKey('values_count', range({ type: 'integer' })),
    only('nested', {
      type: 'object',
      required: ['key', 'filter'],
      properties: { key: { type: 'string' }, filter: { $ref: 'Filter#' } },
      additionalProperties: false,
    }),
    only('has_id', { type: 'array', items: { type: ['string', 'integer'] } }),
    only('slice', {
      type: 'object',
      required: ['total', 'index'],
      properties: { total: { type: 'integer', minimum: 1 }, index: { type: 'integer', minimum: 0 } },
      additionalProperties: false,
    }),
  ],
};
