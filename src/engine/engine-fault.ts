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

/** Cost unset: one comparison. @throws Error when the engine is to fail */
export function meetEngineFault(engine: EngineKind): void {
  if (path === undefined || path === '') return;
  for (let fault = planted(path, engine); fault !== null; fault = planted(path, engine)) {
    if (fault === 'fail') throw new Error(`a test made the ${engine} index fail`);
    if (fault === 'end') {
      rmSync(path, { force: true });
      process.exit(1);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
  }
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
