/** The test runner's command line: `node dist/tests/support/run.js [--faults | --browser] [--file-deadline-ms=N] [part of a path …]`.
 *  Its last line is exactly `N passed, N failed`; the exit code is 1 when anything failed or nothing ran. */
import { parseArgs } from 'node:util';
import { bundleTests } from './bundled-tests.js';
import { killRunningFiles, runTestFiles } from './test-files.js';

const FILE_DEADLINE_MS = 180_000;
const FAULT_FILE_DEADLINE_MS = 1_800_000;

const { values, positionals } = parseArgs({
  options: {
    faults: { type: 'boolean', default: false },
    browser: { type: 'boolean', default: false },
    'file-deadline-ms': { type: 'string' },
  },
  allowPositionals: true,
});
const givenDeadlineMs = values['file-deadline-ms'];

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killRunningFiles();
    process.exit(1);
  });
}

const { passed, failed } = await runTestFiles({
  patterns: positionals,
  lane: values.faults ? 'faults' : values.browser ? 'browser' : 'usual',
  fileDeadlineMs:
    givenDeadlineMs === undefined ? (values.faults ? FAULT_FILE_DEADLINE_MS : FILE_DEADLINE_MS) : Number(givenDeadlineMs),
  // What is measured must have the lines of dist/src.
  bundle: process.env['NODE_V8_COVERAGE'] === undefined ? bundleTests : null,
  write: (text) => process.stdout.write(text),
});
if (passed + failed === 0) console.log('nothing ran');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
