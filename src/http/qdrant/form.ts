/** Parts of a body as the queries of the dialect have them: null is as if it were left out, unknown fields are refused, and every mistake
 *  names its place. Must not know: what the parts mean. */

import { join } from '../../wire/place.js';
import { formMistake, rangeMistake } from './mistakes.js';
import { isObject } from './plain-object.js';

export type Form = Readonly<Record<string, unknown>>;

/** The fields that are there. @throws InvalidRequest (body_form) */
export function formOf(value: unknown, path: string, known: readonly string[]): Form {
  if (!isObject(value)) throw formMistake(path, 'must be an object');
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined)
    throw formMistake(join(path, stranger.slice(0, 64)), `is not known here; known are ${known.join(', ')}`);
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

export function listOf(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw formMistake(path, 'must be a list');
  return value as unknown[];
}

export function textOf(value: unknown, path: string): string {
  if (typeof value !== 'string') throw formMistake(path, 'must be a text');
  return value;
}

export function flagOf(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw formMistake(path, 'must be true or false');
  return value;
}

export function numberOf(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw formMistake(path, 'must be a number');
  return value;
}

/** @throws InvalidRequest: body_form (no integer), body_range (not from `least` to `most`) */
export function countOf(value: unknown, path: string, least: number, most: number): number {
  if (!Number.isSafeInteger(value)) throw formMistake(path, 'must be an integer');
  const count = value as number;
  if (count < least || count > most) throw rangeMistake(path, `must be from ${least} to ${most}`);
  return count;
}

/** @throws InvalidRequest: body_form (no number), body_range */
export function shareOf(value: unknown, path: string): number {
  const share = numberOf(value, path);
  if (share < 0 || share > 1) throw rangeMistake(path, 'must be from 0 to 1');
  return share;
}
