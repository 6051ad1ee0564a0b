/** The canonical text of a payload: what JSON.stringify writes, but for one thing.
 *
 *  A float between 2^53 and 10^21 is written with an exponent, because as plain digits it would read back as an integer that cannot be
 *  trusted to the last digit, and such integers are refused. So every stored payload can be given back to the server. */

import type { JsonValue, Payload } from '../model/point.js';

/** Integers up to here are taken as they stand. */
const INTEGER_MAX = 2 ** 53;
/** From here on JSON.stringify writes exponents itself. */
const EXPONENT_FROM = 1e21;

/** Is this a number whose plain digits would be refused as an integer? */
export function needsExponent(value: number): boolean {
  const size = Math.abs(value);
  return size > INTEGER_MAX && size < EXPONENT_FROM;
}

/** @param largeFloats does the payload hold a number that needsExponent? Cost: JSON.stringify when it does not. */
export function payloadText(payload: Payload, largeFloats: boolean): string {
  return largeFloats ? write(payload) : JSON.stringify(payload);
}

function write(value: JsonValue): string {
  if (typeof value === 'number' && needsExponent(value)) return value.toExponential();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, item]: [string, JsonValue]) => `${JSON.stringify(key)}:${write(item)}`)
    .join(',')}}`;
}
