/** Verifies a data folder, or a store's file alone, in a child process, so that a file so damaged that reading it ends the process cannot take the server along.
 *  A child that dies is a finding. Must not know: what is verified. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FindingList, type VerifyLevel, type VerifyProgress, type VerifyReport } from './verify-report.js';

const CHILD = fileURLToPath(new URL('./verify-child.js', import.meta.url));
const STDERR_CHARS_MAX = 4_096;

interface ChildOptions {
  /** Ends the child; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What is started instead of the checker: for tests. */
  readonly childPath?: string;
}

/** @returns the child's report, or one with a single finding process_died
 *  @throws Error when no process can be started, or when options.signal aborts */
export async function verifyInChild(
  path: string,
  level: VerifyLevel,
  onProgress: (progress: VerifyProgress) => void = () => {},
  options: ChildOptions = {},
): Promise<VerifyReport> {
  options.signal?.throwIfAborted();
  const child = spawn(process.execPath, [options.childPath ?? CHILD, path, level], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => {
    child.kill('SIGKILL');
  };
  options.signal?.addEventListener('abort', stop);
  let report: VerifyReport | undefined;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = readLine(line);
    if (message.progress !== undefined) onProgress(message.progress);
    report = message.report ?? report;
  });
  try {
    const ending = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    options.signal?.throwIfAborted();
    return report !== undefined && ending === 'exit code 0' ? report : died(path, level, ending, stderr);
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

function readLine(line: string): { progress?: VerifyProgress; report?: VerifyReport } {
  try {
    return JSON.parse(line) as { progress?: VerifyProgress; report?: VerifyReport };
  } catch {
    // A line that was cut off when the process died.
    return {};
  }
}

function died(path: string, level: VerifyLevel, ending: string, stderr: string): VerifyReport {
  const findings = new FindingList();
  const said = stderr.split('\n').find((line) => /\S/.test(line) && /Error|error/.test(line)) ?? '';
  findings.add('process_died', `The process that verified ${path} ended with ${ending} before its report. ${said}`.trim());
  const counts = { collections: 0, points: 0, deadPoints: 0, logEntries: 0, rememberedKeys: 0 };
  return {
    ok: false,
    level,
    databasePath: null,
    position: null,
    counts,
    findings: findings.findings,
    findingsCount: findings.count,
  };
}
