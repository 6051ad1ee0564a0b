/** Parts that bodies of the Qdrant dialect have in common, and those of its reads by id. Unknown fields are refused. What is one of several
 *  forms (ids, filters, vectors, what is to be shown) has an own check in src/http/qdrant. */

import { type Static, Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import { closed, OWN_CHECK } from './body-parts.js';

export const OwnCheck = Type.Unsafe<unknown>({ [OWN_CHECK]: true });
const Own = Type.Optional(OwnCheck);

/** What of a point is shown; `with_vectors` is another name of `with_vector`. */
export const ShownFields = { with_payload: Own, with_vector: Own, with_vectors: Own };
export type ShownFields = { with_payload?: unknown; with_vector?: unknown; with_vectors?: unknown };

/** Shards are the server's affair here: there is one, and naming it is refused (src/http/qdrant/shard-key.ts). */
export const ShardKey = { shard_key: Own };

export const RetrieveBody = Type.Object({ ids: Type.Array(OwnCheck), ...ShownFields, ...ShardKey }, closed);
export type RetrieveBody = Static<typeof RetrieveBody>;

export const DialectCountBody = Type.Object({ filter: Own, exact: Type.Optional(Type.Boolean()), ...ShardKey }, closed);

/** Points of a write: a list of ids, or a filter. */
const TargetFields = { points: Type.Optional(Type.Array(OwnCheck)), filter: Own, ...ShardKey };

export const DialectDeleteBody = Type.Object(TargetFields, closed);

export const SetPayloadBody = Type.Object(
  { payload: OwnCheck, key: Type.Optional(Type.String({ minLength: 1 })), ...TargetFields },
  closed,
);
export const DeletePayloadBody = Type.Object({ keys: Type.Array(Type.String({ minLength: 1 })), ...TargetFields }, closed);

export const DeleteVectorsBody = Type.Object({ vector: Type.Array(Type.String(), { minItems: 1 }), ...TargetFields }, closed);

export const DialectScrollBody = Type.Object(
  {
    offset: Own,
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    filter: Own,
    order_by: Own,
    ...ShownFields,
    ...ShardKey,
  },
  closed,
);

export const DialectFacetBody = Type.Object(
  {
    key: Type.String({ minLength: 1 }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: FIXED.facetValuesMax })),
    filter: Own,
    exact: Type.Optional(Type.Boolean()),
    ...ShardKey,
  },
  closed,
);
