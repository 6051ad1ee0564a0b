/** Suites: uvu's `suite` with what it lacks: cleanups, temporary folders, a deadline for every test and counting.
 *
 *    const test = suite('storage/tables');
 *    test('a sentence of behaviour', async (t) => { const folder = t.folder(); t.after(() => store.close()); … });
 *    test.run();
 *
 *  Invariant: a suite whose run() was forgotten, a test that outlives its deadline and a failing cleanup all turn the file
 *  red. Every executed test is told to the runner (tests/support/test-files.ts). Must not know: what is tested. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as uvu from 'uvu';
import { type FileReport, tellRunner } from './report.js';

const DEFAULT_DEADLINE_MS = 30_000;
const CLEANUP_DEADLINE_MS = 10_000;
/** After the last test a file gets this long to end by itself; what still holds it open then is a failure. */
const LEAK_GRACE_MS = 5_000;

/** What a test is handed. */
export interface TestContext {
  readonly name: string;
  /** Registers a cleanup. Cleanups run in reverse order, also when the test failed; one that throws fails the test. */
  after(cleanup: () => unknown): void;
  /** Makes a fresh temporary folder, removed after the test, and returns its path. */
  folder(): string;
  /** A seed that is the same on every run (or SKEIN_TEST_SEED when set) and is printed when the test fails. */
  seed(): number;
  /** How often something random is done: as usual, or as often as is worth it when SKEIN_TEST_THOROUGH is set. */
  rounds(usual: number, thorough: number): number;
}

export interface SuiteOptions {
  /** The longest one test may take, cleanups not counted. Default 30,000. */
  readonly deadlineMs?: number;
}

/** Adds a test; `run` starts the suite and must be called once, after the last test. */
export interface Suite {
  (name: string, body: (t: TestContext) => unknown): void;
  run(): void;
}

const suitesNotRun = new Set<string>();
let suitesUnfinished = 0;

/** Makes a suite.
 *  @throws Error when a test name is used twice, when `run` is called twice, or on a suite with no tests. */
export function suite(name: string, options: SuiteOptions = {}): Suite {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const inner = uvu.suite(name);
  const names = new Set<string>();
  let started = false;
  suitesNotRun.add(name);

  const add = (testName: string, body: (t: TestContext) => unknown): void => {
    if (started) throw new Error(`suite "${name}": test "${testName}" was added after run()`);
    if (names.has(testName)) throw new Error(`suite "${name}" has two tests named "${testName}"`);
    names.add(testName);
    inner(testName, async () => {
      const report = (outcome: FileReport['kind']): void => tellRunner({ kind: outcome, suite: name, test: testName });
      try {
        await runOne(testName, body, deadlineMs);
      } catch (error) {
        report('failed');
        throw error;
      }
      report('passed');
    });
  };

  const run = (): void => {
    if (started) throw new Error(`suite "${name}" was run twice`);
    if (names.size === 0) throw new Error(`suite "${name}" has no tests`);
    started = true;
    suitesNotRun.delete(name);
    suitesUnfinished += 1;
    inner.after(() => {
      suitesUnfinished -= 1;
      if (suitesUnfinished === 0 && suitesNotRun.size === 0) watchForLeaks();
    });
    inner.run();
  };

  return Object.assign(add, { run });
}

/** Runs one test body under its deadline, then its cleanups; throws one error that holds everything that went wrong. */
async function runOne(name: string, body: (t: TestContext) => unknown, deadlineMs: number): Promise<void> {
  const cleanups: Array<() => unknown> = [];
  let seed: number | undefined;
  const context: TestContext = {
    name,
    after: (cleanup) => {
      cleanups.push(cleanup);
    },
    folder: () => {
      const folder = mkdtempSync(join(tmpdir(), 'skein-test-'));
      cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
      return folder;
    },
    seed: () => {
      seed ??= seedFor(name);
      return seed;
    },
    rounds: (usual, thorough) => (process.env['SKEIN_TEST_THOROUGH'] === undefined ? usual : thorough),
  };

  const failures: Error[] = [];
  const attempt = async (what: string, action: () => unknown, limitMs: number): Promise<void> => {
    try {
      await withDeadline(what, action, limitMs);
    } catch (error) {
      failures.push(asError(error));
    }
  };
  await attempt(`test "${name}"`, () => body(context), deadlineMs);
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
    await attempt(`a cleanup of test "${name}"`, cleanup, CLEANUP_DEADLINE_MS);
  }

  const [first, ...others] = failures;
  if (first === undefined) return;
  if (seed !== undefined) first.message += `\n    seed ${seed} (repeat with SKEIN_TEST_SEED=${seed})`;
  for (const other of others) first.message += `\n    and then: ${other.stack ?? other.message}`;
  throw first;
}

async function withDeadline(what: string, action: () => unknown, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([(async () => action())(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** uvu prints message and stack only, and dies of a thrown non-Error, so causes are folded into the message here. */
function asError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(`thrown: ${inspect(thrown)}`);
  // uvu prints `details` as text and dies of anything else; the typed errors of the product have an object there.
  if ('details' in thrown && typeof thrown.details !== 'string') return new Error(inspect(thrown));
  if (thrown.cause !== undefined && !Object.isFrozen(thrown)) thrown.message += `\n    caused by: ${inspect(thrown.cause)}`;
  return thrown;
}

/** FNV-1a over the test's name: stable between runs, different between tests. */
function seedFor(name: string): number {
  const given = process.env['SKEIN_TEST_SEED'];
  if (given !== undefined && given !== '') return Number(given) >>> 0;
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}

/** The timer is unreferenced, so it fires only when something else keeps the process alive. */
function watchForLeaks(): void {
  tellRunner({ kind: 'finished', suite: '', test: '' });
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate');
    console.error(`the tests have ended, yet ${LEAK_GRACE_MS} ms later these are still open: ${open.join(', ')}`);
    process.exit(1);
  }, LEAK_GRACE_MS).unref();
}

process.on('exit', () => {
  for (const name of suitesNotRun) {
    console.error(`suite "${name}" was never run: its last line must be test.run()`);
    process.exitCode = 1;
  }
});
