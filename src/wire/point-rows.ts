/** Points of an upsert: read row by row from a body straight into columns (model/point.ts, PointBlock).
 *
 *  Every refusal names the row and the point. A row that was refused leaves nothing behind, so an import can go on with the next one.
 *  Must not know: what a collection holds; its dimension and distance are handed in. */

import { invalidRequest, SkeinError } from '../model/errors.js';
import type { NamedVectors, PointBlock, PointId } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { FloatColumn, TextColumn } from './columns.js';
import { NamedRows, namesIn, ofPoint, readNamedVectors } from './named-vectors.js';
import { notAvailable, type Place, pathOf, placed, unknownField } from './place.js';
import { readExpiry, readId, readVersion } from './scalars.js';
import type { NamedRule, VectorRule } from './vector-rule.js';

export interface RowRules extends VectorRule {
  readonly payloadBytesMax: number;
}

const LINE: Place = { list: '', index: 0 };

export class PointRows {
  readonly #rules: RowRules;
  readonly #vectors: FloatColumn;
  readonly #payloads = new TextColumn(0);
  #dimension: number | null;
  #ids: PointId[] = [];
  readonly #seen = new Set<PointId>();
  #payloadEnds: number[] = [];
  #ifVersions: number[] | null = null;
  #expiresAt: number[] | null = null;
  /** 1 for a row with a default vector; null while all have one. */
  #hasVector: number[] | null = null;
  readonly #named = new NamedRows();

  constructor(rules: RowRules) {
    this.#rules = rules;
    this.#dimension = rules.dimension;
    this.#vectors = new FloatColumn(0, rules.dimension ?? undefined);
  }

  get count(): number {
    return this.#ids.length;
  }

  /** The first row without a default vector, or −1. */
  get firstWithout(): number {
    return this.#hasVector?.indexOf(0) ?? -1;
  }

  /** Reads one point of a list.
   *  @throws InvalidJson, InvalidRequest, InvalidVector, DimensionMismatch, ZeroVector, PayloadTooLarge; the row is then not there */
  read(reader: BodyReader, place: Place): void {
    if (!this.#attempt(reader, place, false)) throw invalidRequest(pathOf(place, 'id'), 'this id stands twice in one request');
  }

  /** Reads the one point that is the whole text, a line of an import. False, and nothing kept, when its id is among the rows.
   *  @throws as read */
  readLine(reader: BodyReader): boolean {
    return this.#attempt(reader, LINE, true);
  }

  #attempt(reader: BodyReader, place: Place, whole: boolean): boolean {
    const vectorsBefore = this.#vectors.length;
    const payloadsBefore = this.#payloads.length;
    let kept = false;
    try {
      kept = this.#readRow(reader, place, whole);
    } finally {
      if (!kept) {
        this.#vectors.length = vectorsBefore;
        this.#payloads.length = payloadsBefore;
      }
    }
    return kept;
  }

