/** Filters of the dialect as the engine's. */

import type { Filter } from '../../model/filter.js';
import { parseFilter } from '../../wire/filter.js';

/** @param path where it stands in the body, for mistakes @throws InvalidFilter */
export function filterOf(value: unknown, _path: string): Filter {
  return parseFilter(value);
}
