/** Ids in paths and in lists. */

import { invalidRequest } from '../model/errors.js';
import { checkPointId, type PointId } from '../model/point.js';
import { overLimit } from '../wire/place.js';

/** Digits alone are an integer when they are its usual form: "7" is, "007" is a string, and so are digits beyond 2^53−1.
 *  @param idType the query parameter id_type @throws InvalidRequest */
export function idFromPath(text: string, idType: unknown): PointId {
  if (idType !== undefined && idType !== 'integer' && idType !== 'string')
    throw invalidRequest('id_type', 'must be integer or string');
  const number = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  const isInteger = Number.isSafeInteger(number);
  if (idType === 'integer' && !isInteger) throw invalidRequest('id', 'not an integer from 0 to 2^53-1');
  return isInteger && idType !== 'string' ? number : checkPointId(text, 'id');
}

/** @throws InvalidRequest naming the entry */
export function idList(value: unknown, path: string, countMax: number, repeats: 'refused' | 'merged'): PointId[] {
  if (!Array.isArray(value)) throw invalidRequest(path, 'must be an array of ids');
  if (value.length > countMax) throw overLimit(path, 'ids', countMax);
  const ids = new Set<PointId>();
  for (const [i, item] of value.entries()) {
    const id = checkPointId(item, `${path}[${i}]`);
    if (repeats === 'refused' && ids.has(id)) throw invalidRequest(`${path}[${i}]`, 'this id stands twice in one request');
    ids.add(id);
  }
  return [...ids];
}
