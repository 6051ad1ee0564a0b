/** Ids of points as the Qdrant dialect has them: unsigned integers, here up to 2^53 - 1, and UUIDs, in any spelling in and the canonical one out. */

import { invalidRequest } from '../model/errors.js';
import type { PointId } from '../model/point.js';

const UUID = /^(?:urn:uuid:)?(?:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})|([0-9a-f]{32}))$/i;
const BRACED = /^\{(.*)\}$/s;
const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `8-4-4-4-12` in small letters, or null when the text is no UUID. */
export function canonicalUuid(text: string): string | null {
  if (CANONICAL.test(text)) return text;
  const found = UUID.exec(BRACED.exec(text)?.[1] ?? text);
  if (found === null) return null;
  const hex = (found[6] ?? found.slice(1, 6).join('')).toLowerCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** @throws InvalidRequest */
export function checkDialectId(value: unknown, path: string): PointId {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
  const uuid = typeof value === 'string' ? canonicalUuid(value) : null;
  if (uuid !== null) return uuid;
  throw invalidRequest(path, 'a point id is an unsigned integer up to 2^53-1 or a UUID');
}
