/** `npm run check`: every check there is, each run once; the import law and tidiness are tests of the suite.
 *
 *  Plain JavaScript, because it also builds. A failing check does not stop the others, so one run shows everything. The last
 *  line is `N passed, N failed`, where a check counts as one and every test as one; the exit code is 1 when anything failed. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const projectFolder = fileURLToPath(new URL('../../', import.meta.url));
const places = ['src', 'tests', 'benches'].filter((place) => existsSync(`${projectFolder}${place}`));
const STEP_DEADLINE_MS = 300_000;

/** What the suite needs, in this order. */
const BUILD = [
  { name: 'types (tsc)', command: ['typescript/bin/tsc', '-p', 'tsconfig.json'] },
  { name: 'bundle (esbuild)', command: ['src/install/bundle.js'] },
];
/** What reads the sources alone, beside the build and the begin of the suite. */
const READERS = [
  {
    name: 'format and lint (biome); npm run format repairs most',
    command: [
      '@biomejs/biome/bin/biome',
      'check',
      '--config-path=tests/house/biome-rules.json',
      '--error-on-warnings',
      ...places,
    ],
  },
  {
    name: 'dead code (knip)',
    command: ['knip/bin/knip.js', '--config', 'tests/house/knip.json', '--no-progress', '--no-config-hints'],
  },
  {
    name: 'lint with types (oxlint)',
    command: ['oxlint/bin/oxlint', '--type-aware', '--config', 'tests/house/oxlint-rules.json', ...places],
  },
];

/** Runs one check and prints its outcome, with everything it said when it failed. */
function runStep({ name, command: [program, ...rest] }) {
  return new Promise((resolve) => {
    const startMs = performance.now();
    const child = spawn(process.execPath, [program.startsWith('src/') ? program : `node_modules/${program}`, ...rest], {
      cwd: projectFolder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: STEP_DEADLINE_MS,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('close', (code, signal) => {
      const good = code === 0;
      console.log(`${good ? 'ok  ' : 'FAIL'} ${name}  ${Math.round(performance.now() - startMs)} ms`);
      if (!good) console.log(`${output}${signal === null ? '' : `ended by ${signal} (deadline ${STEP_DEADLINE_MS} ms)`}`);
      resolve(good);
    });
  });
}

async function runSteps(steps) {
  const outcomes = [];
  for (const step of steps) outcomes.push(await runStep(step));
  return { passed: outcomes.filter(Boolean).length, failed: outcomes.filter((good) => !good).length };
}

/** Runs the suite in its own process, passing its output on, and reads the counts from its closing line. */
function runSuite() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['dist/tests/support/run.js'], {
      cwd: projectFolder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let tail = '';
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      tail = (tail + chunk).slice(-200);
    });
    child.on('close', (code) => {
      const counts = /(\d+) passed, (\d+) failed\n$/.exec(tail);
      const passed = Number(counts?.[1] ?? 0);
      const failed = Number(counts?.[2] ?? 0);
      resolve({ passed, failed: failed === 0 && code !== 0 ? 1 : failed });
    });
  });
}

async function buildAndTest() {
  const built = await runSteps(BUILD);
  return { built, tests: await runSuite() };
}

const [read, { built, tests }] = await Promise.all([runSteps(READERS), buildAndTest()]);
const checks = { passed: read.passed + built.passed, failed: read.failed + built.failed };
const failed = checks.failed + tests.failed;
console.log(`checks: ${checks.passed} passed, ${checks.failed} failed; tests: ${tests.passed} passed, ${tests.failed} failed`);
console.log(`${checks.passed + tests.passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
