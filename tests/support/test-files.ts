/** Runs test files, each in a child process of its own, a few at a time, and counts what they report.
 *
 *  Invariant: a file counts as good only when it ended by itself with code 0, executed at least one test and said that all
 *  its suites ended. Whatever else happens (a crash, a hang, no tests) is one failure more, never silence.
 *  Must not know: what the files test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { bundleTests } from './bundled-tests.js';
import { isFileReport } from './report.js';

/** One more than two cores can work on: files wait now and then, for a disk, a deadline or an index. */
const FILES_AT_A_TIME = 3;
/** The folder of package.json, seen from dist/tests/support/. */
export const projectFolder = fileURLToPath(new URL('../../../', import.meta.url));

const dist = join(projectFolder, 'dist');

export interface TestRun {
  readonly passed: number;
  readonly failed: number;
}

export interface RunOptions {
  /** Only files whose path holds one of these; all when empty. */
  readonly patterns: readonly string[];
  /** Which of the tests: the long fault suites under tests/faults/, those that need a browser under tests/browser/, or everything else. */
  readonly lane: 'faults' | 'browser' | 'usual';
  /** The longest one file may take before it is killed with all its children. */
  readonly fileDeadlineMs: number;
  /** Puts the files into a bundle that starts sooner; null: they run as they are in dist. */
  readonly bundle: typeof bundleTests | null;
  readonly write: (text: string) => void;
}

export interface FileResult extends TestRun {
  /** Everything the file printed. */
  readonly output: string;
  /** One line for each failed test, or one that says how the file itself failed. */
  readonly failures: readonly string[];
  readonly tookMs: number;
}

const running = new Set<ChildProcess>();

/** Lists the test files (by their sources, so that stale builds are never run), sorted, as paths below tests/. */
export function listTestFiles(options: Pick<RunOptions, 'patterns' | 'lane'>): string[] {
  const testsFolder = join(projectFolder, 'tests');
  return readdirSync(testsFolder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => laneOf(path) === options.lane)
    .filter((path) => options.patterns.length === 0 || options.patterns.some((pattern) => `tests/${path}`.includes(pattern)))
    .sort();
}

function laneOf(path: string): RunOptions['lane'] {
  if (path.startsWith('faults/')) return 'faults';
  return path.startsWith('browser/') ? 'browser' : 'usual';
}

/** Runs the chosen files and prints one line for each, and in full whatever a failing file printed. */
export async function runTestFiles(options: RunOptions): Promise<TestRun> {
  const waiting = listTestFiles(options);
  const compiledOf = (path: string): string => join(dist, 'tests', path.replace(/\.ts$/, '.js'));
  const built = new Set(waiting.map(compiledOf).filter((path) => existsSync(path)));
  const bundle = built.size > 0 ? await options.bundle?.(dist, [...built]) : undefined;
  const total = { passed: 0, failed: 0 };
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const compiled = compiledOf(path);
      const file = built.has(compiled) ? (bundle?.fileOf(compiled) ?? compiled) : compiled;
      const result = await runTestFile(file, `tests/${path}`, options.fileDeadlineMs);
      total.passed += result.passed;
      total.failed += result.failed;
      failures.push(...result.failures);
      const mark = result.failed === 0 ? 'ok  ' : 'FAIL';
      options.write(`${mark} tests/${path}  ${result.passed} passed, ${result.failed} failed, ${Math.round(result.tookMs)} ms\n`);
      if (result.failed > 0) options.write(`${result.output}\n`);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_A_TIME }, work));
  if (failures.length > 0) options.write(`\nFailed:\n${failures.map((failure) => `  ${failure}\n`).join('')}`);
  // The places that failures name are in it.
  if (failures.length === 0) bundle?.remove();
  return total;
}

/** Ends every child that still runs, with its own children; for a runner that is interrupted. */
export function killRunningFiles(): void {
  for (const child of running) killGroup(child);
}

/** Runs one compiled test file; `label` names it in failures. */
export async function runTestFile(compiled: string, label: string, deadlineMs: number): Promise<FileResult> {
  const startMs = performance.now();
  if (!existsSync(compiled)) {
    const failure = `${label}: not built (${relative(projectFolder, compiled)} is missing)`;
    return { passed: 0, failed: 1, output: failure, failures: [failure], tookMs: 0 };
  }
  // A process group of its own, so that servers started by a test die with it.
  const child = spawn(process.execPath, [...process.execArgv, compiled], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  running.add(child);
  let output = '';
  let passed = 0;
  let finished = false;
  let outlived = false;
  const failures: string[] = [];
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  child.on('message', (message) => {
    if (!isFileReport(message)) return;
    if (message.kind === 'passed') passed += 1;
    else if (message.kind === 'failed') failures.push(`${label}: ${message.suite}: ${message.test}`);
    else finished = true;
  });
  const timer = setTimeout(() => {
    outlived = true;
    killGroup(child);
  }, deadlineMs);
  const ending = await new Promise<string>((resolve) => {
    let how = 'did not start';
    child.on('error', (error) => {
      how = error.message;
    });
    child.on('exit', (code, signal) => {
      how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      killGroup(child);
    });
    child.on('close', () => resolve(how));
  });
  clearTimeout(timer);
  running.delete(child);

  const executed = passed + failures.length;
  if (outlived) failures.push(`${label}: the file did not end within ${deadlineMs} ms`);
  else if (ending !== 'ended with code 0' && failures.length === 0) failures.push(`${label}: the file ${ending}`);
  else if (executed === 0) failures.push(`${label}: no test was executed`);
  else if (!finished) failures.push(`${label}: the file ${ending} before all its suites had ended`);
  return { passed, failed: failures.length, output, failures, tookMs: performance.now() - startMs };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // ESRCH is the usual case: the group is empty, nothing was left behind.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
