/** The bodies of the HTTP API: one schema for each, and the type that follows from it.
 *
 *  The schemas check requests (check-body.ts), make /openapi.json, and type the client. What has the mark `x-own-check`
 *  (vectors, ids, payloads, filters) is described here for people and checked by loops of its own, because a schema would
 *  cost more than the parsing. Bounds that an operator may change are not in the schemas; they are checked with model/limits.
 *
 *  Must not know: how a body is carried (JSON, MessagePack), who answers it. */

import { type Static, Type } from 'typebox';
import { ERRORS, type ErrorType } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import {
  closed,
  FilterBody,
  freshness,
  nullable,
  OWN_CHECK,
  PayloadBody,
  PointIdBody,
  Timestamp,
  Token,
  VectorBody,
  WithPayload,
  WithVector,
} from './body-parts.js';
import { changedDeclarations, newDeclarations, shownDeclarations } from './declaration-bodies.js';
import { IndexHealthBody } from './health-bodies.js';
import {
  changedVectorFields,
  Dimension,
  DistanceBody,
  HnswBody,
  NamedVectorsBody,
  newVectorFields,
  shownVectorFields,
} from './vector-bodies.js';

export * from './backup-bodies.js';
export * from './change-bodies.js';
export type { ChangedDeclarationsBody, NewDeclarationsBody, ShownDeclarationsBody } from './declaration-bodies.js';
export * from './key-bodies.js';
export * from './observing-bodies.js';
export * from './recall-bodies.js';
export * from './search-bodies.js';
export type { FusionBody } from './search-parts.js';
export { shownStrictMode, strictFromBody } from './strict-forms.js';
export type {
  AnyVectorBody,
  ChangedVectorsBody,
  NamedVectorsBody,
  NewVectorsBody,
  ShownVectorsBody,
  SparseVectorBody,
} from './vector-bodies.js';
export { FilterBody, PayloadBody, PointIdBody, VectorBody };

// Collections

const TTL_MS_MAX = 100 * 366 * 86_400_000;
const TtlMs = Type.Unsafe<number | null>({
  type: ['integer', 'null'],
  minimum: 1,
  maximum: TTL_MS_MAX,
  description: 'Default life of points upserted from now on, in milliseconds; null: for ever.',
});

export const NewCollectionBody = Type.Object(
  {
    dimension: Type.Optional(Dimension),
    distance: Type.Optional(DistanceBody),
    hnsw: Type.Optional(HnswBody),
    ttl_ms: Type.Optional(TtlMs),
    ...newVectorFields,
    ...newDeclarations,
  },
  {
    ...closed,
    description:
      'dimension and distance are of the default vector. A collection without one says which vectors it has instead; `"vectors": {}` alone: none.',
  },
);
export type NewCollectionBody = Static<typeof NewCollectionBody>;

export const CollectionChangeBody = Type.Object(
  {
    hnsw: Type.Optional(Type.Object({ ef_search: Type.Optional(Type.Integer({ minimum: 1 })) }, closed)),
    ttl_ms: Type.Optional(TtlMs),
    ...changedVectorFields,
    ...changedDeclarations,
  },
  closed,
);
export type CollectionChangeBody = Static<typeof CollectionChangeBody>;

export const CollectionInfoBody = Type.Object({
  name: Type.String(),
  dimension: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'null: there is no default vector.' }),
  distance: nullable(DistanceBody),
  hnsw: Type.Object({ m: Type.Integer(), ef_construct: Type.Integer(), ef_search: Type.Integer() }),
  points_count: Type.Integer(),
  status: Type.Enum(['ready', 'building', 'rebuilding']),
  progress: Type.Number({ description: '0 to 1; 1 when ready.' }),
  memory_bytes: Type.Integer(),
  disk_bytes: Type.Integer(),
  tombstone_ratio: Type.Number(),
  index_health: nullable(IndexHealthBody),
  ...shownVectorFields,
  ...shownDeclarations,
  ttl_ms: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
  embedding: Type.Null(),
  created_at: Timestamp,
  position: Token,
});
export type CollectionInfoBody = Static<typeof CollectionInfoBody>;

export const CollectionListBody = Type.Object({ collections: Type.Array(CollectionInfoBody) });
export type CollectionListBody = Static<typeof CollectionListBody>;

// Aliases

export const AliasBody = Type.Object({ collection: Type.String({ description: 'Its name, or another alias of it.' }) }, closed);
export type AliasBody = Static<typeof AliasBody>;

