/** From the fields of one record to a point: the same rules for json, ndjson, csv and parquet.
 *
 *    id, vector          under the names that were asked for
 *    vectors             vectors under names: lists, or {indices, values}; where it is an object, and there is a payload or nothing else
 *    payload             an object under `payload`; then no other field may be there
 *                        otherwise every other field becomes the payload
 *    expires_at          an ISO 8601 time
 *
 *  Pure. Must not know: files, servers. */

import { SkeinError } from '../../model/errors.js';
import { checkPointId, type JsonValue, type Payload, type PointId } from '../../model/point.js';
import { PROTO_KEY } from '../../model/proto-key.js';
import type { NamedVector } from '../../sdk/index.js';

export interface FieldNames {
  readonly idColumn: string;
  readonly vectorColumn: string;
}

export interface PointFields {
  readonly id: PointId;
  readonly vector?: Float32Array;
  readonly vectors?: Readonly<Record<string, NamedVector>>;
  readonly payload?: Payload;
  readonly expiresAt?: string;
}

/** Of the names that a refusal lists. */
const FIELDS_NAMED_MAX = 8;

/** Why a record cannot be a point; the message follows the record's place. */
export class RecordProblem extends Error {
  override readonly name = 'RecordProblem';
}

/** @param rowId the id where the file has no id column, else null
 *  @throws RecordProblem */
export function pointFromFields(fields: Readonly<Record<string, unknown>>, names: FieldNames, rowId: number | null): PointFields {
  const { idColumn, vectorColumn } = names;
  if (rowId === null && !Object.hasOwn(fields, idColumn)) throw new RecordProblem(`has no ${idColumn}${fieldList(fields)}`);
  const vectors = namedVectorsOf(fields, names);
  if (vectors === null && !Object.hasOwn(fields, vectorColumn))
    throw new RecordProblem(`has no ${vectorColumn}${fieldList(fields)}${likelyVector(fields)}`);
  const id = rowId ?? idOf(fields[idColumn], idColumn);
  const vector = Object.hasOwn(fields, vectorColumn) ? vectorOf(fields[vectorColumn], vectorColumn) : null;
  const payload = payloadOf(fields, names, vectors !== null);
  const expiresAt = fields['expires_at'];
  if (expiresAt !== undefined && expiresAt !== null && typeof expiresAt !== 'string')
    throw new RecordProblem('expires_at is not a text');
  return {
    id,
    ...(vector === null ? {} : { vector }),
    ...(vectors === null ? {} : { vectors }),
    ...(payload === null ? {} : { payload }),
    ...(typeof expiresAt === 'string' ? { expiresAt } : {}),
  };
}

/** @throws RecordProblem */
export function idOf(value: unknown, name: string): PointId {
  try {
    return checkPointId(value, name);
  } catch (error) {
    throw error instanceof SkeinError ? new RecordProblem(error.message) : error;
  }
}

/** @throws RecordProblem naming the first component that is not a finite float32 number */
export function vectorOf(value: unknown, name: string): Float32Array {
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    throw new RecordProblem(`${name} is not a list of numbers`);
  }
  const numbers = value as ArrayLike<unknown>;
  if (numbers.length === 0) throw new RecordProblem(`${name} is empty`);
  const vector = new Float32Array(numbers.length);
  for (let i = 0; i < vector.length; i++) {
    const component = numbers[i];
    if (typeof component !== 'number') throw new RecordProblem(`component ${i} of ${name} is not a number`);
    vector[i] = component;
    if (!Number.isFinite(vector[i]))
      throw new RecordProblem(`component ${i} of ${name} is not a finite float32 number (${component})`);
  }
  return vector;
}

/** null: the record has none; a field of that name may be a part of its payload. @throws RecordProblem */
function namedVectorsOf(
  fields: Readonly<Record<string, unknown>>,
  names: FieldNames,
): Readonly<Record<string, NamedVector>> | null {
  const value = fields['vectors'];
  if (typeof value !== 'object' || value === null || Array.isArray(value) || names.vectorColumn === 'vectors') return null;
  const others = otherFields(fields, names).filter((name) => name !== 'vectors');
  return others.length === 0 || others.includes('payload') ? vectorsOf(value as Record<string, unknown>) : null;
}

/** @throws RecordProblem */
export function vectorsOf(named: Readonly<Record<string, unknown>>): Readonly<Record<string, NamedVector>> {
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name, namedVectorOf(value, `vector ${JSON.stringify(name)}`)]),
  );
}

function namedVectorOf(value: unknown, what: string): NamedVector {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    return vectorOf(value, what);
  const { indices, values } = value as { readonly indices?: unknown; readonly values?: unknown };
  if (!Array.isArray(indices)) throw new RecordProblem(`${what} is neither a list of numbers nor {indices, values}`);
  const bad = (indices as unknown[]).findIndex(
    (index) => !Number.isInteger(index) || Number(index) < 0 || Number(index) > 0xff_ff_ff_ff,
  );
  if (bad >= 0) throw new RecordProblem(`index ${bad} of ${what} is not a whole number from 0 to 4294967295`);
  const floats =
    indices.length === 0 && Array.isArray(values) && values.length === 0 ? new Float32Array(0) : vectorOf(values, what);
  if (floats.length !== indices.length)
    throw new RecordProblem(`${what} has ${indices.length} indices and ${floats.length} values`);
  return { indices: Uint32Array.from(indices as number[]), values: floats };
}

function otherFields(fields: Readonly<Record<string, unknown>>, { idColumn, vectorColumn }: FieldNames): string[] {
  return Object.keys(fields).filter((name) => name !== idColumn && name !== vectorColumn && name !== 'expires_at');
}

function payloadOf(fields: Readonly<Record<string, unknown>>, names: FieldNames, hasVectors: boolean): Payload | null {
  const others = otherFields(fields, names).filter((name) => !hasVectors || name !== 'vectors');
  if (others.includes('payload')) {
    const payload = fields['payload'];
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      throw new RecordProblem('payload is not an object');
    const strange = others.find((name) => name !== 'payload');
    if (strange !== undefined)
      throw new RecordProblem(`has a payload and, beside it, the unknown field ${JSON.stringify(strange)}`);
    return payload as Payload;
  }
  if (others.length === 0) return null;
  if (others.includes(PROTO_KEY)) throw new RecordProblem(`has a field ${PROTO_KEY}, which is refused`);
  return Object.fromEntries(others.map((name) => [name, fields[name] as JsonValue]));
}

function fieldList(fields: Readonly<Record<string, unknown>>): string {
  const all = Object.keys(fields);
  const names = all.slice(0, FIELDS_NAMED_MAX).join(', ');
  return all.length === 0 ? '' : `; its fields are ${names}${all.length > FIELDS_NAMED_MAX ? ', …' : ''}`;
}

/** What looks like one under another name. */
function likelyVector(fields: Readonly<Record<string, unknown>>): string {
  const likely = Object.keys(fields).find((name) => {
    const value = fields[name];
    return Array.isArray(value) && value.length > 1 && value.every((component) => typeof component === 'number');
  });
  return likely === undefined ? '' : `; is it ${JSON.stringify(likely)}? (--vector-column)`;
}

/** What its vectors weigh on the way. */
export function vectorBytes({ vector, vectors = {} }: Pick<PointFields, 'vector' | 'vectors'>): number {
  const named = Object.values(vectors).map((one) => (one instanceof Float32Array ? one.byteLength : one.values.byteLength * 2));
  return named.reduce((sum, bytes) => sum + bytes, vector?.byteLength ?? 0);
}
