/** Standard error as the place of the log: whoever reads it, or reads it no more, the process goes on.
 *
 *  A pipe and a terminal are opened anew where the system allows it, so that they never block here and stay as they are for other
 *  processes that share them. Must not know: what is written. */

import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { HeldLines } from './held-lines.js';

const STDERR = 2;
/** What the reader does not take at once is kept up to here, then dropped. */
const HELD_BYTES_MAX = 1024 * 1024;
/** The end of a process waits no longer for the reader. */
const FLUSH_MS = 1_000;

/** One in a process, as there is one standard error. */
let lines: HeldLines | null = null;

export function standardError(): HeldLines {
  lines ??= toDescriptor(neverBlocking());
  return lines;
}

/** Before the process ends: what is held goes out, if somebody takes it. Blocks for a second at most. */
export function flushStandardError(): void {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  lines?.flush(FLUSH_MS, { nowMs: () => performance.now(), pause: (ms) => void Atomics.wait(cell, 0, 0, ms) });
}

function toDescriptor(fd: number): HeldLines {
  return new HeldLines({ bytesMax: HELD_BYTES_MAX, take: (bytes, from) => writeSync(fd, bytes, from) });
}

function neverBlocking(): number {
  try {
    const stats = fstatSync(STDERR);
    // A file has a place that goes with the descriptor, and waits for nobody.
    if (!stats.isFIFO() && !stats.isCharacterDevice()) return asItIs();
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // Not this system, not this user, or no reader any more.
    return asItIs();
  }
}

/** Node makes sockets and pipes non-blocking when it makes its stream over them. In a thread that stream has no descriptor. */
function asItIs(): number {
  return (process.stderr as Partial<typeof process.stderr>).fd ?? STDERR;
}
