/** Points as the dialect shows them. Vectors under cosine distance are shown with length 1, as the dialect stores them; here they are stored as
 *  they were given. Must not know: routes. */

import type { FoundPoint, Selection } from '../../engine/engine.js';
import type { Distance } from '../../model/distance.js';
import { DEFAULT_VECTOR, hasDefaultOnly, type VectorSpec } from '../../model/vector-spec.js';
import type { AnswerWriter } from '../../wire/answer-writer.js';
import type { Shown } from './selection.js';

/** How the points of one collection are to be shown. */
export interface RecordForm {
  readonly shown: Shown;
  readonly collection: VectorSpec;
}

/** What the engine is asked for. */
export function selectionOf({ withPayload, vectors }: Shown): Selection {
  return { withPayload, withVector: vectors };
}

/** `{id, payload?, vector?}` @param scored fields between the id and the payload, in their order: such as version and score */
export function writeRecord(
  out: AnswerWriter,
  point: FoundPoint,
  form: RecordForm,
  scored: Readonly<Record<string, number>> = {},
): void {
  const numbers = Object.entries(scored);
  const { payload } = point;
  const hasVectors = form.shown.vectors !== false;
  out.openObject(1 + numbers.length + (payload === null ? 0 : 1) + (hasVectors ? 1 : 0));
  out.key('id');
  out.id(point.id);
  for (const [name, value] of numbers) {
    out.key(name);
    out.number(value);
  }
  if (payload !== null) {
    out.key('payload');
    out.payload(form.shown.payload === null ? payload : form.shown.payload(payload));
  }
  if (hasVectors) {
    out.key('vector');
    writeVectors(out, point, form.collection);
  }
  out.closeObject();
}

/** A list of numbers where a collection has the default vector alone, else an object of vectors by name. */
function writeVectors(out: AnswerWriter, { vector, vectors }: FoundPoint, collection: VectorSpec): void {
  if (vector !== null && hasDefaultOnly(collection)) {
    writeDense(out, vector, collection.distance);
    return;
  }
  out.openObject((vector === null ? 0 : 1) + (vectors?.size ?? 0));
  if (vector !== null) {
    out.key(DEFAULT_VECTOR);
    writeDense(out, vector, collection.distance);
  }
  for (const [name, one] of vectors ?? []) {
    out.key(name);
    if (one.kind === 'sparse') out.value({ indices: [...one.indices], values: [...one.values] });
    else writeDense(out, one.values, collection.vectors.find((declared) => declared.name === name)?.distance ?? null);
  }
  out.closeObject();
}

function writeDense(out: AnswerWriter, vector: Float32Array, distance: Distance | null): void {
  out.vector(distance === 'cosine' ? withLengthOne(vector) : vector);
}

/** As one list. */
export function* writeRecords(
  out: AnswerWriter,
  points: readonly FoundPoint[],
  form: RecordForm,
  scored: (point: FoundPoint) => Readonly<Record<string, number>> = () => ({}),
): Generator<void> {
  out.openArray(points.length);
  for (const point of points) {
    writeRecord(out, point, form, scored(point));
    yield;
  }
  out.closeArray();
}

/** A copy; the zero vector, which has no direction, as it is. */
export function withLengthOne(vector: Float32Array): Float32Array {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return vector;
  // Divided first, so that no square is beyond a number.
  let sum = 0;
  for (const value of vector) sum += (value / largest) ** 2;
  const length = Math.sqrt(sum);
  return vector.map((value) => value / largest / length);
}
