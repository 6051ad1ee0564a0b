/** What a search looks near: a vector as given, the vector of a point, or what examples have in common; and which vectors are searched.
 *
 *    examples    2 · mean(positive) − mean(negative), or mean(positive) where there are none to be unlike
 *
 *  Under cosine every example counts with length 1, because its direction is all that counts there. Sums run over float64. Of sparse vectors
 *  the same, over all indices that occur. Must not know: indexes, hits. */

import { norm } from '../model/distance.js';
import { type ErrorDetails, invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { DEFAULT_VECTOR, type PointId, type QueryVector, type SparseVector } from '../model/point.js';
import { type DenseTarget, targetNamed, type VectorTarget } from '../model/vector-spec.js';
import type { CatalogueEntry } from './catalogue.js';
import type { Example, Examples, SearchRequest } from './engine.js';
import { meanDirection } from './example-means.js';
import type { Reader } from './reader.js';

export interface SearchTarget {
  /** Null: only the text is searched for. */
  readonly query: QueryVector | null;
  /** Which vectors are searched; null: none are. */
  readonly target: VectorTarget | null;
  /** Points that are no hits, each once. */
  readonly without: readonly PointId[];
}

/** A sum of directions that is shorter than this is what rounding left of examples that cancel each other out. */
const NO_DIRECTION = 1e-6;

/** @throws DimensionMismatch, ZeroVector, InvalidVector (examples whose difference is beyond float32), PointNotFound, CorruptData,
 *  InvalidRequest (`using` names nothing that is declared, a query of the other kind, a point that has no such vector);
 *  details.path is such as `positive[3]` for an example */
export async function searchTarget(reader: Reader, entry: CatalogueEntry, request: SearchRequest): Promise<SearchTarget> {
  const { vector, id, examples, using } = request;
  if ((vector ?? id ?? examples) === undefined) {
    if (using !== undefined) throw invalidRequest('using', 'says which vectors are searched, and none are');
    return { query: null, target: null, without: [] };
  }
  const target = targetNamed(entry.row.spec, using ?? DEFAULT_VECTOR, using === undefined ? 'vector' : 'using');
  const sought = { entry, target };
  if (examples !== undefined) return { target, ...(await exampleTarget(reader, sought, examples)) };
  if (id !== undefined) return { target, query: await vectorOf(reader, sought, id), without: [id] };
  const query = vector as QueryVector;
  checkVector(sought, query);
  return { target, query: alone(query), without: [] };
}

export interface SoughtIn {
  readonly entry: CatalogueEntry;
  readonly target: VectorTarget;
}

/** In a buffer of its own: whatever stands around it would be copied to the index with it. */
function alone(query: QueryVector): QueryVector {
  if (!(query instanceof Float32Array)) return query;
  return query.byteLength === query.buffer.byteLength ? query : query.slice();
}

async function vectorOf(reader: Reader, sought: SoughtIn, id: PointId): Promise<QueryVector> {
  const vector = (await vectorsOf(reader, sought, [id])).get(id);
  if (vector === undefined) throw pointNotFound(sought, id);
  return mustHave(sought, id, vector, 'id');
}

/** Null: the point has no such vector. */
type Stored = ReadonlyMap<PointId, QueryVector | null>;

async function vectorsOf(reader: Reader, { entry, target }: SoughtIn, ids: readonly PointId[]): Promise<Stored> {
  const found = new Map<PointId, QueryVector | null>();
  if (ids.length === 0) return found;
  const { name, key } = target;
  const selection =
    key === DEFAULT_VECTOR
      ? { withPayload: false, withVector: true }
      : { withPayload: false, withVector: false, named: [{ name, key }] };
  const { uid } = entry.row;
  const { points } = await reader.read({ kind: 'get', uid, ids, selection, bytesMax: Number.POSITIVE_INFINITY });
  for (const { id, vector, vectors } of points) {
    const named = vectors?.get(name);
    found.set(id, named === undefined ? vector : named.kind === 'dense' ? named.values : named);
  }
  return found;
}

function mustHave({ entry, target }: SoughtIn, id: PointId, vector: QueryVector | null, path: string): QueryVector {
  if (vector !== null) return vector;
  const which = target.name === DEFAULT_VECTOR ? 'default vector' : `vector ${JSON.stringify(target.name)}`;
  throw invalidRequest(path, `point ${JSON.stringify(id)} of '${entry.row.name}' has no ${which}`);
}

async function exampleTarget(
  reader: Reader,
  sought: SoughtIn,
  examples: Examples,
): Promise<Pick<SearchTarget, 'query' | 'without'>> {
  const { positive, negative } = examples;
  const without = [...new Set([...positive, ...negative].filter(isId))];
  const stored = await vectorsOf(reader, sought, without);
  const resolved = (list: keyof Examples): QueryVector[] =>
    examples[list].map((example, place) => resolve(sought, stored, example, `${list}[${place}]`));
  const like = resolved('positive');
  const unlike = resolved('negative');
  const { target } = sought;
  if (target.kind === 'sparse') return { query: asSparse(like as SparseVector[], unlike as SparseVector[]), without };
  return { query: asDense(target, like as Float32Array[], unlike as Float32Array[]), without };
}

function isId(example: Example): example is PointId {
  return typeof example !== 'object';
}

function resolve(sought: SoughtIn, stored: Stored, example: Example, path: string): QueryVector {
  if (!isId(example)) {
    checkVector(sought, example, { path });
    return example;
  }
  const vector = stored.get(example);
  if (vector === undefined) throw pointNotFound(sought, example, { path });
  const found = mustHave(sought, example, vector, path);
  checkVector(sought, found, { path });
  return found;
}

/** @throws ZeroVector (examples that cancel each other out, under cosine), InvalidVector (beyond float32) */
function asDense({ dimension, distance }: DenseTarget, like: readonly Float32Array[], unlike: readonly Float32Array[]) {
  const values = meanDirection(dimension, like, unlike, (vector) => (distance === 'cosine' ? norm(vector) : 1));
  const query = Float32Array.from(values);
  checkFinite(query);
  if (distance === 'cosine' && norm(query) < NO_DIRECTION) {
    throw new SkeinError('ZeroVector', 'The examples cancel each other out: what is left of them has no direction', {
      path: 'positive',
    });
  }
  return query;
}

/** Of all indices that occur. @throws InvalidVector (beyond float32), InvalidRequest (too many indices) */
function asSparse(like: readonly SparseVector[], unlike: readonly SparseVector[]): SparseVector {
  const sums = new Map<number, number>();
  const add = (vectors: readonly SparseVector[], weight: number): void => {
    for (const { indices, values } of vectors)
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i] as number;
        sums.set(index, (sums.get(index) ?? 0) + (weight * (values[i] as number)) / vectors.length);
      }
  };
  add(like, unlike.length === 0 ? 1 : 2);
  add(unlike, -1);
  const indices = Uint32Array.from(sums.keys()).sort();
  if (indices.length > FIXED.sparseValuesMax)
    throw invalidRequest('positive', `the examples have more than ${FIXED.sparseValuesMax} indices together`);
  const values = Float32Array.from(indices, (index) => sums.get(index) ?? 0);
  checkFinite(values);
  return { kind: 'sparse', indices, values };
}

