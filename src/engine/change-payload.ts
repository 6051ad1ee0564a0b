/** Changes of a payload other than merging (model/payload-change.ts). Pure; the payload that comes in stays as it is.
 *
 *  Invariant: a change that is done twice changes no more than once. A write by filter that was interrupted between its units is sent again as a whole. */

import { invalidRequest } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { PathStep } from '../model/path-step.js';
import type { PayloadChange } from '../model/payload-change.js';
import { isObject } from '../model/payload-path.js';
import type { JsonValue, Payload } from '../model/point.js';

/** @param given the payload of the change, parsed @throws InvalidRequest (a place in an array far behind its end) */
export function changedPayload(base: Payload, change: PayloadChange, given: Payload): Payload {
  switch (change.kind) {
    case 'replace':
      return given;
    case 'set':
      return withSet(base, change.at ?? [], given) as Payload;
    case 'remove':
      return change.paths.reduce<Payload>((payload, path) => without(payload, path) as Payload, base);
  }
}

/** What is in the way and of another kind is replaced. */
function withSet(value: JsonValue | undefined, path: readonly PathStep[], given: Payload): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return assigned(objectOf(value), given);
  if (step === null) return Array.isArray(value) ? value.map((item: JsonValue) => withSet(item, rest, given)) : [];
  if (typeof step === 'string') {
    const object = objectOf(value);
    return { ...object, [step]: withSet(Object.hasOwn(object, step) ? object[step] : undefined, rest, given) };
  }
  const items: JsonValue[] = Array.isArray(value) ? [...(value as readonly JsonValue[])] : [];
  if (step > items.length + FIXED.payloadArrayGrowthMax)
    throw invalidRequest('key', `the place ${step} is more than ${FIXED.payloadArrayGrowthMax} behind the end of its array`);
  while (items.length <= step) items.push(null);
  items[step] = withSet(items[step], rest, given);
  return items;
}

function objectOf(value: JsonValue | undefined): Payload {
  return value !== undefined && isObject(value) ? value : {};
}

function assigned(base: Payload, given: Payload): Payload {
  const after: Record<string, JsonValue> = { ...base };
  for (const [key, value] of Object.entries(given)) {
    if (value === null) delete after[key];
    else after[key] = value;
  }
  return after;
}

function without(value: JsonValue, path: readonly PathStep[]): JsonValue {
  const [step, ...rest] = path;
  if (step === null) {
    if (!Array.isArray(value)) return value;
    return rest.length === 0 ? [] : (value as readonly JsonValue[]).map((item) => without(item, rest));
  }
  if (typeof step === 'number') {
    if (!Array.isArray(value) || step >= value.length) return value;
    const items = value as readonly JsonValue[];
    // The next one would stand in its place, and go too when the change is done again.
    if (rest.length === 0) return value;
    return items.with(step, without(items[step] as JsonValue, rest));
  }
  if (step === undefined || !isObject(value) || !Object.hasOwn(value, step)) return value;
  const { [step]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...value, [step]: without(inner as JsonValue, rest) };
}
