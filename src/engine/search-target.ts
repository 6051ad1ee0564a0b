/** What a search looks near: a vector as given, the vector of a point, or what examples have in common.
 *
 *    examples    2 · mean(positive) − mean(negative), or mean(positive) where there are none to be unlike
 *
 *  Under cosine every example counts with length 1, because its direction is all that counts there. Sums run over float64.
 *  Must not know: indexes, hits. */

import { norm } from '../model/distance.js';
import { type ErrorDetails, SkeinError } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import type { CatalogueEntry } from './catalogue.js';
import type { Example, Examples, SearchRequest } from './engine.js';
import type { Reader } from './reader.js';

export interface SearchTarget {
  /** Null: only the text is searched for. */
  readonly query: Float32Array | null;
  /** Points that are no hits, each once. */
  readonly without: readonly PointId[];
}

/** A sum of directions that is shorter than this is what rounding left of examples that cancel each other out. */
const NO_DIRECTION = 1e-6;

/** @throws DimensionMismatch, ZeroVector, InvalidVector (examples whose difference is beyond float32), PointNotFound, CorruptData;
 *  details.path is such as `positive[3]` for an example */
export async function searchTarget(reader: Reader, entry: CatalogueEntry, request: SearchRequest): Promise<SearchTarget> {
  const { vector, id, examples } = request;
  if (examples !== undefined) return exampleTarget(reader, entry, examples);
  if (id !== undefined) return { query: await vectorOf(reader, entry, id), without: [id] };
  if (vector !== undefined) checkVector(entry, vector);
  return { query: vector === undefined ? null : alone(vector), without: [] };
}

/** In a buffer of its own: whatever stands around it would be copied to the index with it. */
function alone(vector: Float32Array): Float32Array {
  return vector.byteLength === vector.buffer.byteLength ? vector : vector.slice();
}

async function vectorOf(reader: Reader, entry: CatalogueEntry, id: PointId): Promise<Float32Array> {
  const vector = (await vectorsOf(reader, entry, [id])).get(id);
  if (vector === undefined) throw pointNotFound(entry, id);
  return vector;
}

async function vectorsOf(reader: Reader, { row }: CatalogueEntry, ids: readonly PointId[]): Promise<Map<PointId, Float32Array>> {
  const found = new Map<PointId, Float32Array>();
  if (ids.length === 0) return found;
  const selection = { withPayload: false, withVector: true };
  const { points } = await reader.read({ kind: 'get', uid: row.uid, ids, selection, bytesMax: Number.POSITIVE_INFINITY });
  for (const { id, vector } of points) if (vector !== null) found.set(id, vector);
  return found;
}

async function exampleTarget(reader: Reader, entry: CatalogueEntry, examples: Examples): Promise<SearchTarget> {
  const { positive, negative } = examples;
  const without = [...new Set([...positive, ...negative].filter(isId))];
  const stored = await vectorsOf(reader, entry, without);
  const meanOf = (list: keyof Examples): Float64Array => {
    const sum = new Float64Array(entry.row.spec.dimension);
    for (const [place, example] of examples[list].entries()) {
      const vector = isId(example) ? stored.get(example) : example;
      addExample(sum, entry, vector ?? example, `${list}[${place}]`);
    }
    return sum.map((value) => value / examples[list].length);
  };
  const like = meanOf('positive');
  const unlike = negative.length === 0 ? null : meanOf('negative');
  const query = unlike === null ? like : like.map((value, i) => 2 * value - (unlike[i] as number));
  return { query: asQuery(entry, query), without };
}

function isId(example: Example): example is PointId {
  return !(example instanceof Float32Array);
}

/** Adds the example's vector, under cosine its direction. @param vector still an id when there is no such point */
function addExample(sum: Float64Array, entry: CatalogueEntry, vector: Example, path: string): void {
  if (isId(vector)) throw pointNotFound(entry, vector, { path });
  checkVector(entry, vector, { path });
  const length = entry.row.spec.distance === 'cosine' ? norm(vector) : 1;
  for (const [i, value] of vector.entries()) sum[i] = (sum[i] as number) + value / length;
}

/** @throws ZeroVector (examples that cancel each other out, under cosine), InvalidVector (beyond float32) */
function asQuery({ row }: CatalogueEntry, values: Float64Array): Float32Array {
  const query = Float32Array.from(values);
  const component = query.findIndex((value) => !Number.isFinite(value));
  if (component >= 0) {
    throw new SkeinError('InvalidVector', `The examples lie so far apart that component ${component} is beyond float32`, {
      point_id: null,
      component,
      path: 'positive',
    });
  }
  if (row.spec.distance === 'cosine' && norm(query) < NO_DIRECTION) {
    throw new SkeinError('ZeroVector', 'The examples cancel each other out: what is left of them has no direction', {
      path: 'positive',
    });
  }
  return query;
}

/** @throws DimensionMismatch, ZeroVector */
export function checkVector({ row }: CatalogueEntry, vector: Float32Array, details: ErrorDetails = {}): void {
  const { dimension, distance } = row.spec;
  if (vector.length !== dimension) {
    throw new SkeinError(
      'DimensionMismatch',
      `The query has ${vector.length} components, collection '${row.name}' has ${dimension}`,
      { expected: dimension, got: vector.length, ...details },
    );
  }
  if (distance === 'cosine' && norm(vector) === 0)
    throw new SkeinError('ZeroVector', 'A zero vector has no direction, so no cosine to anything', details);
}

function pointNotFound({ row }: CatalogueEntry, id: PointId, details: ErrorDetails = {}): SkeinError {
  return new SkeinError('PointNotFound', `Point ${JSON.stringify(id)} not found in '${row.name}'`, {
    id,
    collection: row.name,
    ...details,
  });
}
