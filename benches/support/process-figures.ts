/** What Linux says about a running process: resident memory and processor time. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delay } from './waiting.js';

const KIB = 1024;
/** The kernel counts processor time in hundredths of a second for programs, whatever its own clock. */
const TICK_MS = 10;
const BARE_SETTLE_MS = 1_500;

export interface ResidentMemory {
  readonly rssBytes: number;
  /** Of it: heaps and stacks. */
  readonly anonymousBytes: number;
  /** Of it: programs and libraries. */
  readonly fileBytes: number;
}

export function residentMemory(pid: number): ResidentMemory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * KIB;
  return { rssBytes: bytes('VmRSS'), anonymousBytes: bytes('RssAnon'), fileBytes: bytes('RssFile') + bytes('RssShmem') };
}

/** Processor time of all threads so far. */
export function processorMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold spaces: state is field 3, user and system time are 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory of Node with nothing in it. */
export async function bareNodeMemory(): Promise<ResidentMemory> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  try {
    await delay(BARE_SETTLE_MS);
    if (child.pid === undefined) throw new Error('Node did not start');
    return residentMemory(child.pid);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Waits until resident memory has stopped changing (by more than 1 % in three looks), and returns it. */
export async function settledMemory(pid: number, deadlineMs: number, intervalMs = 5_000): Promise<ResidentMemory> {
  const untilMs = performance.now() + deadlineMs;
  let before = residentMemory(pid);
  for (let calm = 0; calm < 3 && performance.now() < untilMs; ) {
    await delay(intervalMs);
    const now = residentMemory(pid);
    calm = Math.abs(now.rssBytes - before.rssBytes) <= before.rssBytes * 0.01 ? calm + 1 : 0;
    before = now;
  }
  return before;
}
