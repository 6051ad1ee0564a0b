/** Collecting the garbage of a thread on request: V8 does not give back what nobody holds until it has a reason of its own, and being over
 *  the memory limit is one of ours. Must not know: limits, who asks. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

/** Of the calling thread. The flag makes the function known in contexts that are made after it. Cost: up to some tens of milliseconds. */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
