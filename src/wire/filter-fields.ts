/** What the fields of a filter may be, each mistake as InvalidFilter with its place. Must not know: conditions. */

import { invalidFilter as invalid } from '../model/errors.js';
import { join } from './place.js';

export type Fields = Readonly<Record<string, unknown>>;

export function object(value: unknown, path: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw invalid(path, 'must be an object');
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined) throw invalid(join(path, shown(stranger)), `is not known here; known are ${known.join(', ')}`);
  return value as Fields;
}

/** A name that somebody made up may be of any length. */
function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}

export function required(fields: Fields, name: string, path: string): unknown {
  const value = fields[name];
  if (value === undefined) throw invalid(join(path, name), 'is missing');
  return value;
}

export function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(path, 'must be a list');
  return value as unknown[];
}

export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw invalid(path, 'must be true or false');
  return value;
}

export function number(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(path, 'must be a number');
  return value;
}

export function integer(value: unknown, path: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(path, 'must be an integer from 0');
  return value as number;
}
