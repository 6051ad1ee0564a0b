/** Ids of points in the dialect: unsigned integers and UUIDs. A UUID is taken in every spelling and kept in the canonical one, as text; integers
 *  end at 2^53 - 1 here. The own API has other texts as ids too: reads find them and show them as they are, writes of the dialect refuse them. */

import { checkPointId, type PointId } from '../../model/point.js';
import { formMistake } from './mistakes.js';

const UUID = /^(?:urn:uuid:)?(?:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})|([0-9a-f]{32}))$/i;
const BRACED = /^\{(.*)\}$/s;

/** `8-4-4-4-12` in small letters, or null when the text is no UUID. */
export function canonicalUuid(text: string): string | null {
  const found = UUID.exec(BRACED.exec(text)?.[1] ?? text);
  if (found === null) return null;
  const hex = (found[6] ?? found.slice(1, 6).join('')).toLowerCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** An id that the dialect itself has. @throws InvalidRequest (body_form) */
export function dialectId(value: unknown, path: string): PointId {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
  const uuid = typeof value === 'string' ? canonicalUuid(value) : null;
  if (uuid !== null) return uuid;
  throw formMistake(path, 'a point id is an unsigned integer up to 2^53-1 or a UUID');
}

/** An id to look for: also one that only the own API can have written. @throws InvalidRequest */
export function readableId(value: unknown, path: string): PointId {
  return typeof value === 'string' ? (canonicalUuid(value) ?? checkPointId(value, path)) : dialectId(value, path);
}

/** What stands in a path: digits alone are an integer. @throws InvalidRequest */
export function idInPath(text: string): PointId {
  return /^\d+$/.test(text) ? dialectId(Number(text), 'id') : readableId(text, 'id');
}