export const AliasListBody = Type.Object({
  aliases: Type.Array(Type.Object({ alias: Type.String(), collection: Type.String() })),
});
export type AliasListBody = Static<typeof AliasListBody>;

// Writes of points

export const PointBody = Type.Object(
  {
    id: PointIdBody,
    vector: Type.Optional(VectorBody),
    vectors: Type.Optional(NamedVectorsBody),
    payload: Type.Optional(PayloadBody),
    if_version: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Refused unless the point has this version; 0: must not exist.' }),
    ),
    expires_at: Type.Optional(Type.Union([Timestamp, Type.Literal('never')])),
  },
  {
    ...closed,
    description:
      'vector is the default one: needed where the collection declares no other; where it declares names, all are optional.',
  },
);
export type PointBody = Static<typeof PointBody>;

export const UpsertBody = Type.Object({ points: Type.Array(PointBody) }, closed);
export type UpsertBody = Static<typeof UpsertBody>;

export const PointPatchBody = Type.Object(
  {
    id: PointIdBody,
    vector: Type.Optional(VectorBody),
    vectors: Type.Optional(NamedVectorsBody),
    unset_vectors: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'Names of vectors to take away.' })),
    payload: Type.Optional(PayloadBody),
    unset: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'Dotted paths to remove from the payload.' })),
    if_version: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);
export type PointPatchBody = Static<typeof PointPatchBody>;

export const PatchBody = Type.Object({ points: Type.Array(PointPatchBody) }, closed);
export type PatchBody = Static<typeof PatchBody>;

const Ids = Type.Unsafe<readonly PointId[]>({ [OWN_CHECK]: true, type: 'array', items: PointIdBody });

export const DeleteBody = Type.Object(
  { ids: Type.Optional(Ids), filter: Type.Optional(FilterBody) },
  { ...closed, description: 'Exactly one of ids and filter.' },
);
export type DeleteBody = Static<typeof DeleteBody>;

export const WriteConcernBody = Type.Object({ required: Type.Integer(), acknowledged: Type.Integer() });
const written = { seq: Type.Integer(), position: Token, write_concern: WriteConcernBody };

export const UpsertAnswer = Type.Object({ upserted: Type.Integer(), ...written });
export type UpsertAnswer = Static<typeof UpsertAnswer>;
export const PatchAnswer = Type.Object({ patched: Type.Integer(), ...written });
export type PatchAnswer = Static<typeof PatchAnswer>;
export const DeleteAnswer = Type.Object({
  deleted: Type.Integer({ description: 'Points that existed.' }),
  units: Type.Optional(Type.Integer({ description: 'By filter: how many atomic units of at most 10,000 points.' })),
  ...written,
});
export type DeleteAnswer = Static<typeof DeleteAnswer>;
export const DeleteCollectionAnswer = Type.Object({ deleted: Type.Literal(true), ...written });
export type DeleteCollectionAnswer = Static<typeof DeleteCollectionAnswer>;

export const PutAliasAnswer = Type.Object({
  alias: Type.String(),
  collection: Type.String({ description: 'The own name of the collection that the alias stands for now.' }),
  created: Type.Boolean({ description: 'There was no such alias before.' }),
  previous: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'The collection it stood for before.' }),
  ...written,
});
export type PutAliasAnswer = Static<typeof PutAliasAnswer>;
export const DeleteAliasAnswer = Type.Object({ deleted: Type.Literal(true), ...written });
export type DeleteAliasAnswer = Static<typeof DeleteAliasAnswer>;

const inCollection = { collection: Type.String() };
export const BatchOperationBody = Type.Union([
  Type.Object({ upsert: Type.Object({ ...inCollection, points: Type.Array(PointBody) }, closed) }, closed),
  Type.Object({ patch: Type.Object({ ...inCollection, points: Type.Array(PointPatchBody) }, closed) }, closed),
  Type.Object({ delete: Type.Object({ ...inCollection, ids: Ids }, closed) }, closed),
  Type.Object({ create_collection: Type.Object({ ...inCollection, ...NewCollectionBody.properties }, closed) }, closed),
  Type.Object({ delete_collection: Type.Object(inCollection, closed) }, closed),
  Type.Object({ put_alias: Type.Object({ alias: Type.String(), ...inCollection }, closed) }, closed),
  Type.Object({ delete_alias: Type.Object({ alias: Type.String() }, closed) }, closed),
]);
export type BatchOperationBody = Static<typeof BatchOperationBody>;
export const BatchBody = Type.Object({ operations: Type.Array(BatchOperationBody) }, closed);
export type BatchBody = Static<typeof BatchBody>;
export const BatchAnswer = Type.Object({
  results: Type.Array(
    Type.Object({}, { additionalProperties: true, description: 'What the operation’s own route answers, without position.' }),
  ),
  ...written,
});
export type BatchAnswer = Static<typeof BatchAnswer>;

