/** What is expected in the answer of a foreign server, looked up step by step: a surprise is named by its place. Pure. */

import { FileProblem } from '../record.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param what in a sentence, such as `the collection`  @throws FileProblem when it is no object */
export function objectOf(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new FileProblem(`${what} is not described as was expected; is this another kind of server, or a newer one? (--from)`);
}

/** @throws FileProblem when it is no array */
export function arrayOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new FileProblem(`${what} is not a list as was expected; is this another kind of server, or a newer one? (--from)`);
}

/** What is behind several names, null where one is missing. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  let found: unknown = value;
  for (const name of names) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return null;
    found = found[name];
  }
  return found ?? null;
}

export function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
