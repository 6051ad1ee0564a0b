/** The byte form of a point's vectors: a map of name → dense or sparse vector, sorted by name (bytewise), the default under ''.
 *
 *  set    = u8 version=1 | u8 count | u16 0 | vector*
 *  vector = u8 kind (0 dense, 1 sparse) | u8 name length | u16 0 | u32 LE length | name, zero-padded to 4
 *           | dense: f32 LE × length     | sparse: u32 LE × length (indices), f32 LE × length
 *  Every part is a multiple of 4 bytes, so a row read at an aligned address is used in place.
 *  History: version 1 (2026-11). */

import { DEFAULT_VECTOR, type DenseVector, type NamedVectors, type SparseVector } from '../model/point.js';

const VERSION = 1;
const DENSE = 0;
const SPARSE = 1;
const DEFAULT_HEADER_BYTES = 12;

function paddedLength(length: number): number {
  return (length + 3) & ~3;
}

/** The set that holds one dense vector under the empty name. Every float32 bit is kept. */
export function encodeDefaultVector(values: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(DEFAULT_HEADER_BYTES + values.byteLength);
  bytes.writeUInt32LE(VERSION | (1 << 8), 0);
  bytes.writeUInt32LE(DENSE, 4);
  bytes.writeUInt32LE(values.length, 8);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), DEFAULT_HEADER_BYTES);
  return bytes;
}

export function encodeVectorSet(vectors: NamedVectors): Buffer {
  if (vectors.size === 0) return Buffer.from([VERSION, 0, 0, 0]);
  const only = vectors.size === 1 ? vectors.get(DEFAULT_VECTOR) : undefined;
  if (only?.kind === 'dense') return encodeDefaultVector(only.values);
  const named = [...vectors].map(([name, vector]) => ({ name: Buffer.from(name), vector }));
  named.sort((a, b) => Buffer.compare(a.name, b.name));
  const parts: Buffer[] = [Buffer.from([VERSION, named.length, 0, 0])];
  for (const { name, vector } of named) {
    const header = Buffer.alloc(8 + paddedLength(name.length));
    header.writeUInt8(vector.kind === 'dense' ? DENSE : SPARSE, 0);
    header.writeUInt8(name.length, 1);
    header.writeUInt32LE(vector.values.length, 4);
    header.set(name, 8);
    parts.push(header);
    if (vector.kind === 'sparse') parts.push(bytesOf(vector.indices));
    parts.push(bytesOf(vector.values));
  }
  return Buffer.concat(parts);
}

function bytesOf(array: Float32Array | Uint32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Are these the bytes of one dense vector of this dimension, under the empty name? Cost: none of the components is read. */
export function isDefaultVector(bytes: Uint8Array, dimension: number): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length !== DEFAULT_HEADER_BYTES + 4 * dimension) return false;
  return view.readUInt32LE(0) === (VERSION | (1 << 8)) && view.readUInt32LE(4) === DENSE && view.readUInt32LE(8) === dimension;
}

/** The default dense vector of a set: a view where the bytes are aligned, else a copy; null when the set has none.
 *  @throws RangeError when the bytes are not a vector set */
export function decodeDefaultVector(bytes: Uint8Array): Float32Array | null {
  return decodeDenseVector(bytes, DEFAULT_VECTOR);
}

/** The dense vector under this key, likewise. */
export function decodeDenseVector(bytes: Uint8Array, key: string): Float32Array | null {
  if (key === DEFAULT_VECTOR) {
    const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.length >= DEFAULT_HEADER_BYTES && view[0] === VERSION && view[1] === 1 && view.readUInt32LE(4) === DENSE) {
      const length = view.readUInt32LE(8);
      if (view.length === DEFAULT_HEADER_BYTES + 4 * length) return floats(view, DEFAULT_HEADER_BYTES, length);
    }
  }
  const vector = decodeVectorSet(bytes).get(key);
  return vector?.kind === 'dense' ? vector.values : null;
}

/** How many vectors a set has. Cost: a look at one byte. */
export function vectorCount(bytes: Uint8Array): number {
  return bytes[1] ?? 0;
}

/** @throws RangeError when the bytes are not a vector set */
export function decodeVectorSet(bytes: Uint8Array): NamedVectors {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 4 || view[0] !== VERSION) throw new RangeError('not the bytes of a vector set');
  const count = view.readUInt8(1);
  const vectors = new Map<string, DenseVector | SparseVector>();
  let at = 4;
  for (let i = 0; i < count; i++) {
    if (at + 8 > view.length) throw new RangeError('not the bytes of a vector set');
    const kind = view.readUInt8(at);
    const nameLength = view.readUInt8(at + 1);
    const length = view.readUInt32LE(at + 4);
    const name = view.toString('utf8', at + 8, at + 8 + nameLength);
    at += 8 + paddedLength(nameLength);
    const end = at + 4 * length * (kind === SPARSE ? 2 : 1);
    if (kind > SPARSE || end > view.length) throw new RangeError('not the bytes of a vector set');
    if (kind === SPARSE) {
      const indices = new Uint32Array(view.buffer.slice(view.byteOffset + at, view.byteOffset + at + 4 * length));
      vectors.set(name, { kind: 'sparse', indices, values: floats(view, at + 4 * length, length) });
    } else {
      vectors.set(name, { kind: 'dense', values: floats(view, at, length) });
    }
    at = end;
  }
  if (at !== view.length) throw new RangeError('not the bytes of a vector set');
  return vectors;
}

function floats(view: Buffer, at: number, length: number): Float32Array {
  const start = view.byteOffset + at;
  if (start % 4 === 0) return new Float32Array(view.buffer, start, length);
  return new Float32Array(view.buffer.slice(start, start + 4 * length));
}
