/** Parts that the bodies of several routes share. */

import { type TSchema, Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import type { Payload, PointId } from '../model/point.js';
import type { FilterBody as FilterShape } from './filter-body.js';

/** What has this mark is described for people and checked by code of its own. */
export const OWN_CHECK = 'x-own-check';
export const closed = { additionalProperties: false } as const;

/** What a route without fields of its own takes. */
export const NoBody = Type.Object({}, closed);

export const Token = Type.String({ description: 'A position token: opaque; equal exactly when history, epoch and seq are.' });
export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds.' });

export const PointIdBody = Type.Unsafe<PointId>({
  [OWN_CHECK]: true,
  anyOf: [
    { type: 'string', minLength: 1, maxLength: FIXED.idBytesMax },
    { type: 'integer', minimum: 0, maximum: FIXED.integerIdMax },
  ],
  description: 'A string of 1 to 256 bytes of UTF-8, or an integer from 0 to 2^53-1. "7" and 7 are different ids.',
});

export const FieldPath = Type.Unsafe<string>({
  [OWN_CHECK]: true,
  type: 'string',
  minLength: 1,
  description: `A dotted path of payload keys, at most ${FIXED.fieldPathBytesMax} bytes and ${FIXED.jsonDepthMax} keys.`,
});

/** A value that may be unknown, or does not apply. */
export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** An array of numbers; in MessagePack also binary: little-endian float32, 4 · dimension bytes. */
export type VectorBody = readonly number[] | Float32Array | Uint8Array;

export const VectorBody = Type.Unsafe<VectorBody>({
  [OWN_CHECK]: true,
  type: 'array',
  items: { type: 'number' },
  minItems: 1,
  maxItems: FIXED.dimensionMax,
  description:
    'One finite float32 number per dimension. In MessagePack it may be binary instead: little-endian float32, 4 · dimension bytes.',
});

export const PayloadBody = Type.Unsafe<Payload>({
  [OWN_CHECK]: true,
  type: 'object',
  additionalProperties: true,
  description: 'Any JSON object of at most 1 MiB.',
});

export type FilterBody = FilterShape;
/** A reference to the component of that name in the OpenAPI document (wire/filter-body.ts). */
export const FilterBody = Type.Unsafe<FilterShape>({ [OWN_CHECK]: true, $ref: 'Filter#' });

export const WithPayload = Type.Optional(Type.Boolean());
export const WithVector = Type.Optional(
  Type.Union([Type.Boolean(), Type.Array(Type.String({ minLength: 1 }), { maxItems: FIXED.namedVectorsMax })], {
    description: 'true: all vectors of a point; or the names of those that are wanted.',
  }),
);

/** What every read may carry besides its own fields. */
export const freshness = {
  min_position: Type.Optional(Type.String({ description: 'The answer is at least as new as this token.' })),
  max_wait_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'How long to wait for min_position. Default 1000.' })),
  max_staleness_ms: Type.Optional(
    Type.Integer({ minimum: 0, description: 'How old the state of the node may be; 503 ReplicaBehind when it is older.' }),
  ),
};
