/** Slices: the points of a collection cut into `total` parts of about one size, told by their ids alone, the same on every node and at any
 *  time; so many readers may each take one. Must not know: points, filters.
 *
 *    integer: 8 bytes, little-endian · UUID in its canonical form: its 16 bytes · any other string: its UTF-8
 *    slice = SipHash-2-4 of these, modulo total */

import type { PointId } from './point.js';
import { sipHash } from './sip-hash.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const encoder = new TextEncoder();

/** @param total 1 … 2^32−1  @returns 0 … total − 1 */
export function sliceOf(id: PointId, total: number): number {
  const { high, low } = sipHash(bytesOf(id));
  // Each step stays below 2^48 + 2^32: sixteen bits at a time behind a rest below 2^32.
  const pieces = [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff];
  return pieces.reduce((rest, piece) => (rest * 0x1_0000 + piece) % total, 0);
}

function bytesOf(id: PointId): Uint8Array {
  if (typeof id === 'string') return UUID.test(id) ? uuidBytes(id) : encoder.encode(id);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, id % 2 ** 32, true);
  bytes.setUint32(4, Math.floor(id / 2 ** 32), true);
  return new Uint8Array(bytes.buffer);
}

function uuidBytes(id: string): Uint8Array {
  const digits = id.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16));
}
