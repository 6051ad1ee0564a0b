/** Named and sparse vectors between the client's form and the wire's: in points, in searches, in what collections declare.
 *
 *  Invariant: absent stays absent. Must not know: HTTP, how a body is encoded. */

import type {
  AnyVectorBody,
  ChangedVectorsBody,
  CollectionInfoBody,
  NamedVectorsBody,
  NewVectorsBody,
  SparseVectorBody,
  VectorBody,
} from '../wire/http-bodies.js';
import { present } from './present.js';
import type {
  AnyVectorInput,
  CollectionChange,
  CollectionInfo,
  CollectionSettings,
  HnswSettings,
  NamedVector,
  NamedVectorsInput,
  VectorInput,
} from './types.js';
import { vectorFrom } from './vector-form.js';

type VectorForm = (vector: VectorInput) => VectorBody;

export function anyVectorToWire(vector: AnyVectorInput, form: VectorForm): AnyVectorBody {
  if (!('indices' in vector)) return form(vector);
  const { indices, values, ...others } = vector;
  return { ...others, indices: [...indices], values: form(values) };
}

export function vectorsToWire(vectors: NamedVectorsInput, form: VectorForm): NamedVectorsBody {
  return Object.fromEntries(Object.entries(vectors).map(([name, vector]) => [name, anyVectorToWire(vector, form)]));
}

export function vectorsFromWire(body: NamedVectorsBody): Readonly<Record<string, NamedVector>> {
  return Object.fromEntries(Object.entries(body).map(([name, vector]) => [name, vectorFromWire(vector)]));
}

function vectorFromWire(body: AnyVectorBody): NamedVector {
  if (!isSparse(body)) return vectorFrom(body);
  return { indices: Uint32Array.from(body.indices), values: vectorFrom(body.values) };
}

function isSparse(body: AnyVectorBody): body is SparseVectorBody {
  return 'indices' in body;
}

type Declared<Settings extends { readonly vectors?: object; readonly sparseVectors?: object }> = {
  readonly [Key in 'vectors' | 'sparseVectors']: Settings[Key] | undefined;
};

export function newVectorsToWire({ vectors, sparseVectors }: Declared<CollectionSettings>): NewVectorsBody {
  return {
    ...(vectors && {
      vectors: mapped(vectors, ({ hnsw, ...others }) => ({ ...others, ...(hnsw && { hnsw: hnswToWire(hnsw) }) })),
    }),
    ...(sparseVectors && { sparse_vectors: { ...sparseVectors } }),
  };
}

export function changedVectorsToWire({ vectors, sparseVectors }: Declared<CollectionChange>): ChangedVectorsBody {
  return {
    ...(vectors && {
      vectors: mapped(vectors, (vector) => {
        if (vector === null) return null;
        const { hnsw, ...others } = vector;
        return { ...others, ...(hnsw && { hnsw: hnswToWire(hnsw) }) };
      }),
    }),
    ...(sparseVectors && { sparse_vectors: { ...sparseVectors } }),
  };
}

export function hnswToWire({ efConstruct, efSearch, ...others }: Partial<HnswSettings>) {
  return present<{ m: number; ef_construct: number; ef_search: number }>(others, {
    ef_construct: efConstruct,
    ef_search: efSearch,
  });
}

export function shownVectorsFromWire(body: CollectionInfoBody): Pick<CollectionInfo, 'vectors' | 'sparseVectors'> {
  return {
    vectors: mapped(body.vectors ?? {}, ({ hnsw, points_count: pointsCount, ...rest }) => ({
      ...rest,
      hnsw: { m: hnsw.m, efConstruct: hnsw.ef_construct, efSearch: hnsw.ef_search },
      pointsCount,
    })),
    sparseVectors: mapped(body.sparse_vectors ?? {}, ({ modifier, points_count: pointsCount }) => ({ modifier, pointsCount })),
  };
}

function mapped<From, To>(record: Readonly<Record<string, From>>, to: (one: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, one]) => [name, to(one)]));
}
