/** MessagePack in both directions, for answers and for the client; the one place that names msgpackr.
 *
 *  Plain messages only: no records, no extensions of ours, every message stands alone. A Float32Array must never reach the packer
 *  as such (it would corrupt the data): hand it `floatBytes`. What clients send is read by wire/msgpack-reader.ts, which is strict. */

import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, variableMapSize: true, mapsAsObjects: true, int64AsType: 'number' });

/** @param value plain data; vectors as `floatBytes` */
export function packMessage(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** Reads what a server of ours wrote. @throws Error when the bytes are not one message */
export function unpackMessage(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

/** The bytes of a vector as they travel: little-endian float32. A view on little-endian machines, which is all that Node runs on. */
export function floatBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return typeof Buffer === 'undefined' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The vector in a binary field, at any alignment; a copy. @throws RangeError when the length is not a multiple of four */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return new Float32Array(copy.buffer);
}
