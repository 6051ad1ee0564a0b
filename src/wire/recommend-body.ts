/** Bodies of recommendations: examples become ids and float32 arrays of their own, everything else stays plain data for the schema. */

import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { JsonValue, PointId, QueryVector } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { FloatColumn } from './columns.js';
import { readList } from './fields.js';
import { readSparse } from './named-vectors.js';
import { type Place, pathOf, placed } from './place.js';
import { readId } from './scalars.js';

export type ReadExample = PointId | QueryVector;

export interface ReadRecommend {
  /** Null: the body has no such field. */
  readonly positive: readonly ReadExample[] | null;
  readonly negative: readonly ReadExample[] | null;
  /** All other fields, unchecked. */
  readonly fields: Readonly<Record<string, JsonValue>>;
}

/** @throws InvalidJson, InvalidRequest, InvalidVector; the dimension is left to the engine */
export function readRecommendBody(reader: BodyReader): ReadRecommend {
  const lists: { positive: ReadExample[] | null; negative: ReadExample[] | null } = { positive: null, negative: null };
  const fields: Record<string, JsonValue> = {};
  if (reader.kind() !== 'object') throw invalidRequest('', 'must be an object');
  reader.enterObject();
  for (let key = reader.key(); key !== null; key = reader.key()) {
    if (key === 'positive' || key === 'negative') lists[key] = readExamples(reader, key);
    else fields[key] = reader.value();
  }
  return { ...lists, fields };
}

function readExamples(reader: BodyReader, list: string): ReadExample[] {
  const examples: ReadExample[] = [];
  readList(reader, list, FIXED.examplesMax, (place) => {
    examples.push(readExample(reader, place));
  });
  return examples;
}

function readExample(reader: BodyReader, place: Place): ReadExample {
  const kind = reader.kind();
  if (kind === 'string' || kind === 'number') return readId(reader, place, '');
  const path = pathOf(place, '');
  if (kind === 'object') return readSparse(reader, path);
  if (kind !== 'array' && kind !== 'binary') throw invalidRequest(path, 'an example is the id of a point, or a vector');
  const column = new FloatColumn(0);
  let components: number;
  try {
    components = reader.vector(column);
  } catch (error) {
    throw placed(error, path);
  }
  checkExample(column, components, path);
  return column.finish();
}

function checkExample({ bad, room }: FloatColumn, components: number, path: string): void {
  if (components > room) {
    throw new SkeinError('DimensionMismatch', `${path} has ${components} components, a vector has at most ${room}`, {
      expected: null,
      got: components,
      point_id: null,
      path,
    });
  }
  if (bad < 0) return;
  const place = `${path}[${bad}]`;
  throw new SkeinError('InvalidVector', `${place} is not a finite float32 number`, {
    point_id: null,
    component: bad,
    path: place,
  });
}
