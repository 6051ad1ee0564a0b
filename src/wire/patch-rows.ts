/** Patches of points: read row by row, vectors and payloads in columns until all rows are there. Refusals as in wire/point-rows.ts. */

import { invalidRequest } from '../model/errors.js';
import type { NamedVectors, PointId, PointPatch } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { FloatColumn, TextColumn } from './columns.js';
import { namesIn } from './named-vectors.js';
import { notAvailable, type Place, pathOf, unknownField } from './place.js';
import {
  checkVector,
  mayHaveDefault,
  payloadTooLarge,
  type RowRules,
  readPayload,
  readVector,
  readVectors,
} from './point-rows.js';
import { readId, readVersion } from './scalars.js';
import type { NamedRule } from './vector-rule.js';

interface Row {
  readonly id: PointId;
  readonly vectorEnd: number;
  readonly components: number;
  readonly vectors: NamedVectors | null;
  readonly unsetVectors: readonly string[] | null;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly hasPayload: boolean;
  readonly unset: readonly string[] | null;
  readonly ifVersion: number;
}

export class PatchRows {
  readonly #rules: RowRules;
  readonly #vectors: FloatColumn;
  readonly #payloads = new TextColumn(0);
  #dimension: number | null;
  readonly #rows: Row[] = [];
  readonly #seen = new Set<PointId>();

  constructor(rules: RowRules) {
    this.#rules = rules;
    this.#dimension = rules.dimension;
    this.#vectors = new FloatColumn(0, rules.dimension ?? undefined);
  }

  get count(): number {
    return this.#rows.length;
  }

  /** @throws as PointRows.read; the request is then refused as a whole */
  read(reader: BodyReader, place: Place): void {
    const vectorStart = this.#vectors.length;
    const payloadStart = this.#payloads.length;
    let id: PointId | undefined;
    let components = -1;
    let vectors: NamedVectors | null = null;
    let unsetVectors: string[] | null = null;
    let hasPayload = false;
    let unset: string[] | null = null;
    let ifVersion = Number.NaN;
    if (reader.kind() !== 'object') throw invalidRequest(pathOf(place, ''), 'a patch is an object');
    reader.enterObject();
    for (let key = reader.key(); key !== null; key = reader.key()) {
      switch (key) {
        case 'id':
          id = readId(reader, place);
          break;
        case 'vector':
          this.#vectors.length = vectorStart;
          mayHaveDefault(this.#rules.named, place);
          components = readVector(reader, this.#vectors, place);
          break;
        case 'vectors':
          vectors = readVectors(reader, place, this.#rules.named, id);
          break;
        case 'unset_vectors':
          unsetVectors = readUnsetVectors(reader, place, this.#rules.named);
          break;
        case 'payload':
          this.#payloads.length = payloadStart;
          this.#payloads.append(readPayload(reader, place));
          hasPayload = true;
          break;
        case 'unset':
          unset = readUnset(reader, place);
          break;
        case 'if_version':
          ifVersion = readVersion(reader, place);
          break;
        case 'text':
          throw notAvailable(pathOf(place, 'text'), 'embedding of text');
        default:
          throw unknownField(pathOf(place, key));
      }
    }
    if (id === undefined) throw invalidRequest(pathOf(place, 'id'), 'missing');
    if (components >= 0) {
      const rule = { dimension: this.#dimension, distance: this.#rules.distance };
      checkVector(this.#vectors, components, rule, place, id);
      this.#dimension ??= components;
    }
    const payloadEnd = this.#payloads.length;
    const payloadBytes = payloadEnd - payloadStart;
    if (payloadBytes > this.#rules.payloadBytesMax) throw payloadTooLarge(place, id, payloadBytes, this.#rules.payloadBytesMax);
    if (this.#seen.has(id)) throw invalidRequest(pathOf(place, 'id'), `the id ${JSON.stringify(id)} stands twice in one request`);
    this.#seen.add(id);
    const vectorEnd = this.#vectors.length;
    const whole = { id, vectorEnd, components, vectors, unsetVectors, payloadStart, payloadEnd, hasPayload, unset, ifVersion };
    this.#rows.push(whole);
  }

  /** The patches; their vectors and payloads are views into one buffer each. */
  finish(): PointPatch[] {
    const vectors = this.#vectors.finish();
    const payloads = this.#payloads.finish();
    return this.#rows.map((row) => ({
      id: row.id,
      ...(row.components >= 0 ? { vector: vectors.subarray(row.vectorEnd - row.components, row.vectorEnd) } : {}),
      ...(row.vectors === null ? {} : { vectors: row.vectors }),
      ...(row.unsetVectors === null ? {} : { unsetVectors: row.unsetVectors }),
      ...(row.hasPayload ? { payload: payloads.subarray(row.payloadStart, row.payloadEnd) } : {}),
      ...(row.unset === null ? {} : { unset: row.unset }),
      ...(Number.isNaN(row.ifVersion) ? {} : { ifVersion: row.ifVersion }),
    }));
  }
}

/** Names of vectors that are declared, as far as that is known. */
function readUnsetVectors(reader: BodyReader, place: Place, rule: NamedRule | undefined): string[] {
  const path = pathOf(place, 'unset_vectors');
  const names = readTexts(reader, path, 'a list of names of vectors');
  for (const [i, name] of names.entries()) {
    const known = rule === undefined ? [] : rule.vectors;
    if (known === null || known.some((one) => one.name === name)) continue;
    throw invalidRequest(`${path}[${i}]`, `there is no vector ${JSON.stringify(name)}; ${namesIn(rule)}`);
  }
  return names;
}

function readUnset(reader: BodyReader, place: Place): string[] {
  return readTexts(reader, pathOf(place, 'unset'), 'a list of dotted paths');
}

/** None of them empty. */
function readTexts(reader: BodyReader, place: string, what: string): string[] {
  const paths: string[] = [];
  const refused = (): Error => invalidRequest(place, what);
  if (reader.kind() !== 'array') throw refused();
  reader.enterArray();
  while (reader.more()) {
    if (reader.kind() !== 'string') throw refused();
    const path = reader.string();
    if (path === '') throw refused();
    paths.push(path);
  }
  return paths;
}
