/** Faults in the system calls of a running process, by strace: errors, kills and delays at the n-th call on given files.
 *
 *  Counters of strace are per thread and begin when it attaches; the write thread is one thread, and with UV_THREADPOOL_SIZE=1 so is
 *  Node's pool for files. Needs strace (the Debian package of that name) and the right to trace: it fails loudly without.
 *  Must not know: what the process is. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from './wait-until.js';

export interface Injection {
  /** Comma-separated, such as `pwrite64,fdatasync`. */
  readonly calls: string;
  /** strace's own form: `error=EIO`, `signal=KILL`, `delay_enter=2000000` (microseconds). */
  readonly fault: string;
  /** strace's own form: `3` (the third call only), `3+` (from the third on), `1+2`. Default: every call. */
  readonly when?: string;
  /** Only calls that touch these files. Default: all. */
  readonly paths?: readonly string[];
}

export interface Strace {
  /** One line for each traced call. */
  lines(): string[];
  /** How many calls were tampered with so far. */
  injected(): number;
  /** Lets the process go on untouched. */
  detach(): Promise<void>;
}

/** Attaches to a process and all its threads; resolves when every one is traced.
 *  @throws Error when strace is not installed or may not trace */
export async function attachStrace(
  t: { after(cleanup: () => unknown): void; folder(): string },
  pid: number,
  injection: Injection,
): Promise<Strace> {
  const { calls, fault, when, paths = [] } = injection;
  const log = join(t.folder(), 'strace');
  writeFileSync(log, '');
  const inject = `inject=${calls}:${fault}${when === undefined ? '' : `:when=${when}`}`;
  const places = paths.flatMap((path) => ['-P', path]);
  const child = spawn('strace', ['-f', '-p', String(pid), '-o', log, ...places, '-e', `trace=${calls}`, '-e', inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let failure: Error | null = null;
  child.on('error', (error) => (failure = new Error(`strace cannot be started; install the package strace (${error.message})`)));
  const ended = once(child, 'exit').catch(() => []);
  const detach = async (): Promise<void> => {
    if (failure !== null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGINT');
    await ended;
  };
  t.after(detach);
  await waitUntil(
    () => {
      if (failure !== null) throw failure;
      if (child.exitCode !== null) throw new Error(`strace ended with code ${child.exitCode}: ${said}`);
      return /attached/.test(said);
    },
    { what: 'strace to attach' },
  );
  const lines = (): string[] => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  return { lines, injected: () => lines().filter((line) => /\((?:INJECTED|DELAYED)\)/.test(line)).length, detach };
}
