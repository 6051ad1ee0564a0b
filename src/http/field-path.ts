/** Dotted paths of payload fields as requests give them: a path that no payload can have is refused by its place. */

import { invalidRequest } from '../model/errors.js';
import { FIXED } from '../model/limits.js';

/** What is wrong with it; null: nothing. */
export function pathFault(path: unknown): string | null {
  if (typeof path !== 'string' || path === '') return 'must be a dotted path of payload keys';
  if (Buffer.byteLength(path) > FIXED.fieldPathBytesMax) return `has more than ${FIXED.fieldPathBytesMax} bytes`;
  const keys = path.split('.');
  if (keys.length > FIXED.jsonDepthMax) return `has more than ${FIXED.jsonDepthMax} keys, and no payload is that deep`;
  return keys.includes('') ? 'has an empty key between its dots' : null;
}

/** @throws InvalidRequest naming `place` */
export function checkFieldPath(path: unknown, place: string): string {
  const fault = pathFault(path);
  if (fault !== null) throw invalidRequest(place, fault);
  return path as string;
}
