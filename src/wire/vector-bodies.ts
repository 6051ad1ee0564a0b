/** What collections declare of their vectors, and vectors under names, as they stand in bodies.
 *
 *  Names are the keys of objects; http/vector-declarations.ts checks them. Vectors have the mark `x-own-check` (wire/named-vectors.ts). */

import { type Static, Type } from 'typebox';
import { DISTANCES } from '../model/distance.js';
import { FIXED } from '../model/limits.js';
import { QUANTIZATION_TYPES, SPARSE_MODIFIERS, type SparseModifier } from '../model/vector-spec.js';
import { closed, nullable, OWN_CHECK, VectorBody } from './body-parts.js';

export const HnswBody = Type.Object(
  {
    m: Type.Optional(Type.Integer({ minimum: 2, maximum: 256, default: 16 })),
    ef_construct: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 200 })),
    ef_search: Type.Optional(Type.Integer({ minimum: 1, default: 64 })),
  },
  closed,
);

export const DistanceBody = Type.Enum([...DISTANCES] as ['cosine', 'dot', 'euclid']);
export const Dimension = Type.Integer({ minimum: 1, maximum: FIXED.dimensionMax });

const QuantizationType = Type.Enum([...QUANTIZATION_TYPES]);
const quantizationSettings = {
  rescore: Type.Optional(Type.Boolean({ default: true, description: 'Order candidates by their full vectors.' })),
  oversampling: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: FIXED.oversamplingMax,
      description: 'Candidates taken for each hit that is wanted. Default 3 for int8, 1.5 for float16.',
    }),
  ),
};
export const NewQuantization = Type.Optional(nullable(Type.Object({ type: QuantizationType, ...quantizationSettings }, closed)));
export const ChangedQuantization = Type.Optional(
  nullable(Type.Object({ type: Type.Optional(QuantizationType), ...quantizationSettings }, closed)),
);
export const ShownQuantization = nullable(
  Type.Object({ type: QuantizationType, rescore: Type.Boolean(), oversampling: Type.Number() }),
);

const Name = Type.String({ minLength: 1 });
const Modifier = nullable(
  Type.Enum([...SPARSE_MODIFIERS] as [SparseModifier], {
    description: 'idf: the values of a query are weighted by how rare their indices are.',
  }),
);

export const newVectorFields = {
  vectors: Type.Optional(
    Type.Record(
      Name,
      Type.Object(
        { dimension: Dimension, distance: DistanceBody, hnsw: Type.Optional(HnswBody), quantization: NewQuantization },
        closed,
      ),
      { description: 'Dense vectors under names, beside the default vector or in its place.' },
    ),
  ),
  sparse_vectors: Type.Optional(
    Type.Record(Name, Type.Object({ modifier: Type.Optional(Modifier) }, closed), { description: 'Sparse vectors under names.' }),
  ),
};

export const changedVectorFields = {
  vectors: Type.Optional(
    Type.Record(
      Name,
      nullable(
        Type.Object(
          {
            dimension: Type.Optional(Dimension),
            distance: Type.Optional(DistanceBody),
            hnsw: Type.Optional(HnswBody),
            quantization: ChangedQuantization,
          },
          closed,
        ),
      ),
      {
        description:
          'A name that is new is declared; of one that is there hnsw.ef_search and quantization change; null takes it away.',
      },
    ),
  ),
  sparse_vectors: Type.Optional(
    Type.Record(Name, nullable(Type.Object({ modifier: Type.Optional(Modifier) }, closed)), {
      description: 'A name that is new is declared; of one that is there the modifier changes; null takes it away.',
    }),
  ),
};

export const shownVectorFields = {
  vectors: Type.Optional(
    Type.Record(
      Name,
      Type.Object({
        dimension: Type.Integer(),
        distance: DistanceBody,
        hnsw: Type.Object({ m: Type.Integer(), ef_construct: Type.Integer(), ef_search: Type.Integer() }),
        quantization: ShownQuantization,
        points_count: Type.Integer({ description: 'Points in its index.' }),
      }),
    ),
  ),
  sparse_vectors: Type.Optional(
    Type.Record(Name, Type.Object({ modifier: Modifier, points_count: Type.Integer({ description: 'Points in its index.' }) })),
  ),
};

const NewFields = Type.Object(newVectorFields);
export type NewVectorsBody = Static<typeof NewFields>;
const ChangedFields = Type.Object(changedVectorFields);
export type ChangedVectorsBody = Static<typeof ChangedFields>;
const ShownFields = Type.Object(shownVectorFields);
export type ShownVectorsBody = Static<typeof ShownFields>;

/** Indices are unsigned 32-bit integers, each once, in any order; they come back ascending. */
export interface SparseVectorBody {
  readonly indices: readonly number[];
  readonly values: VectorBody;
}
export const SparseVectorBody = Type.Unsafe<SparseVectorBody>({
  [OWN_CHECK]: true,
  type: 'object',
  properties: {
    indices: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 }, maxItems: FIXED.sparseValuesMax },
    values: { type: 'array', items: { type: 'number' }, maxItems: FIXED.sparseValuesMax },
  },
  required: ['indices', 'values'],
  additionalProperties: false,
  description: 'indices are unique and as many as values. In MessagePack values may be binary: little-endian float32.',
});

/** A dense or a sparse vector. */
export type AnyVectorBody = VectorBody | SparseVectorBody;
export const AnyVectorBody = Type.Unsafe<AnyVectorBody>({ [OWN_CHECK]: true, anyOf: [VectorBody, SparseVectorBody] });

export type NamedVectorsBody = Readonly<Record<string, AnyVectorBody>>;
export const NamedVectorsBody = Type.Unsafe<NamedVectorsBody>({
  [OWN_CHECK]: true,
  type: 'object',
  additionalProperties: { anyOf: [VectorBody, SparseVectorBody] },
  description: 'Vectors by their names, as the collection declares them.',
});
