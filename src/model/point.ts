/** Points and their ids, as plain data.
 *
 *  A point id is the user's: a string of 1–256 bytes of UTF-8 or an integer 0…2^53−1. "7" and 7 are different ids.
 *  Scroll order: integers by value, then strings bytewise. A version is the seq of the entry that last wrote the point. */

import { invalidRequest, SkeinError } from './errors.js';
import { FIXED } from './limits.js';
import type { PayloadChange } from './payload-change.js';

export type PointId = string | number;

/** A point of a collection as one entry wrote it. */
export interface PointVersion {
  readonly uid: number;
  readonly id: PointId;
  readonly version: number;
}

/** Plain JSON object as a user gave it. */
export type Payload = { readonly [key: string]: JsonValue };
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | Payload;

/** A dense vector. */
export interface DenseVector {
  readonly kind: 'dense';
  readonly values: Float32Array;
}
/** A sparse vector: indices ascending and unique, values of equal length. */
export interface SparseVector {
  readonly kind: 'sparse';
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}
/** By name, '' is the default vector; in the store by key (model/vector-spec.ts). */
export type NamedVectors = ReadonlyMap<string, DenseVector | SparseVector>;

/** What is searched for: as dense or sparse as the vectors are that it is held against. */
export type QueryVector = Float32Array | SparseVector;

export { DEFAULT_VECTOR } from './vector-spec.js';

/** Has a string a surrogate without its pair? Such text has no UTF-8 form. */
export function hasLoneSurrogate(text: string): boolean {
  return !text.isWellFormed();
}

/** Scroll order: integers by value, then strings by UTF-8 bytes. */
export function comparePointIds(a: PointId, b: PointId): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  return typeof b === 'number' ? 1 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @throws InvalidRequest naming `path` */
export function checkPointId(value: unknown, path: string): PointId {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
    throw invalidRequest(path, 'a point id is a string of 1 to 256 bytes or an integer from 0 to 2^53-1');
  }
  if (typeof value !== 'string' || value === '') {
    throw invalidRequest(path, 'a point id is a string of 1 to 256 bytes or an integer from 0 to 2^53-1');
  }
  if (hasLoneSurrogate(value)) throw invalidRequest(path, 'a point id is well-formed Unicode (lone surrogate found)');
  if (value.length * 3 > FIXED.idBytesMax && Buffer.byteLength(value) > FIXED.idBytesMax) {
    throw new SkeinError('InvalidRequest', `${path}: a point id has at most ${FIXED.idBytesMax} bytes`, {
      issues: [{ path, message: `a point id has at most ${FIXED.idBytesMax} bytes` }],
      limit_bytes: FIXED.idBytesMax,
    });
  }
  return value;
}

/** Many points in columns: what a write carries from the edge to the writer thread without a copy per point.
 *
 *  vectors: the default vectors, rows of `dimension` components, one for each point that has one, in their order.
 *  hasVector: 1 for a point that has a default vector, else 0; left out or null: all have one. With dimension 0 none has.
 *  named: other vectors, by the names that clients use, each point's as a vector set (codec/vector-set.ts) in
 *  bytes[ends[i−1] … ends[i]); empty: it has none. Left out or null: no point has any.
 *  payload i: payloadBytes[payloadEnds[i−1] … payloadEnds[i]), UTF-8 JSON of an object; empty means `{}`.
 *  ifVersions, expiresAt: length count; NaN means "not given". An expiry of Infinity is never, whatever the collection says. */
export interface PointBlock {
  readonly ids: readonly PointId[];
  readonly dimension: number;
  readonly vectors: Float32Array;
  readonly payloadBytes: Uint8Array;
  readonly payloadEnds: Uint32Array;
  readonly ifVersions: Float64Array | null;
  readonly expiresAt: Float64Array | null;
  readonly hasVector?: Uint8Array | null;
  readonly named?: NamedColumn | null;
}

/** Vector sets of points, one behind the other. */
export interface NamedColumn {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** The change of one point: absent fields stay as they are. */
export interface PointPatch {
  readonly id: PointId;
  readonly vector?: Float32Array;
  /** Named ones, each in the place of what the point had under its name. */
  readonly vectors?: NamedVectors;
  /** Names to take away, '' for the default vector; one that the point does not have is passed over. */
  readonly unsetVectors?: readonly string[];
  /** UTF-8 JSON of an object, merged deeply. */
  readonly payload?: Uint8Array;
  readonly unset?: readonly string[];
  /** Beside neither of the two above. */
  readonly change?: PayloadChange;
  readonly ifVersion?: number;
}

/** One change for many points. */
export type PointChange = Omit<PointPatch, 'id' | 'ifVersion'>;
