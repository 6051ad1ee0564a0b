/** Vectors of a query: numbers, sparse ones as {indices, values}, or the id of a point that has one. What this server has not is refused by name:
 *  several vectors for one point, and texts or images that a model would turn into a vector.
 *  Must not know: dimensions, collections. */

import type { QueryVector, SparseVector } from '../../../model/point.js';
import { join } from '../../../wire/place.js';
import { formOf, listOf } from '../form.js';
import { formMistake, wrongInput } from '../mistakes.js';
import { isObject } from '../plain-object.js';
import { askedId } from '../point-id.js';
import type { VectorInput } from './stages.js';

const UINT32_MAX = 2 ** 32 - 1;

/** @throws InvalidRequest */
export function vectorInput(value: unknown, path: string): VectorInput {
  if (typeof value === 'number' || typeof value === 'string') return { asked: askedId(value, path) };
  return { vector: anyVector(value, path) };
}

/** @throws InvalidRequest */
export function anyVector(value: unknown, path: string): QueryVector {
  if (Array.isArray(value)) {
    if (Array.isArray(value[0])) throw wrongInput('several vectors for one point are not supported here', path);
    return denseVector(value, path);
  }
  if (isObject(value) && ('indices' in value || 'values' in value)) return sparseVector(value, path);
  if (isObject(value) && 'model' in value)
    throw wrongInput('vectors are not made from texts or images here: send the vector', path);
  throw formMistake(path, 'must be a list of numbers, {indices, values}, or the id of a point');
}

function denseVector(values: readonly unknown[], path: string): Float32Array {
  const vector = new Float32Array(values.length);
  for (const [i, value] of values.entries()) {
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
      throw formMistake(`${path}[${i}]`, 'must be a number of float32');
    vector[i] = value;
  }
  return vector;
}

/** In the order of its indices. */
function sparseVector(value: unknown, path: string): SparseVector {
  const { indices: given, values: weights } = formOf(value, path, ['indices', 'values']);
  const indices = listOf(given, join(path, 'indices'));
  const values = denseVector(listOf(weights, join(path, 'values')), join(path, 'values'));
  if (indices.length !== values.length) throw formMistake(path, 'must have as many values as indices');
  const entries = indices.map((index, i): [number, number] => {
    if (!Number.isSafeInteger(index) || (index as number) < 0 || (index as number) > UINT32_MAX)
      throw formMistake(`${path}.indices[${i}]`, 'must be an integer from 0 to 2^32-1');
    return [index as number, values[i] as number];
  });
  entries.sort(([a], [b]) => a - b);
  const twice = entries.findIndex(([index], i) => index === entries[i - 1]?.[0]);
  if (twice >= 0) throw formMistake(join(path, 'indices'), `has ${String(entries[twice]?.[0])} twice`);
  return {
    kind: 'sparse',
    indices: Uint32Array.from(entries, ([index]) => index),
    values: Float32Array.from(entries, ([, weight]) => weight),
  };
}
