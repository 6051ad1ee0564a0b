/** When a refused caller may come back. All who were refused at once must not come back at once, so an overload spreads them over some
 *  seconds. */

import type { SkeinError } from '../model/errors.js';

const LEAST_SECONDS = 1;
/** On top of it, at random. */
const SPREAD_SECONDS = 2;

/** Whole seconds for the header. @param random in [0, 1) */
export function retryAfterSeconds({ type, details }: Pick<SkeinError, 'type' | 'details'>, random: number): number {
  const afterMs = details['retry_after_ms'];
  if (typeof afterMs === 'number') return Math.max(LEAST_SECONDS, Math.ceil(afterMs / 1_000));
  return type === 'Overloaded' ? LEAST_SECONDS + Math.floor(random * (SPREAD_SECONDS + 1)) : LEAST_SECONDS;
}
