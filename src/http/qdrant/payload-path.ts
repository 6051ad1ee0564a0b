/** Paths of the dialect into payloads:
 *
 *    city · country.name · cities[].name · cities[0].name · "we.ird"."key with spaces"
 *
 *  Bare keys are letters, digits, _ and -; others stand in quotes. An array is crossed only by [] (every element) and [n] (one of them).
 *  Must not know: what is looked for. */

import { invalidFilter } from '../../model/errors.js';
import type { AtKey } from '../../model/filter.js';
import { FIXED } from '../../model/limits.js';
import type { PathStep } from '../../model/path-step.js';
import { formMistake } from './mistakes.js';

const KEY = /([\p{L}\p{N}_-]+)|"([^"]+)"/uy;
const PLACE = /\[(\d{0,9})\]/y;

/** What a path is refused with that cannot be read. */
type Refusal = (path: string, message: string, limit?: number) => Error;

/** The steps of a path. @param refusal with the place where it stands; of a filter where nothing is said */
export function payloadSteps(value: unknown, path: string, refusal: Refusal = invalidFilter): PathStep[] {
  if (typeof value !== 'string' || value === '') throw refusal(path, 'must be a path of payload keys');
  const steps: PathStep[] = [];
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const found = form.exec(value);
    if (found !== null) at = form.lastIndex;
    return found;
  };
  for (let more = true; more; ) {
    const key = take(KEY);
    if (key === null) throw refusal(path, `has no key at character ${at}: keys are letters, digits, _ and -, or stand in quotes`);
    steps.push(key[1] ?? key[2] ?? '');
    for (let place = take(PLACE); place !== null; place = take(PLACE)) steps.push(place[1] === '' ? null : Number(place[1]));
    more = value[at] === '.';
    if (more) at += 1;
    if (steps.length > FIXED.jsonDepthMax)
      throw refusal(path, `has more than ${FIXED.jsonDepthMax} steps, and no payload is that deep`, FIXED.jsonDepthMax);
  }
  if (at < value.length) throw refusal(path, `cannot be read from character ${at} on`);
  return steps;
}

/** Where a condition looks. A single key is one way to say it, here and in the own API. @throws as payloadSteps */
export function placeInPayload(value: unknown, path: string, refusal?: Refusal): AtKey {
  return atSteps(payloadSteps(value, path, refusal));
}

/** The elements of the array at a path. @throws InvalidFilter */
export function elementsInPayload(value: unknown, path: string): AtKey {
  const steps = payloadSteps(value, path);
  return atSteps(steps.at(-1) === null ? steps : [...steps, null]);
}

function atSteps(steps: readonly PathStep[]): AtKey {
  const key = dottedPath(steps);
  const [only] = steps;
  return steps.length === 1 && typeof only === 'string' && !only.includes('.') ? { key } : { key, steps };
}

/** A path as indexes, facets and groups have them: it goes into all elements of every array on its way, so it names no place in one, and a dot
 *  stands between its keys, so none is in them. @throws InvalidRequest (body_form) */
export function crossingPath(value: unknown, path: string): string {
  const steps = payloadSteps(value, path, formMistake);
  if (steps.some((step) => typeof step === 'number'))
    throw formMistake(path, 'goes into all elements of an array here, not to one of them');
  if (steps.some((step) => typeof step === 'string' && step.includes('.'))) throw formMistake(path, 'has a key with a dot in it');
  return dottedPath(steps);
}

/** As the own API says it: without the places in arrays, which its paths cross by themselves. */
function dottedPath(steps: readonly PathStep[]): string {
  return steps.filter((step) => typeof step === 'string').join('.');
}
