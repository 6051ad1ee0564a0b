/** When a measure counts as high, and when a change counts as one: pure, so that a value that trembles at a limit tells nobody ten times.
 *
 *    high   from `max` on, until it is below nine tenths of it    (a limit of 1 is never reached)
 *    a status is taken over when so many looks in a row were worse, or were better, than the one in force: then the newest is
 *  Must not know: what is measured, who is told. */

import { compareHealth, type HealthStatus } from '../model/health.js';

const CLEAR_BELOW = 0.9;

/** @param before was it high at the last look  @param max in the unit of the value */
export function isHigh(before: boolean, value: number, max: number): boolean {
  return value >= (before ? max * CLEAR_BELOW : max);
}

/** The same for shares of a whole: with a limit of 1 nothing is ever high. */
export function isShareHigh(before: boolean, share: number, max: number): boolean {
  return max < 1 && isHigh(before, share, max);
}

/** What is in force, and how many looks in a row spoke against it: on the worse side, or on the better. */
export interface Confirmed {
  readonly status: HealthStatus;
  readonly worse: number;
  readonly better: number;
}

export const PRESUMED_HEALTHY: Confirmed = { status: 'healthy', worse: 0, better: 0 };

/** @param needed looks in a row, ≥ 1 */
export function confirm(before: Confirmed, seen: HealthStatus, needed: number): Confirmed {
  const side = compareHealth(seen, before.status);
  const worse = side > 0 ? before.worse + 1 : 0;
  const better = side < 0 ? before.better + 1 : 0;
  if (worse < needed && better < needed) return { status: before.status, worse, better };
  return { status: seen, worse: 0, better: 0 };
}
