/** Parts that the bodies of several routes share. */

import { type TSchema, Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import type { PointId } from '../model/point.js';

/** What has this mark is described for people and checked by code of its own. */
export const OWN_CHECK = 'x-own-check';
export const closed = { additionalProperties: false } as const;

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

/** A value that may be unknown, or does not apply. */
export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}
