/** `npm run bench -- core_operations http …`: runs the named benches (all when none is named), prints tables, writes JSON, and closes with
 *  every figure and ratio. Exit code 1 when a figure with a bound does not hold; a bench that fails does not stop the others. */

import { BENCHES, findBenches } from './support/catalogue.js';
import { runBenches } from './support/runner.js';

const names = process.argv.slice(2);
const chosen = findBenches(names);
if (chosen === null) {
  console.error(`There is ${BENCHES.map(({ name }) => name).join(', ')}; not all of: ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  process.exitCode = (await runBenches(chosen, 'Figures')) ? 0 : 1;
}
