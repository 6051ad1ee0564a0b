/** Parts that bodies of the Qdrant dialect have in common, and those of its reads by id. Unknown fields are refused. What is one of several
 *  forms (ids, filters, vectors, what is to be shown) has an own check in src/http/qdrant. */

import { type Static, Type } from 'typebox';
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
