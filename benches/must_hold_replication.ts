/** The things that must hold of replication, each measured now, as must_hold does it for one node; apart, because it takes as long again.
 *  Exit code 1 when one does not hold or could not be measured. */

import { REPLICATION } from './support/catalogue.js';
import { runBenches } from './support/runner.js';

process.exitCode = (await runBenches(REPLICATION, 'Must hold of replication', ({ bound }) => bound !== undefined)) ? 0 : 1;
