/** Points as bodies of the Qdrant dialect have them, read row by row into columns. Of two rows with one id the later one counts, as there.
 *
 *  `vector` is a list of numbers, the default vector, or an object of vectors by name, where the empty name is the default one.
 *  Must not know: what a collection declares; the writer holds the rows against it. */

import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import {
  DEFAULT_VECTOR,
  type DenseVector,
  type JsonValue,
  type NamedVectors,
  type PointBlock,
  type PointId,
  type PointPatch,
  type SparseVector,
} from '../model/point.js';
import type { BodyReader, ValueKind } from './body-reader.js';
import { FloatColumn, TextColumn } from './columns.js';
import { NamedRows, readSparse } from './named-vectors.js';
import { join, placed, unknownField } from './place.js';
import { checkDialectId } from './qdrant-id.js';

/** What a row has under `vector`. */
export interface RowVectors {
  readonly vectorStart: number;
  /** 0: no default vector. */
  readonly components: number;
  /** The others, by name; null: there are none. */
  readonly named: NamedVectors | null;
}

interface Row extends RowVectors {
  readonly id: PointId;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

export interface DialectRowRules {
  readonly payloadBytesMax: number;
  /** Rows have a vector and no payload. */
  readonly vectorsOnly: boolean;
}

export class DialectRows {
  readonly #rules: DialectRowRules;
  readonly #vectors = new FloatColumn(0, FIXED.dimensionMax);
  readonly #payloads = new TextColumn(0);
  readonly #rows = new Map<PointId, Row>();

  constructor(rules: DialectRowRules) {
    this.#rules = rules;
  }

