/** The byte form of a point id; bytewise order is scroll order.
 *
 *  integer: 0x01 | u64 BE          string: 0x02 | UTF-8 bytes
 *  History: form 1 (2026-11). Golden bytes in tests/codec/. */

import type { PointId } from '../model/point.js';

const INTEGER = 0x01;
const STRING = 0x02;

export function encodePointId(id: PointId): Buffer {
  if (typeof id === 'number') {
    const bytes = Buffer.allocUnsafe(9);
    bytes[0] = INTEGER;
    bytes.writeUInt32BE(Math.floor(id / 2 ** 32), 1);
    bytes.writeUInt32BE(id % 2 ** 32, 5);
    return bytes;
  }
  const length = Buffer.byteLength(id);
  const bytes = Buffer.allocUnsafe(length + 1);
  bytes[0] = STRING;
  bytes.write(id, 1);
  return bytes;
}

/** @throws RangeError when the bytes are not an id (a damaged row) */
export function decodePointId(bytes: Uint8Array): PointId {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view[0] === INTEGER && view.length === 9) return view.readUInt32BE(1) * 2 ** 32 + view.readUInt32BE(5);
  if (view[0] === STRING && view.length > 1) return view.toString('utf8', 1);
  throw new RangeError('not the bytes of a point id');
}
