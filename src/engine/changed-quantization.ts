/** How vectors are quantized after a change. Pure. What is absent stays; the type is fixed. */

import type { Quantization } from '../model/collection.js';
import { invalidRequest } from '../model/errors.js';

/** @param path of the change in a body  @throws InvalidRequest */
export function changedQuantization(
  before: Quantization | null,
  change: Partial<Quantization> | null | undefined,
  path: string,
): Quantization | null {
  if (change === undefined) return before;
  if (before === null) {
    if (change === null) return null;
    throw invalidRequest(path, 'is chosen when a collection is made, and this one has none');
  }
  if (change === null) throw invalidRequest(path, 'is chosen when a collection is made and cannot be taken away');
  if (change.type !== undefined && change.type !== before.type)
    throw invalidRequest(`${path}.type`, `is fixed when a collection is made; here it is ${before.type}`);
  return { ...before, ...change };
}
