/** What a test may do to a process from outside, by variables that are read where a thread starts:
 *
 *    SKEIN_TEST_FAIL=name:n   the process ends when this thread comes to the failpoint `name` for the n-th time (without n: the first)
 *    SKEIN_TEST_DROP=n        a replica silently does not apply the n-th put or delete of points (only digests can tell)
 *
 *  Nothing happens unless a variable is set. Must not know: what ends a process. */

import { armFailpoint, BACKUP_FAILPOINTS, FAILPOINTS } from './failpoint.js';

let untilDropped = 0;

/** Arms what the environment asks for, in this thread. @param end ends the process at once, as a kill would
 *  @throws RangeError when a variable names no failpoint or no count: a sweep over misspelt names would pass */
export function armTestHooks(environment: Readonly<Record<string, string | undefined>>, end: () => void): void {
  const fail = environment['SKEIN_TEST_FAIL'];
  if (fail !== undefined && fail !== '') {
    const [name, count = '1'] = fail.split(':');
    const place = [...FAILPOINTS, ...BACKUP_FAILPOINTS].find((known) => known === name);
    if (place === undefined) throw new RangeError(`SKEIN_TEST_FAIL: there is no failpoint '${name}'`);
    let left = countOf('SKEIN_TEST_FAIL', count);
    armFailpoint(place, () => {
      left -= 1;
      if (left === 0) end();
    });
  }
  const drop = environment['SKEIN_TEST_DROP'];
  untilDropped = drop === undefined || drop === '' ? 0 : countOf('SKEIN_TEST_DROP', drop);
}

/** Is this change of points, the next that a replica applies, the one to be dropped? Cost unarmed: one comparison. */
export function dropsNextChange(): boolean {
  if (untilDropped === 0) return false;
  untilDropped -= 1;
  return untilDropped === 0;
}

function countOf(variable: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new RangeError(`${variable}: '${text}' is not a count`);
  return Number(text);
}
