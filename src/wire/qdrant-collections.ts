/** Bodies of the Qdrant dialect about collections, aliases and indexes of fields. Unknown fields are refused; fields that stand here and change
 *  nothing are listed in docs/QDRANT.md with the reason. What is one of several forms has an own check in src/http/qdrant. */

import { type Static, Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import { closed, nullable } from './body-parts.js';
import { OwnCheck } from './qdrant-parts.js';
import { ChangedStrictModeBody, NewStrictModeBody } from './strict-bodies.js';

const Own = Type.Optional(OwnCheck);
const Flag = Type.Optional(nullable(Type.Boolean()));
const Count = Type.Optional(nullable(Type.Integer({ minimum: 0 })));
const Anything = Type.Optional(Type.Unsafe<unknown>({}));

export const DialectHnsw = Type.Object(
  {
    m: Count,
    ef_construct: Type.Optional(nullable(Type.Integer({ minimum: 4, maximum: 10_000 }))),
    full_scan_threshold: Count,
    max_indexing_threads: Count,
    on_disk: Flag,
    payload_m: Count,
    inline_storage: Flag,
  },
  closed,
);
export type DialectHnsw = Static<typeof DialectHnsw>;

const Hnsw = Type.Optional(nullable(DialectHnsw));

export const DialectVector = Type.Object(
  {
    size: Type.Integer({ minimum: 1, maximum: FIXED.dimensionMax }),
    distance: Type.Enum(['Cosine', 'Euclid', 'Dot', 'Manhattan']),
    hnsw_config: Hnsw,
    quantization_config: Own,
    on_disk: Flag,
    datatype: Own,
    multivector_config: Own,
  },
  closed,
);
export type DialectVector = Static<typeof DialectVector>;

export const DialectSparseVector = Type.Object(
  { index: Anything, modifier: Type.Optional(nullable(Type.Enum(['none', 'idf']))), datatype: Own },
  closed,
);
export type DialectSparseVector = Static<typeof DialectSparseVector>;

export const CreateCollectionBody = Type.Object(
  {
    vectors: Own,
    sparse_vectors: Type.Optional(Type.Record(Type.String(), nullable(DialectSparseVector))),
    hnsw_config: Type.Optional(DialectHnsw),
    quantization_config: Own,
    strict_mode_config: Type.Optional(NewStrictModeBody),
    metadata: Own,
    shard_number: Type.Optional(Type.Integer({ minimum: 1 })),
    sharding_method: Type.Optional(Type.Enum(['auto', 'custom'])),
    replication_factor: Type.Optional(Type.Integer({ minimum: 1 })),
    write_consistency_factor: Type.Optional(Type.Integer({ minimum: 1 })),
    on_disk_payload: Type.Optional(Type.Boolean()),
    optimizers_config: Anything,
    wal_config: Anything,
  },
  closed,
);
export type CreateCollectionBody = Static<typeof CreateCollectionBody>;

export const UpdateCollectionBody = Type.Object(
  {
    vectors: Type.Optional(
      Type.Record(Type.String(), Type.Object({ hnsw_config: Hnsw, quantization_config: Own, on_disk: Flag }, closed)),
    ),
    sparse_vectors: Type.Optional(Type.Record(Type.String(), nullable(DialectSparseVector))),
    hnsw_config: Type.Optional(DialectHnsw),
    quantization_config: Own,
    strict_mode_config: Type.Optional(ChangedStrictModeBody),
    metadata: Own,
    params: Type.Optional(
      Type.Object(
        {
          replication_factor: Type.Optional(nullable(Type.Integer({ minimum: 1 }))),
          write_consistency_factor: Type.Optional(nullable(Type.Integer({ minimum: 1 }))),
          read_fan_out_factor: Count,
          read_fan_out_delay_ms: Count,
          on_disk_payload: Flag,
        },
        closed,
      ),
    ),
    optimizers_config: Anything,
  },
  closed,
);
export type UpdateCollectionBody = Static<typeof UpdateCollectionBody>;

const Name = Type.String({ minLength: 1 });

export const AliasActionsBody = Type.Object(
  {
    actions: Type.Array(
      Type.Union([
        Type.Object({ create_alias: Type.Object({ collection_name: Name, alias_name: Name }, closed) }, closed),
        Type.Object({ delete_alias: Type.Object({ alias_name: Name }, closed) }, closed),
        Type.Object({ rename_alias: Type.Object({ old_alias_name: Name, new_alias_name: Name }, closed) }, closed),
      ]),
      { maxItems: 100 },
    ),
  },
  closed,
);
export type AliasActionsBody = Static<typeof AliasActionsBody>;

/** One of the two. */
export const VectorNameBody = Type.Object({ dense: Own, sparse: Type.Optional(DialectSparseVector) }, closed);
export type VectorNameBody = Static<typeof VectorNameBody>;

export const FieldIndexBody = Type.Object({ field_name: Name, field_schema: Own }, closed);
