/** Small fields of points: ids, versions, times. Each refusal names its place. */

import { invalidRequest } from '../model/errors.js';
import { parseInstant } from '../model/instant.js';
import { checkPointId, type PointId } from '../model/point.js';
import type { BodyReader } from './body-reader.js';
import { type Place, pathOf, placed } from './place.js';

/** @throws InvalidRequest */
export function readId(reader: BodyReader, place: Place, field = 'id'): PointId {
  const kind = reader.kind();
  const value = kind === 'string' ? reader.string() : kind === 'number' ? readNumber(reader, place, field) : null;
  // The path is text, so it is made only for the few ids that need a closer look.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
  if (typeof value === 'string' && value !== '' && value.length <= SHORT_ID && value.isWellFormed()) return value;
  return checkPointId(value, pathOf(place, field));
}
/** So many UTF-16 units never exceed 256 bytes. */
const SHORT_ID = 85;

function readNumber(reader: BodyReader, place: Place, field: string): number {
  try {
    return reader.number();
  } catch (error) {
    throw placed(error, pathOf(place, field));
  }
}

/** if_version: an integer ≥ 0; 0 means that the point must not exist. @throws InvalidRequest */
export function readVersion(reader: BodyReader, place: Place): number {
  if (reader.kind() === 'number') {
    const value = readNumber(reader, place, 'if_version');
    if (Number.isSafeInteger(value) && value >= 0) return value;
  }
  throw invalidRequest(pathOf(place, 'if_version'), 'an integer from 0 to 2^53-1');
}

const NEVER = 'never';
/** Later times cannot be written with four digits of a year, as they are shown. */
const YEAR_10000_MS = Date.UTC(10_000, 0);

/** expires_at. @returns milliseconds since 1970; Infinity for "never": whatever the collection says @throws InvalidRequest */
export function readExpiry(reader: BodyReader, place: Place): number {
  const text = reader.kind() === 'string' ? reader.string() : '';
  if (text === NEVER) return Number.POSITIVE_INFINITY;
  const ms = parseInstant(text);
  if (ms !== null && ms >= 0 && ms < YEAR_10000_MS) return Math.floor(ms);
  throw invalidRequest(
    pathOf(place, 'expires_at'),
    'an ISO 8601 time from 1970 to 9999, such as 2030-01-31T12:00:00.000Z, or never',
  );
}
