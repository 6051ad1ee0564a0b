/** Bodies of searches: the vector goes into a float32 array of its own, everything else stays plain data for the schema. */

import { invalidRequest } from '../model/errors.js';
import type { JsonValue, QueryVector } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { FloatColumn } from './columns.js';
import { readFields, readList } from './fields.js';
import { readSparse } from './named-vectors.js';
import { type Place, pathOf } from './place.js';
import { checkVector, readVector } from './point-rows.js';

export interface ReadSearch {
  readonly vector: QueryVector | null;
  /** All other fields, unchecked. */
  readonly fields: Readonly<Record<string, JsonValue>>;
  /** '' or `searches[i]`. */
  readonly path: string;
}

export interface ReadSearchBatch {
  readonly searches: readonly ReadSearch[];
  readonly fields: Readonly<Record<string, JsonValue>>;
}

const WHOLE_BODY: Place = { list: '', index: 0 };

/** @throws InvalidJson, InvalidRequest, InvalidVector; the dimension is left to the engine */
export function readSearchBody(reader: BodyReader, place: Place = WHOLE_BODY): ReadSearch {
  let vector: QueryVector | null = null;
  const fields: Record<string, JsonValue> = {};
  const path = pathOf(place, '');
  if (reader.kind() !== 'object') throw invalidRequest(path, 'must be an object');
  reader.enterObject();
  for (let key = reader.key(); key !== null; key = reader.key()) {
    if (key !== 'vector') {
      fields[key] = reader.value();
      continue;
    }
    if (reader.kind() === 'object') {
      vector = readSparse(reader, pathOf(place, 'vector'));
      continue;
    }
    const column = new FloatColumn(0);
    const components = readVector(reader, column, place);
    if (components > 0) checkVector(column, components, { dimension: null, distance: null }, place, null);
    vector = column.finish();
  }
  return { vector, fields, path };
}

export function readSearchBatchBody(reader: BodyReader, searchesMax: number): ReadSearchBatch {
  const searches: ReadSearch[] = [];
  const fields: Record<string, JsonValue> = {};
  const keep = (key: string) => (): void => {
    fields[key] = reader.value();
  };
  const readSearches = (): void => {
    readList(reader, 'searches', searchesMax, (place) => {
      searches.push(readSearchBody(reader, place));
    });
  };
  const freshness = Object.fromEntries(['min_position', 'max_wait_ms', 'max_staleness_ms'].map((key) => [key, keep(key)]));
  readFields(reader, '', { searches: readSearches, ...freshness }, ['searches']);
  return { searches, fields };
}
