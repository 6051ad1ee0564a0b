/** Ids of points to look for. The own API has other texts as ids than the dialect: reads find them and show them as they are, writes of points
 *  refuse them. Must not know: bodies. */

import { checkPointId, type PointId } from '../../model/point.js';
import { canonicalUuid, checkDialectId } from '../../wire/qdrant-id.js';
import { asFormMistake } from './mistakes.js';

/** @throws InvalidRequest */
export function readableId(value: unknown, path: string): PointId {
  try {
    return typeof value === 'string' ? (canonicalUuid(value) ?? checkPointId(value, path)) : checkDialectId(value, path);
  } catch (error) {
    throw asFormMistake(error);
  }
}

/** What stands in a path: digits alone are an integer. @throws InvalidRequest */
export function idInPath(text: string): PointId {
  return /^\d+$/.test(text) ? readableId(Number(text), 'id') : readableId(text, 'id');
}
