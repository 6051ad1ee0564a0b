/** Points as bodies of the Qdrant dialect have them, read row by row into columns. Of two rows with one id the later one counts, as there.
 *
 *  `vector` is a list of numbers, the default vector, or an object of vectors by name, where the empty name is the default one.
 *  Must not know: what a collection declares; the writer holds the rows against it. */

import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { JsonValue, PointBlock, PointId, PointPatch } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { FloatColumn, TextColumn } from './columns.js';
import { join, placed, unknownField } from './place.js';
import { checkDialectId } from './qdrant-id.js';

interface Row {
  readonly id: PointId;
  readonly vectorStart: number;
  /** 0: no default vector. */
  readonly components: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

export interface DialectRowRules {
  readonly payloadBytesMax: number;
  /** Rows have a vector and no payload. */
  readonly vectorsOnly: boolean;
}

const DEFAULT_NAME = '';

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
    const vectorStart = this.#vectors.length;
    const payloadStart = this.#payloads.length;
    let id: PointId | undefined;
    let components = -1;
    if (reader.kind() !== 'object') throw invalidRequest(path, 'a point is an object');
    reader.enterObject();
    for (let key = reader.key(); key !== null; key = reader.key()) {
      if (key === 'id') id = readDialectId(reader, join(path, 'id'));
      else if (key === 'vector') {
        this.#vectors.length = vectorStart;
        components = this.readVectors(reader, join(path, 'vector'));
      } else if (key === 'payload' && !this.#rules.vectorsOnly) {
        this.#payloads.length = payloadStart;
        this.readPayload(reader, join(path, 'payload'));
      } else throw unknownField(join(path, key));
    }
    if (id === undefined) throw invalidRequest(join(path, 'id'), 'missing');
    if (components < 0) throw invalidRequest(join(path, 'vector'), 'missing');
    this.keep(id, { vectorStart, components, payloadStart, payloadEnd: this.#payloads.length });
  }

  /** Where the next vector and payload begin. */
  get ends(): { readonly vectorStart: number; readonly payloadStart: number } {
    return { vectorStart: this.#vectors.length, payloadStart: this.#payloads.length };
  }

  keep(id: PointId, row: Omit<Row, 'id'>): void {
    this.#rows.delete(id);
    this.#rows.set(id, { id, ...row });
  }

  /** Next is what stands under `vector`. @returns the components of the default vector, which stands last in the column; 0: there is none */
  readVectors(reader: BodyReader, path: string): number {
    const kind = reader.kind();
    if (kind === 'array' || kind === 'binary') return this.readValues(reader, path);
    if (kind !== 'object') throw invalidRequest(path, 'must be a list of numbers, or an object of vectors by name');
    let components = 0;
    reader.enterObject();
    for (let name = reader.key(); name !== null; name = reader.key()) {
      if (name !== DEFAULT_NAME) throw invalidRequest(join(path, name), 'the collection has no named vectors');
      components = this.readValues(reader, join(path, name));
    }
    return components;
  }

  /** @returns how many there are */
  readValues(reader: BodyReader, path: string): number {
    const kind = reader.kind();
    if (kind !== 'array' && kind !== 'binary') throw invalidRequest(path, 'must be a list of numbers');
    let components: number;
    try {
      components = reader.vector(this.#vectors);
    } catch (error) {
      throw placed(error, path);
    }
    if (components === 0 || components > FIXED.dimensionMax)
      throw invalidRequest(path, `must have 1 to ${FIXED.dimensionMax} numbers`);
    if (this.#vectors.bad < 0) return components;
    const place = `${path}[${this.#vectors.bad}]`;
    throw new SkeinError('InvalidVector', `${place} is not a finite float32 number`, {
      component: this.#vectors.bad,
      path: place,
    });
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

  /** As one upsert. @param dimension of the collection's default vector; null: it has none, or is not known @throws DimensionMismatch */
  block(dimension: number | null): PointBlock {
    const rows = [...this.#rows.values()];
    const expected = dimension ?? rows[0]?.components ?? 0;
    const vectors = new Float32Array(rows.length * expected);
    const payloads = this.#payloads.finish();
    const parts: Uint8Array[] = [];
    const payloadEnds = new Uint32Array(rows.length);
    let end = 0;
    for (const [i, row] of rows.entries()) {
      if (row.components !== expected) throw dimensionMismatch(row, expected);
      vectors.set(this.#vectors.values.subarray(row.vectorStart, row.vectorStart + row.components), i * expected);
      parts.push(payloads.subarray(row.payloadStart, row.payloadEnd));
      end += row.payloadEnd - row.payloadStart;
      payloadEnds[i] = end;
    }
    return {
      ids: rows.map(({ id }) => id),
      dimension: expected,
      vectors,
      payloadBytes: joined(parts, end),
      payloadEnds,
      ifVersions: null,
      expiresAt: null,
    };
  }

  /** As patches of vectors alone; views into one buffer. */
  patches(): PointPatch[] {
    const vectors = this.#vectors.finish();
    return [...this.#rows.values()].map(({ id, vectorStart, components }) => ({
      id,
      ...(components > 0 && { vector: vectors.subarray(vectorStart, vectorStart + components) }),
    }));
  }
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

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
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
