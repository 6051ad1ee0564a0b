/** Time that a test sets on instead of waiting for it: Date.now() and performance.now() of this process are ahead by as much as it says.
 *
 *  For breakers, which ask the process for the time: with a long resetMs none of them lets a call through by itself, however long a busy
 *  machine stands still. Timers and other threads know nothing of it. Must not know: what is tested. */
import type { TestContext } from '../support/suite.js';

const real = { now: Date.now, sinceStart: performance.now.bind(performance) };

/** @returns sets the time on by so many milliseconds, until the test ends */
export function shiftedTime(t: Pick<TestContext, 'after'>): (ms: number) => void {
  let aheadMs = 0;
  Date.now = () => real.now() + aheadMs;
  performance.now = () => real.sinceStart() + aheadMs;
  t.after(() => {
    Date.now = real.now;
    performance.now = real.sinceStart;
  });
  return (ms) => {
    aheadMs += ms;
  };
}