function checkFinite(values: Float32Array): void {
  const component = values.findIndex((value) => !Number.isFinite(value));
  if (component < 0) return;
  throw new SkeinError('InvalidVector', `The examples lie so far apart that component ${component} is beyond float32`, {
    point_id: null,
    component,
    path: 'positive',
  });
}

/** @throws DimensionMismatch, ZeroVector, InvalidRequest (a vector of the other kind) */
export function checkVector({ entry, target }: SoughtIn, vector: QueryVector, details: ErrorDetails = {}): void {
  const isDense = vector instanceof Float32Array;
  const named = target.name === DEFAULT_VECTOR ? {} : { vector_name: target.name };
  if (isDense !== (target.kind === 'dense'))
    throw invalidRequest(
      String(details['path'] ?? 'vector'),
      target.kind === 'dense' ? 'these vectors are dense: a list of numbers' : 'these vectors are sparse: {indices, values}',
    );
  if (!isDense || target.kind !== 'dense') return;
  if (vector.length !== target.dimension) {
    throw new SkeinError(
      'DimensionMismatch',
      `The query has ${vector.length} components, collection '${entry.row.name}' has ${target.dimension}`,
      { expected: target.dimension, got: vector.length, ...named, ...details },
    );
  }
  if (target.distance === 'cosine' && norm(vector) === 0)
    throw new SkeinError('ZeroVector', 'A zero vector has no direction, so no cosine to anything', { ...named, ...details });
}

function pointNotFound({ entry: { row } }: SoughtIn, id: PointId, details: ErrorDetails = {}): SkeinError {
  return new SkeinError('PointNotFound', `Point ${JSON.stringify(id)} not found in '${row.name}'`, {
    id,
    collection: row.name,
    ...details,
  });
}
