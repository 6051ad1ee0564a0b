/** Scroll cursors: the last id of a page, opaque to clients. cursor = base64url( u8 version=1 | bytes of the id (codec/point-id.ts) ), canonical. */

import { decodePointId, encodePointId } from '../codec/point-id.js';
import { invalidRequest } from '../model/errors.js';
import { checkPointId, type PointId } from '../model/point.js';

const VERSION = 1;

export function encodeCursor(last: PointId): string {
  return Buffer.concat([Buffer.from([VERSION]), encodePointId(last)]).toString('base64url');
}

/** @throws InvalidRequest when the text is not one of ours */
export function decodeCursor(text: string): PointId {
  const bytes = Buffer.from(text, 'base64url');
  try {
    if (bytes[0] === VERSION && bytes.toString('base64url') === text) {
      const id = checkPointId(decodePointId(bytes.subarray(1)), 'cursor');
      if (encodeCursor(id) === text) return id;
    }
  } catch {
    // Not the bytes of an id: the refusal below says it for all cases.
  }
  throw invalidRequest('cursor', 'not a cursor of this server');
}
