/** Payloads whose JSON text says more than numbers hold: they are refused, as the server refuses them, and do not come out as others. Pure. */

import type { Payload } from '../../model/point.js';
import { roundedNumberIn } from './foreign/exact-numbers.js';
import { RecordProblem } from './point-fields.js';

const LONG_INTEGERS = /[:[,]\s*(-?\d{16,})(?=\s*[,\]}])/g;
/** Only such text can hold a number beyond the largest double. */
const LARGE_NUMBERS = /[eE]\+?\d{3}|\d{309}/;

/** @param json the text that holds the payload  @param payload what was read of it  @throws RecordProblem */
export function mustBeExact(json: string, payload: Payload | undefined): void {
  if (payload === undefined) return;
  const lost = roundedNumberIn(payload, lostIntegers(json));
  if (lost !== null)
    throw new RecordProblem(
      `has an integer near ${lost} in its payload, beyond ±2^53, which JSON numbers cannot hold; a text in quotes can`,
    );
  if (LARGE_NUMBERS.test(json) && holdsInfinity(payload))
    throw new RecordProblem('has a number in its payload that is too large for a double');
}

/** What integers are read as that a number would not print as they stand; usually none. An exported 1e20 prints so, and comes in again. */
function lostIntegers(json: string): ReadonlySet<number> {
  const lost = new Set<number>();
  for (const [, digits = ''] of json.matchAll(LONG_INTEGERS)) if (String(Number(digits)) !== digits) lost.add(Number(digits));
  return lost;
}

function holdsInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsInfinity);
}
