/** Vectors under names, `{name: [..] | {indices, values}}`, read from a body and held against what is known of the collection.
 *
 *  A sparse vector's indices may come in any order; they leave it ascending. Every refusal names its place, and the vector in its details.
 *  Must not know: how vectors are stored. */

import { encodeVectorSet } from '../codec/vector-set.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { DenseVector, NamedColumn, NamedVectors, PointId, SparseVector } from '../model/point.js';
import { checkVectorName } from '../model/vector-spec.js';
import type { BodyReader } from './body-reader.js';
import { FloatColumn } from './columns.js';
import { readFields } from './fields.js';
import { join, placed } from './place.js';
import type { NamedRule, NamedVectorRule } from './vector-rule.js';

const INDEX_MAX = 2 ** 32 - 1;

/** @param path of the object  @param rule left out: no names are declared
 *  @throws InvalidJson, InvalidRequest, InvalidVector, DimensionMismatch, ZeroVector */
export function readNamedVectors(
  reader: BodyReader,
  path: string,
  rule: NamedRule | undefined,
): Map<string, DenseVector | SparseVector> {
  if (reader.kind() !== 'object') throw invalidRequest(path, 'vectors stand under their names, in an object');
  const vectors = new Map<string, DenseVector | SparseVector>();
  reader.enterObject();
  for (let name = reader.key(); name !== null; name = reader.key()) {
    const place = join(path, name);
    const known = ruleFor(rule, name, place);
    vectors.set(name, readOne(reader, place, name, known));
    if (vectors.size > FIXED.namedVectorsMax) throw invalidRequest(path, `at most ${FIXED.namedVectorsMax} vectors`);
  }
  return vectors;
}

/** Null: nothing is known of it. */
function ruleFor(rule: NamedRule | undefined, name: string, place: string): NamedVectorRule | null {
  if (rule?.vectors === null) {
    checkVectorName(name, place);
    return null;
  }
  const known = rule?.vectors.find((one) => one.name === name);
  if (known !== undefined) return known;
  throw invalidRequest(place, `there is no vector of this name; ${namesIn(rule)}`);
}

/** What a refusal says about the names that there are. */
export function namesIn(rule: NamedRule | undefined): string {
  const names = (rule?.vectors ?? []).map(({ name }) => JSON.stringify(name));
  return names.length === 0 ? 'the collection declares no named vectors' : `declared are ${names.join(', ')}`;
}

function readOne(reader: BodyReader, place: string, name: string, rule: NamedVectorRule | null): DenseVector | SparseVector {
  const kind = reader.kind();
  const isDense = kind === 'array' || kind === 'binary';
  if (!isDense && kind !== 'object')
    throw invalidRequest(place, 'a vector is an array of numbers, in MessagePack also binary of float32, or {indices, values}');
  if (rule !== null && isDense !== (rule.dimension !== null))
    throw invalidRequest(place, isDense ? 'is a sparse vector: {indices, values}' : 'is a dense vector: an array of numbers');
  if (!isDense) return readSparse(reader, place, { vector_name: name });
  const column = new FloatColumn(0, rule?.dimension ?? undefined);
  const components = readValues(reader, column, place, { vector_name: name });
  const expected = rule?.dimension ?? null;
  if (components !== (expected ?? components) || components === 0 || components > column.room)
    throw new SkeinError('DimensionMismatch', `${place} has ${components} components, not ${expected ?? '1 to 65535'}`, {
      ...{ expected, got: components, point_id: null, path: place, vector_name: name },
    });
  const values = column.finish();
  if (rule?.distance === 'cosine' && values.every((value) => value === 0))
    throw new SkeinError('ZeroVector', `${place} is zero everywhere: under cosine distance it has no direction`, {
      ...{ point_id: null, path: place, vector_name: name },
    });
  return { kind: 'dense', values };
}

type Details = Readonly<Record<string, string>>;

