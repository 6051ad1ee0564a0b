/** The text of a point: what its payload holds at the text fields of its collection.
 *
 *  A path crosses arrays as the keys of filters do: where it meets an array it goes on in every element that is an object, and an array
 *  at its end gives its elements. Only strings are text. Must not know: words, indexes. */

import type { JsonValue, Payload } from '../model/point.js';

/** The texts in the order of the paths, and within one in the order of the payload. @param paths dotted */
export function textsAt(payload: Payload, paths: readonly string[]): string[] {
  const texts: string[] = [];
  for (const path of paths) collect(payload, path.split('.'), 0, texts);
  return texts;
}

/** Own keys only: a payload may have a key named "constructor". */
function collect(from: JsonValue, path: readonly string[], start: number, texts: string[]): void {
  let value = from;
  for (let step = start; step < path.length; step++) {
    if (Array.isArray(value)) {
      for (const element of value) if (isObject(element)) collect(element, path, step, texts);
      return;
    }
    const key = path[step] as string;
    if (!isObject(value) || !Object.hasOwn(value, key)) return;
    value = value[key] as JsonValue;
  }
  for (const one of Array.isArray(value) ? value : [value]) if (typeof one === 'string') texts.push(one);
}

function isObject(value: JsonValue): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
