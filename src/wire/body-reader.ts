/** How a request body is read: pulled piece by piece, the same way from JSON and from MessagePack.
 *
 *  A reader checks the form as it goes and throws InvalidJson with the offset: broken text, nesting deeper than 64, keys named
 *  `__proto__`, lone surrogates, and in MessagePack whatever JSON cannot say; integers beyond ±2^53 are InvalidRequest. It never builds what the caller
 *  does not ask for: a vector goes from the bytes straight into a column of float32.
 *
 *  Must not know: schemas, collections, HTTP. */

import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { JsonValue } from '../model/point.js';
import type { FloatColumn } from './columns.js';

export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'binary';

/** Calls follow the structure of the body; what is entered must be read to its end. */
export interface BodyReader {
  /** What comes next. */
  kind(): ValueKind;
  /** Next is an object: enters it. Then `key` until it gives null. */
  enterObject(): void;
  /** The next key of the object, or null behind the last one. */
  key(): string | null;
  /** Next is an array: enters it. Then `more` before each element until it gives false. */
  enterArray(): void;
  more(): boolean;
  string(): string;
  number(): number;
  /** Any value as plain data (no binary inside). */
  value(): JsonValue;
  /** Next is an object: its canonical JSON text. */
  payload(): string;
  /** Next is an array or binary: appends its components to `into` and returns how many there were.
   *  `into.bad` is the first component that is not a finite float32, or −1. More than `into.room` components are counted, not kept. */
  vector(into: FloatColumn): number;
  /** Nothing may follow. */
  end(): void;
}

/** Which of the two forms a body has. */
export type BodyForm = 'json' | 'msgpack';

export function invalidJson(offset: number, what: string): SkeinError {
  return new SkeinError('InvalidJson', `${what} at byte ${offset}`, { offset });
}

export function tooDeep(offset: number): SkeinError {
  return new SkeinError('InvalidJson', `nesting is deeper than ${FIXED.jsonDepthMax} at byte ${offset}`, {
    offset,
    depth_max: FIXED.jsonDepthMax,
  });
}

/** Well-formed, but no double holds it: the reader knows the value, its caller knows the place (wire/place.ts: placed). */
export function integerBeyond(offset: number): SkeinError {
  return invalidRequest('', `an integer beyond 2^53 would lose digits, at byte ${offset}`);
}

/** Integers beyond this lose digits in a double. */
export const INTEGER_MAX = 2 ** 53;
