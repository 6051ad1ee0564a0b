/** Dotted paths into payloads, as filters, payload indexes and text fields follow them.
 *
 *    items.color in {"items": [{"color": "red"}, {"color": "blue"}, "red", [{"color": "green"}]]}      reaches "red" and "blue"
 *
 *  A path is a row of object keys. Where it meets an array it goes on in every element that is an object; an array inside an array is
 *  not entered. Own keys only: a payload may have a key named "constructor".
 *
 *  An exact path is a row of steps, and crosses an array only where a step says so. */

import type { PathStep } from './path-step.js';
import type { JsonValue, Payload } from './point.js';

export function isObject(value: JsonValue): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Does the test hold for any value at the path's end? An array there is one value. */
export function anyAt(from: JsonValue, path: readonly string[], test: (value: JsonValue) => boolean): boolean {
  return anyFrom(from, path, 0, test);
}

/** The elements of an array, or else the value itself: does the test hold for any? */
export function anyElement(value: JsonValue, test: (value: JsonValue) => boolean): boolean {
  return Array.isArray(value) ? value.some(test) : test(value);
}

function anyFrom(from: JsonValue, path: readonly string[], start: number, test: (value: JsonValue) => boolean): boolean {
  let value = from;
  for (let step = start; step < path.length; step++) {
    if (Array.isArray(value)) return value.some((element) => isObject(element) && anyFrom(element, path, step, test));
    const key = path[step] as string;
    if (!isObject(value) || !Object.hasOwn(value, key)) return false;
    value = value[key] as JsonValue;
  }
  return test(value);
}

/** Does the test hold for any value at the end of an exact path? An array there is one value. */
export function anyAtSteps(from: JsonValue, steps: readonly PathStep[], test: (value: JsonValue) => boolean): boolean {
  return anyStepped(from, steps, 0, test);
}

function anyStepped(from: JsonValue, steps: readonly PathStep[], start: number, test: (value: JsonValue) => boolean): boolean {
  let value = from;
  for (let at = start; at < steps.length; at++) {
    const step = steps[at] as PathStep;
    if (step === null) return Array.isArray(value) && value.some((element) => anyStepped(element, steps, at + 1, test));
    if (typeof step === 'number') {
      if (!Array.isArray(value) || step >= value.length) return false;
      value = value[step] as JsonValue;
    } else {
      if (!isObject(value) || !Object.hasOwn(value, step)) return false;
      value = value[step] as JsonValue;
    }
  }
  return test(value);
}
