/** The list of things that must hold, each measured now: name, value, bound, whether it holds, and the command that prints it alone.
 *  Exit code 1 when one does not hold or could not be measured. */

import { BENCHES } from './support/catalogue.js';
import { runBenches } from './support/runner.js';

const MEASURED_HERE = ['real_data', 'bulk_load', 'http', 'memory', 'restart', 'churn', 'health'];

process.exitCode = (await runBenches(
  BENCHES.filter(({ name }) => MEASURED_HERE.includes(name)),
  'Must hold',
  ({ bound }) => bound !== undefined,
))
  ? 0
  : 1;