  /** `{id, vector, payload?}` @throws InvalidJson, InvalidRequest, InvalidVector, PayloadTooLarge */
  read(reader: BodyReader, path: string): void {
    const { vectorStart, payloadStart } = this.ends;
    let id: PointId | undefined;
    let vectors: RowVectors | undefined;
    if (reader.kind() !== 'object') throw invalidRequest(path, 'a point is an object');
    reader.enterObject();
    for (let key = reader.key(); key !== null; key = reader.key()) {
      if (key === 'id') id = readDialectId(reader, join(path, 'id'));
      else if (key === 'vector') {
        this.#vectors.length = vectorStart;
        vectors = this.readVectors(reader, join(path, 'vector'));
      } else if (key === 'payload' && !this.#rules.vectorsOnly) {
        this.#payloads.length = payloadStart;
        this.readPayload(reader, join(path, 'payload'));
      } else throw unknownField(join(path, key));
    }
    if (id === undefined) throw invalidRequest(join(path, 'id'), 'missing');
    if (vectors === undefined) throw invalidRequest(join(path, 'vector'), 'missing');
    this.keep(id, { ...vectors, payloadStart, payloadEnd: this.#payloads.length });
  }

  /** Where the next vector and payload begin. */
  get ends(): { readonly vectorStart: number; readonly payloadStart: number } {
    return { vectorStart: this.#vectors.length, payloadStart: this.#payloads.length };
  }

  keep(id: PointId, row: Omit<Row, 'id'>): void {
    this.#rows.delete(id);
    this.#rows.set(id, { id, ...row });
  }

  /** Next is what stands under `vector`. */
  readVectors(reader: BodyReader, path: string): RowVectors {
    const vectorStart = this.#vectors.length;
    const kind = reader.kind();
    if (isValues(kind)) return { vectorStart, components: readValues(reader, this.#vectors, path), named: null };
    if (kind !== 'object') throw invalidRequest(path, 'must be a list of numbers, or an object of vectors by name');
    let components = 0;
    const named = new Map<string, DenseVector | SparseVector>();
    reader.enterObject();
    for (let name = reader.key(); name !== null; name = reader.key()) {
      if (name !== DEFAULT_VECTOR) named.set(name, readVector(reader, join(path, name)));
      else {
        this.#vectors.length = vectorStart;
        components = readValues(reader, this.#vectors, join(path, name));
      }
      if (named.size > FIXED.namedVectorsMax) throw invalidRequest(path, `at most ${FIXED.namedVectorsMax} vectors`);
    }
    return { vectorStart, components, named: named.size === 0 ? null : named };
  }

  /** Next is a default vector. */
  readDefault(reader: BodyReader, path: string): Pick<RowVectors, 'vectorStart' | 'components'> {
    const vectorStart = this.#vectors.length;
    return { vectorStart, components: readValues(reader, this.#vectors, path) };
  }

  /** Appends the payload; null is none. */
  readPayload(reader: BodyReader, path: string): void {
    if (reader.kind() === 'null') {
      reader.value();
      return;
    }
    if (reader.kind() !== 'object') throw invalidRequest(path, 'a payload is an object');
    let text: string;
    try {
      text = reader.payload();
    } catch (error) {
      throw placed(error, path);
    }
    if (text === '{}') return;
    const bytes = this.#payloads.append(text);
    const limit = this.#rules.payloadBytesMax;
    if (bytes > limit)
      throw new SkeinError('PayloadTooLarge', `${path} has ${bytes} bytes, the limit is ${limit}`, { limit_bytes: limit, path });
  }

  /** As one upsert. @param dimension of the collection's default vector; null: it has none @throws DimensionMismatch */
  block(dimension: number | null): PointBlock {
    const rows = [...this.#rows.values()];
    const withVector = rows.filter(({ components }) => components > 0);
    const expected = dimension ?? withVector[0]?.components ?? 0;
    const vectors = new Float32Array(withVector.length * expected);
    for (const [i, row] of withVector.entries()) {
      if (row.components !== expected) throw dimensionMismatch(row, expected);
      vectors.set(this.#vectors.values.subarray(row.vectorStart, row.vectorStart + expected), i * expected);
    }
    const named = new NamedRows();
    for (const [i, row] of rows.entries()) if (row.named !== null) named.put(i, row.named);
    const column = named.finish(rows.length);
    return {
      ids: rows.map(({ id }) => id),
      dimension: withVector.length === 0 ? 0 : expected,
      vectors,
      ...this.#payloadsOf(rows),
      ifVersions: null,
      expiresAt: null,
      ...(withVector.length < rows.length && { hasVector: Uint8Array.from(rows, ({ components }) => (components > 0 ? 1 : 0)) }),
      ...(column !== null && { named: column }),
    };
  }

  #payloadsOf(rows: readonly Row[]): Pick<PointBlock, 'payloadBytes' | 'payloadEnds'> {
    const payloads = this.#payloads.finish();
    let end = 0;
    const payloadEnds = Uint32Array.from(rows, ({ payloadStart, payloadEnd }) => (end += payloadEnd - payloadStart));
    const payloadBytes = new Uint8Array(end);
    for (const [i, { payloadStart, payloadEnd }] of rows.entries())
      payloadBytes.set(payloads.subarray(payloadStart, payloadEnd), i === 0 ? 0 : payloadEnds[i - 1]);
    return { payloadBytes, payloadEnds };
  }

  /** As patches of vectors alone; default ones are views into one buffer. */
  patches(): PointPatch[] {
    const vectors = this.#vectors.finish();
    return [...this.#rows.values()].map(({ id, vectorStart, components, named }) => ({
      id,
      ...(components > 0 && { vector: vectors.subarray(vectorStart, vectorStart + components) }),
      ...(named !== null && { vectors: named }),
    }));
  }
}

function isValues(kind: ValueKind): boolean {
  return kind === 'array' || kind === 'binary';
}

/** A dense or a sparse vector. */
export function readVector(reader: BodyReader, path: string): DenseVector | SparseVector {
  const kind = reader.kind();
  if (kind === 'object') return readSparse(reader, path);
  if (!isValues(kind)) throw invalidRequest(path, 'must be a list of numbers or {indices, values}');
  const column = new FloatColumn(0, FIXED.dimensionMax);
  readValues(reader, column, path);
  return { kind: 'dense', values: column.finish() };
}

/** Appends a list of numbers. @returns how many there are */
function readValues(reader: BodyReader, column: FloatColumn, path: string): number {
  if (!isValues(reader.kind())) throw invalidRequest(path, 'must be a list of numbers');
  let components: number;
  try {
    components = reader.vector(column);
  } catch (error) {
    throw placed(error, path);
  }
  if (components === 0 || components > FIXED.dimensionMax)
    throw invalidRequest(path, `must have 1 to ${FIXED.dimensionMax} numbers`);
  if (column.bad < 0) return components;
  const place = `${path}[${column.bad}]`;
  throw new SkeinError('InvalidVector', `${place} is not a finite float32 number`, { component: column.bad, path: place });
}

export function readDialectId(reader: BodyReader, path: string): PointId {
  let value: JsonValue;
  try {
    value = reader.value();
  } catch (error) {
    throw placed(error, path);
  }
  return checkDialectId(value, path);
}

function dimensionMismatch({ id, components }: Row, expected: number): SkeinError {
  return new SkeinError(
    'DimensionMismatch',
    `Point ${JSON.stringify(id)}: the vector has ${components} components, not ${expected}`,
    {
      expected,
      got: components,
      point_id: id,
    },
  );
}
