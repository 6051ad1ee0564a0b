/** What the process holds, read from the kernel: resident memory, open handles and their limit. Where there is no /proc, what Node knows.
 *  Must not know: limits of ours, what is done about it. */

import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { HandleReading } from './handle-guard.js';

const KIB = 1024;
/** Above this a limit of the container is none: kernels write a number near 2^63 for it. */
const CONSTRAINED_MAX = 2 ** 50;

/** Bytes that are resident: VmRSS of /proc/self/status; null when no handle is left to read them with.
 *  Cost: about 50 µs beside the event loop. */
export async function residentBytes(): Promise<number | null> {
  try {
    const kib = found(await readFile('/proc/self/status', 'utf8'), /^VmRSS:\s+(\d+) kB$/m);
    if (kib !== null) return kib * KIB;
  } catch (error) {
    if (isOutOfHandles(error)) return null;
  }
  try {
    return process.memoryUsage.rss();
  } catch {
    // Node reads a file for it as well.
    return null;
  }
}

/** What the machine has, or the container may use. */
export function memoryThereIs(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return constrained > 0 && constrained < CONSTRAINED_MAX ? Math.min(constrained, total) : total;
}

/** Null where it cannot be read; 'exhausted': no handle was left to count them with.
 *  Cost: a listing of /proc/self/fd, about 1 ms for 4,000 handles, beside the event loop. */
export async function handleReading(): Promise<HandleReading | 'exhausted' | null> {
  try {
    const limit = found(await readFile('/proc/self/limits', 'utf8'), /^Max open files\s+(\d+)/m);
    // The listing has a handle of its own.
    return limit === null ? null : { open: (await readdir('/proc/self/fd')).length - 1, limit };
  } catch (error) {
    return isOutOfHandles(error) ? 'exhausted' : null;
  }
}

export function isOutOfHandles(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  if (error.code === 'EMFILE' || error.code === 'ENFILE') return true;
  // A thread that could not be started says it in words.
  return error.code === 'ERR_WORKER_INIT_FAILED' && error instanceof Error && /\b(?:EMFILE|ENFILE)\b/.test(error.message);
}

function found(text: string, pattern: RegExp): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}
