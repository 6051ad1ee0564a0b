/** The named vectors of a collection between the model and the wire. The schemas (wire/vector-bodies.ts) have checked the form of each;
 *  here names are checked, and what was left out gets its default. Must not know: how vectors are stored, what else is declared. */

import type { CollectionInfo } from '../engine/engine.js';
import type { Limits } from '../model/limits.js';
import type { CollectionChange, DenseVectorChange, NewCollection, SparseVectorChange } from '../model/operation.js';
import {
  checkVectorName,
  DEFAULT_HNSW,
  type HnswParameters,
  type NewDenseVector,
  type NewSparseVector,
  wholeQuantization,
} from '../model/vector-spec.js';
import type { ChangedVectorsBody, NewVectorsBody, ShownVectorsBody } from '../wire/http-bodies.js';
import { join, overLimit } from '../wire/place.js';
import { quantizationSettings } from './quantization-body.js';

type HnswBody = NonNullable<NonNullable<NewVectorsBody['vectors']>[string]['hnsw']>;

/** @param path of the object */
export function hnswOf(body: HnswBody | undefined, limits: Limits, path: string): HnswParameters {
  const { m, ef_construct: efConstruct, ef_search: efSearch } = body ?? {};
  checkEfSearch(efSearch, limits, path);
  return {
    m: m ?? DEFAULT_HNSW.m,
    efConstruct: efConstruct ?? DEFAULT_HNSW.efConstruct,
    efSearch: efSearch ?? Math.min(DEFAULT_HNSW.efSearch, limits.efSearchMax),
  };
}

/** @param path of the object it stands in  @throws InvalidRequest */
export function checkEfSearch(efSearch: number | undefined, { efSearchMax }: Limits, path: string): void {
  if (efSearch !== undefined && efSearch > efSearchMax) throw overLimit(join(path, 'ef_search'), 'candidates', efSearchMax);
}

/** @param inside where the body stands  @throws InvalidRequest */
export function newVectors(
  body: NewVectorsBody,
  limits: Limits,
  inside: string,
): Pick<NewCollection, 'vectors' | 'sparseVectors'> {
  const vectors = Object.entries(body.vectors ?? {}).map(([name, one]): NewDenseVector => {
    const path = join(inside, `vectors.${name}`);
    const { dimension, distance, hnsw, quantization } = one;
    return {
      name: checkVectorName(name, path),
      dimension,
      distance,
      hnsw: hnswOf(hnsw, limits, join(path, 'hnsw')),
      quantization: quantization ? wholeQuantization(quantization) : null,
    };
  });
  const sparseVectors = Object.entries(body.sparse_vectors ?? {}).map(([name, { modifier }]): NewSparseVector => {
    return { name: checkVectorName(name, join(inside, `sparse_vectors.${name}`)), modifier: modifier ?? null };
  });
  return {
    ...(vectors.length === 0 ? {} : { vectors }),
    ...(sparseVectors.length === 0 ? {} : { sparseVectors }),
  };
}

type VectorsChange = Pick<CollectionChange, 'setVectors' | 'setSparseVectors' | 'removeVectors'>;

/** As it was said, whatever the collection has now, so that a repeated request is the same one. @throws InvalidRequest */
export function vectorsChange({ vectors = {}, sparse_vectors: sparse = {} }: ChangedVectorsBody, limits: Limits): VectorsChange {
  const setVectors: DenseVectorChange[] = [];
  const setSparseVectors: SparseVectorChange[] = [];
  const removeVectors: string[] = [];
  for (const [name, one] of Object.entries(vectors)) {
    checkVectorName(name, `vectors.${name}`);
    if (one === null) removeVectors.push(name);
    else setVectors.push(denseChange(name, one, limits));
  }
  for (const [name, one] of Object.entries(sparse)) {
    checkVectorName(name, `sparse_vectors.${name}`);
    if (one === null) removeVectors.push(name);
    else setSparseVectors.push({ name, ...(one.modifier === undefined ? {} : { modifier: one.modifier }) });
  }
  return {
    ...(setVectors.length > 0 && { setVectors }),
    ...(setSparseVectors.length > 0 && { setSparseVectors }),
    ...(removeVectors.length > 0 && { removeVectors }),
  };
}

type ChangedBody = NonNullable<NonNullable<ChangedVectorsBody['vectors']>[string]>;

function denseChange(name: string, body: ChangedBody, limits: Limits): DenseVectorChange {
  const { dimension, distance, hnsw, quantization } = body;
  checkEfSearch(hnsw?.ef_search, limits, `vectors.${name}.hnsw`);
  const { m, ef_construct: efConstruct, ef_search: efSearch } = hnsw ?? {};
  return {
    name,
    ...(dimension === undefined ? {} : { dimension }),
    ...(distance === undefined ? {} : { distance }),
    ...(hnsw === undefined
      ? {}
      : {
          hnsw: {
            ...(m === undefined ? {} : { m }),
            ...(efConstruct === undefined ? {} : { efConstruct }),
            ...(efSearch === undefined ? {} : { efSearch }),
          },
        }),
    ...(quantization === undefined ? {} : { quantization: quantization === null ? null : quantizationSettings(quantization) }),
  };
}

/** Only where there are any, or where there is no default vector. */
export function shownVectors(
  info: Pick<CollectionInfo, 'dimension' | 'vectors' | 'sparseVectors' | 'vectorCounts'>,
): ShownVectorsBody {
  const { dimension, vectors, sparseVectors, vectorCounts } = info;
  const count = (name: string): number => vectorCounts?.get(name) ?? 0;
  return {
    ...((vectors.length > 0 || dimension === null) && {
      vectors: Object.fromEntries(
        vectors.map(({ name, dimension, distance, hnsw, quantization }) => [
          name,
          {
            dimension,
            distance,
            hnsw: { m: hnsw.m, ef_construct: hnsw.efConstruct, ef_search: hnsw.efSearch },
            quantization: quantization && { ...quantization },
            points_count: count(name),
          },
        ]),
      ),
    }),
    ...(sparseVectors.length > 0 && {
      sparse_vectors: Object.fromEntries(
        sparseVectors.map(({ name, modifier }) => [name, { modifier, points_count: count(name) }]),
      ),
    }),
  };
}