  #readRow(reader: BodyReader, place: Place, whole: boolean): boolean {
    const vectorsBefore = this.#vectors.length;
    const payloadsBefore = this.#payloads.length;
    let id: PointId | undefined;
    let components = -1;
    let ifVersion = Number.NaN;
    let expiresAt = Number.NaN;
    let named: NamedVectors | null = null;
    if (reader.kind() !== 'object') throw invalidRequest(pathOf(place, ''), 'a point is an object');
    reader.enterObject();
    for (let key = reader.key(); key !== null; key = reader.key()) {
      switch (key) {
        case 'id':
          id = readId(reader, place);
          break;
        case 'vector':
          // Of two fields of one name the last counts, as in JSON.parse.
          this.#vectors.length = vectorsBefore;
          mayHaveDefault(this.#rules.named, place);
          components = readVector(reader, this.#vectors, place);
          break;
        case 'vectors':
          named = readVectors(reader, place, this.#rules.named, id);
          break;
        case 'payload':
          this.#payloads.length = payloadsBefore;
          this.#readPayload(reader, place);
          break;
        case 'if_version':
          ifVersion = readVersion(reader, place);
          break;
        case 'expires_at':
          expiresAt = readExpiry(reader, place);
          break;
        case 'text':
          throw notAvailable(pathOf(place, 'text'), 'embedding of text');
        default:
          throw unknownField(pathOf(place, key));
      }
    }
    if (id === undefined) throw invalidRequest(pathOf(place, 'id'), 'missing');
    if (components >= 0)
      checkVector(this.#vectors, components, { dimension: this.#dimension, distance: this.#rules.distance }, place, id);
    else if (this.#rules.named === undefined) throw invalidRequest(pathOf(place, 'vector'), 'missing');
    const payloadBytes = this.#payloads.length - payloadsBefore;
    if (payloadBytes > this.#rules.payloadBytesMax) throw payloadTooLarge(place, id, payloadBytes, this.#rules.payloadBytesMax);
    if (whole) reader.end();
    if (this.#seen.has(id)) return false;
    if (components >= 0) this.#dimension ??= components;
    if (named !== null) this.#named.put(this.#ids.length, named);
    if (components < 0) this.#hasVector ??= new Array<number>(this.#ids.length).fill(1);
    this.#hasVector?.push(components < 0 ? 0 : 1);
    this.#keep(id, ifVersion, expiresAt);
    return true;
  }

  #readPayload(reader: BodyReader, place: Place): void {
    const text = readPayload(reader, place);
    if (text !== '{}') this.#payloads.append(text);
  }

  #keep(id: PointId, ifVersion: number, expiresAt: number): void {
    const row = this.#ids.length;
    this.#ids.push(id);
    this.#seen.add(id);
    this.#payloadEnds.push(this.#payloads.length);
    if (!Number.isNaN(ifVersion)) this.#ifVersions ??= new Array<number>(row).fill(Number.NaN);
    this.#ifVersions?.push(ifVersion);
    if (!Number.isNaN(expiresAt)) this.#expiresAt ??= new Array<number>(row).fill(Number.NaN);
    this.#expiresAt?.push(expiresAt);
  }

  /** The block, in buffers of its own; the rows are used up. */
  finish(): PointBlock {
    const named = this.#named.finish(this.#ids.length);
    return {
      ids: this.#ids,
      dimension: this.#dimension ?? 0,
      vectors: this.#vectors.finish(),
      payloadBytes: this.#payloads.finish(),
      payloadEnds: Uint32Array.from(this.#payloadEnds),
      ifVersions: this.#ifVersions === null ? null : Float64Array.from(this.#ifVersions),
      expiresAt: this.#expiresAt === null ? null : Float64Array.from(this.#expiresAt),
      ...(this.#hasVector === null ? {} : { hasVector: Uint8Array.from(this.#hasVector) }),
      ...(named === null ? {} : { named }),
    };
  }
}

/** @throws InvalidRequest where the collection is known to have no default vector */
export function mayHaveDefault(rule: NamedRule | undefined, place: Place): void {
  if (rule?.hasDefault !== false) return;
  throw invalidRequest(pathOf(place, 'vector'), `the collection has no default vector; ${namesIn(rule)}`);
}

/** @param id as far as it is known by now  @throws as readNamedVectors */
export function readVectors(
  reader: BodyReader,
  place: Place,
  rule: NamedRule | undefined,
  id: PointId | undefined,
): NamedVectors {
  try {
    return readNamedVectors(reader, pathOf(place, 'vectors'), rule);
  } catch (error) {
    throw ofPoint(error, id);
  }
}

/** The JSON text of a payload. @throws InvalidJson, InvalidRequest when it is no object or an integer in it would lose digits */
export function readPayload(reader: BodyReader, place: Place): string {
  if (reader.kind() !== 'object') throw invalidRequest(pathOf(place, 'payload'), 'a payload is an object');
  try {
    return reader.payload();
  } catch (error) {
    throw placed(error, pathOf(place, 'payload'));
  }
}

/** Reads an array (or, in MessagePack, binary) of components behind what `into` holds. @throws InvalidRequest when it is neither */
export function readVector(reader: BodyReader, into: FloatColumn, place: Place): number {
  const kind = reader.kind();
  if (kind !== 'array' && kind !== 'binary') {
    throw invalidRequest(pathOf(place, 'vector'), 'a vector is an array of numbers, in MessagePack also binary of float32');
  }
  try {
    return reader.vector(into);
  } catch (error) {
    throw placed(error, pathOf(place, 'vector'));
  }
}

/** Holds the row that stands last in the column against the rule. @throws InvalidVector, DimensionMismatch, ZeroVector */
export function checkVector(
  column: FloatColumn,
  components: number,
  rule: Omit<VectorRule, 'named'>,
  place: Place,
  id: PointId | null,
): void {
  const expected = rule.dimension ?? (components === 0 || components > column.room ? column.room : components);
  if (components !== expected) {
    const path = pathOf(place, 'vector');
    throw new SkeinError(
      'DimensionMismatch',
      `${path} has ${components} components, the collection has ${rule.dimension ?? '1 to 65535'}`,
      {
        expected: rule.dimension,
        got: components,
        point_id: id,
        path,
      },
    );
  }
  if (column.bad >= 0) {
    const path = pathOf(place, `vector[${column.bad}]`);
    throw new SkeinError('InvalidVector', `${path} is not a finite float32 number`, {
      point_id: id,
      component: column.bad,
      path,
    });
  }
  if (rule.distance !== 'cosine') return;
  for (let i = column.length - components; i < column.length; i++) if (column.values[i] !== 0) return;
  const path = pathOf(place, 'vector');
  throw new SkeinError('ZeroVector', `${path} is zero everywhere: under cosine distance it has no direction`, {
    point_id: id,
    path,
  });
}

export function payloadTooLarge(place: Place, id: PointId, bytes: number, limit: number): SkeinError {
  const path = pathOf(place, 'payload');
  return new SkeinError('PayloadTooLarge', `${path} has ${bytes} bytes, the limit is ${limit}`, {
    limit_bytes: limit,
    point_id: id,
    path,
  });
}
