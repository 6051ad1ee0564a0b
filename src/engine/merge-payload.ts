/** The patch of a payload: objects merge deeply, everything else replaces, null is a value; `unset` removes dotted paths afterwards.
 *  Pure; the inputs stay as they are. A path that leads nowhere is ignored. Arrays are values: a path does not enter them. */

import type { JsonValue, Payload } from '../model/point.js';

export function mergePayload(base: Payload, change: Payload, unset: readonly string[]): Payload {
  let merged = merge(base, change);
  for (const path of unset) merged = without(merged, path.split('.'));
  return merged;
}

function isObject(value: JsonValue | undefined): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(base: Payload, change: Payload): Payload {
  const merged: Record<string, JsonValue> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    merged[key] = isObject(before) && isObject(value) ? merge(before, value) : value;
  }
  return merged;
}

function without(object: Payload, path: readonly string[]): Payload {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(object, key)) return object;
  const { [key]: value, ...others } = object;
  if (rest.length === 0) return others;
  return isObject(value) ? { ...object, [key]: without(value, rest) } : object;
}
