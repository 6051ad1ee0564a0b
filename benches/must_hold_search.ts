/** What must hold of filtered, text and hybrid search and of quantization, each measured now, as must_hold.ts does for the rest. */

import { SEARCH } from './support/catalogue.js';
import { runBenches } from './support/runner.js';

process.exitCode = (await runBenches(SEARCH, 'Must hold, search', ({ bound }) => bound !== undefined)) ? 0 : 1;
