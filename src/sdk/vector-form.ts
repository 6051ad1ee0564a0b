/** Vectors between their user form and their body form: binary in MessagePack, numbers in JSON.
 *
 *  Invariant: every bit of a float32 survives the binary form; nothing that is not a number is ever turned into one. */

import { floatBytes, floatsOf } from '../codec/msgpack.js';
import type { VectorInput } from './types.js';

/** @throws TypeError naming the first component that is not a number */
export function vectorBytes(vector: VectorInput): Uint8Array {
  return floatBytes(vector instanceof Float32Array ? vector : float32Of(vector));
}

export function vectorNumbers(vector: VectorInput): readonly number[] {
  return vector instanceof Float32Array ? Array.from(vector) : vector;
}

/** @param body a binary vector or an array of numbers, as the answer carried it */
export function vectorFrom(body: Uint8Array | Float32Array | readonly number[]): Float32Array {
  if (body instanceof Float32Array) return body;
  return body instanceof Uint8Array ? floatsOf(body) : Float32Array.from(body);
}

function float32Of(numbers: readonly number[]): Float32Array {
  const values = new Float32Array(numbers.length);
  for (let i = 0; i < values.length; i++) {
    const value: unknown = numbers[i];
    if (typeof value !== 'number') {
      throw new TypeError(`component ${i} of a vector is ${value === null ? 'null' : typeof value}, not a number`);
    }
    values[i] = value;
  }
  return values;
}