export const ImportProgressLine = Type.Object({
  progress: Type.Object({ lines: Type.Integer(), imported: Type.Integer(), failed_count: Type.Integer(), position: Token }),
});
export type ImportProgressLine = Static<typeof ImportProgressLine>;
export const ImportAnswer = Type.Object({
  imported: Type.Integer(),
  failed: Type.Array(
    Type.Object({
      line: Type.Integer(),
      error: Type.Object({ type: Type.String(), message: Type.String(), details: Type.Unknown() }),
    }),
    { description: 'The first 1,000 refused lines; they count from 1.' },
  ),
  failed_count: Type.Integer(),
  position: Token,
  write_concern: WriteConcernBody,
});
export type ImportAnswer = Static<typeof ImportAnswer>;

// Reads of points

export const FoundPointBody = Type.Object({
  id: PointIdBody,
  version: Type.Integer({ description: 'Seq of the log entry that last wrote the point.' }),
  payload: Type.Optional(PayloadBody),
  vector: Type.Optional(VectorBody),
  vectors: Type.Optional(NamedVectorsBody),
  expires_at: Type.Optional(Timestamp),
});
export type FoundPointBody = Static<typeof FoundPointBody>;

export const GetBody = Type.Object({ ids: Ids, with_vector: WithVector, with_payload: WithPayload, ...freshness }, closed);
export type GetBody = Static<typeof GetBody>;
export const GetAnswer = Type.Object({ points: Type.Array(FoundPointBody), missing: Type.Array(PointIdBody) });
export type GetAnswer = Static<typeof GetAnswer>;

export const ScrollBody = Type.Object(
  {
    filter: Type.Optional(FilterBody),
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 100 })),
    cursor: Type.Optional(
      Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'next_cursor of the page before.' }),
    ),
    with_vector: WithVector,
    with_payload: WithPayload,
    ...freshness,
  },
  closed,
);
export type ScrollBody = Static<typeof ScrollBody>;
export const ScrollAnswer = Type.Object({
  points: Type.Array(FoundPointBody),
  next_cursor: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'null: this was the last page.' }),
});
export type ScrollAnswer = Static<typeof ScrollAnswer>;

export const CountBody = Type.Object({ filter: Type.Optional(FilterBody), ...freshness }, closed);
export type CountBody = Static<typeof CountBody>;
export const CountAnswer = Type.Object({ count: Type.Integer() });
export type CountAnswer = Static<typeof CountAnswer>;

export * from './health-bodies.js';
export * from './replication-bodies.js';

// The server itself

export const VersionBody = Type.Object({
  name: Type.String(),
  version: Type.String(),
  api: Type.String(),
  node: Type.String(),
  native_build: Type.String({ description: 'Which build of the HNSW library runs.' }),
});
export type VersionBody = Static<typeof VersionBody>;

export const ReadyBody = Type.Object({
  status: Type.Enum(['healthy', 'unhealthy']),
  state: Type.Enum(['ready', 'starting', 'draining', 'stopping']),
  step: Type.String(),
  progress: Type.Number(),
  eta_ms: Type.Unsafe<number | null>({ type: ['number', 'null'] }),
  message: Type.String(),
  role: Type.Enum(['master', 'replica']),
  epoch: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: 'Of the mastership; null until the store is open.',
  }),
});
export type ReadyBody = Static<typeof ReadyBody>;

export const HealthBody = Type.Object(
  { status: Type.Enum(['healthy', 'degraded', 'unhealthy']), reasons: Type.Array(Type.String()) },
  { additionalProperties: true },
);
export type HealthBody = Static<typeof HealthBody>;

export const ErrorBody = Type.Object({
  error: Type.Object({
    type: Type.Unsafe<ErrorType>({ type: 'string', enum: Object.keys(ERRORS) }),
    message: Type.String(),
    details: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
    retryable: Type.Boolean({ description: 'The same request may succeed later.' }),
    request_id: Type.String(),
  }),
});
export type ErrorBody = Static<typeof ErrorBody>;