/** @returns how many there were  @throws InvalidVector for one that is not finite */
function readValues(reader: BodyReader, column: FloatColumn, place: string, details: Details): number {
  let components: number;
  try {
    components = reader.vector(column);
  } catch (error) {
    throw placed(error, place);
  }
  if (column.bad < 0) return components;
  const path = `${place}[${column.bad}]`;
  throw new SkeinError('InvalidVector', `${path} is not a finite float32 number`, {
    ...{ point_id: null, component: column.bad, path, ...details },
  });
}

/** `{indices: [..], values: [..]}`, both of one length. @throws InvalidJson, InvalidRequest, InvalidVector */
export function readSparse(reader: BodyReader, path: string, details: Details = {}): SparseVector {
  let indices: number[] = [];
  const column = new FloatColumn(0, FIXED.sparseValuesMax);
  const valuesPath = join(path, 'values');
  readFields(
    reader,
    path,
    {
      indices: () => {
        indices = readIndices(reader, join(path, 'indices'));
      },
      values: () => {
        if (reader.kind() !== 'array' && reader.kind() !== 'binary')
          throw invalidRequest(valuesPath, 'an array of numbers, in MessagePack also binary of float32');
        column.length = 0;
        readValues(reader, column, valuesPath, details);
      },
    },
    ['indices', 'values'],
  );
  if (indices.length !== column.length)
    throw invalidRequest(path, `${indices.length} indices and ${column.length} values: they must be as many`);
  return inOrder(indices, column.finish(), join(path, 'indices'));
}

function readIndices(reader: BodyReader, path: string): number[] {
  const indices: number[] = [];
  const refused = (): Error => invalidRequest(`${path}[${indices.length}]`, `an integer from 0 to ${INDEX_MAX}`);
  if (reader.kind() !== 'array') throw invalidRequest(path, 'an array of integers');
  reader.enterArray();
  while (reader.more()) {
    if (indices.length === FIXED.sparseValuesMax) throw invalidRequest(path, `at most ${FIXED.sparseValuesMax} entries`);
    if (reader.kind() !== 'number') throw refused();
    const index = reader.number();
    if (!Number.isInteger(index) || index < 0 || index > INDEX_MAX) throw refused();
    indices.push(index);
  }
  return indices;
}

/** @throws InvalidRequest when an index stands twice */
function inOrder(given: readonly number[], values: Float32Array, path: string): SparseVector {
  const isAscending = given.every((index, i) => i === 0 || index > (given[i - 1] as number));
  if (isAscending) return { kind: 'sparse', indices: Uint32Array.from(given), values };
  const order = [...given.keys()].sort((a, b) => (given[a] as number) - (given[b] as number));
  const indices = Uint32Array.from(order, (i) => given[i] as number);
  const twice = indices.findIndex((index, i) => i > 0 && index === indices[i - 1]);
  if (twice >= 0) throw invalidRequest(path, `the index ${indices[twice]} stands there twice`);
  return { kind: 'sparse', indices, values: Float32Array.from(order, (i) => values[i] as number) };
}

/** The point that a refusal is about is known later than its vectors are read. */
export function ofPoint(error: unknown, id: PointId | undefined): unknown {
  if (!(error instanceof SkeinError) || id === undefined || error.details['point_id'] !== null) return error;
  return new SkeinError(error.type, error.message, { ...error.details, point_id: id });
}

/** Vector sets of rows, one behind the other; nothing at all while no row has one. */
export class NamedRows {
  readonly #parts: Uint8Array[] = [];
  readonly #ends: number[] = [];
  #bytes = 0;

  /** @param row beyond those before */
  put(row: number, vectors: NamedVectors): void {
    if (vectors.size === 0) return;
    this.#passOver(row);
    const set = encodeVectorSet(vectors);
    this.#parts.push(set);
    this.#bytes += set.length;
    this.#ends.push(this.#bytes);
  }

  #passOver(rows: number): void {
    while (this.#ends.length < rows) this.#ends.push(this.#bytes);
  }

  /** In buffers of their own. @param rows how many there are */
  finish(rows: number): NamedColumn | null {
    if (this.#parts.length === 0) return null;
    this.#passOver(rows);
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { bytes, ends: Uint32Array.from(this.#ends) };
  }
}
