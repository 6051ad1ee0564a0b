/** A fault that a test plants into an index worker from outside: the file that SKEIN_TEST_ENGINE_FAULT names, with a line for each engine.
 *
 *    text fail     every question is refused as a defect would
 *    text stall    the thread stands still until the line is gone
 *    vector end    the thread ends; the file goes with it, so that the next thread lives
 *
 *  Nothing is read unless the variable is set. Must not know: questions, indexes. */

import { readFileSync, rmSync } from 'node:fs';
import type { EngineKind } from './index-messages.js';

const LOOK_MS = 5;
const path = process.env['SKEIN_TEST_ENGINE_FAULT'];

/** Stands still as long as it is planted. Cost unset: one comparison.
 *  @returns must the question be refused?  @throws Error when the thread is to end; nobody may catch it */
export function meetEngineFault(engine: EngineKind): boolean {
  if (path === undefined || path === '') return false;
  for (let fault = planted(path, engine); fault !== null; fault = planted(path, engine)) {
    if (fault === 'fail') return true;
    if (fault === 'end') {
      rmSync(path, { force: true });
      throw new Error(`a test ended the thread of the ${engine} index`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
  }
  return false;
}

function planted(file: string, engine: EngineKind): string | null {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${engine} `));
    return line === undefined ? null : line.slice(engine.length + 1).trim();
  } catch {
    return null;
  }
}
