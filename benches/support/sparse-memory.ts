/** What a sparse index alone takes of memory: a process of its own builds it from real texts, collects garbage, and says how much goes when the
 *  index goes, and what it said of itself. Run as `sparse-memory.js <data folder> <count>` it is that process. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createSparseIndex } from '../../src/vector-index/open-index.js';
import { SparseTexts } from './sparse-texts.js';

const THIS_FILE = fileURLToPath(import.meta.url);

export interface SparseMemory {
  readonly takenBytes: number;
  /** As the index says. */
  readonly toldBytes: number;
  /** Adding all, the texts made beside it left out. */
  readonly addMs: number;
}

/** Cost: building the index, in one thread. */
export function sparseMemory(folder: string, count: number): SparseMemory {
  const words = ['--expose-gc', THIS_FILE, folder, String(count)];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as SparseMemory;
}

async function grow(folder: string, count: number): Promise<SparseMemory> {
  const texts = new SparseTexts(folder);
  const index = createSparseIndex();
  let label = 0;
  let addMs = 0;
  for (const vector of texts.documents(count)) {
    const beganMs = performance.now();
    index.add(label++, vector, null);
    addMs += performance.now() - beganMs;
  }
  const { live, memoryBytes: toldBytes } = index.status();
  if (live !== count) throw new Error('the index lost points');
  const withIt = await kept();
  index.close();
  return { takenBytes: withIt - (await kept()), toldBytes, addMs };
}

/** Live bytes of the heap and of buffers: resident ones say little of an index that is smaller than the garbage of its texts. */
async function kept(): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc?.();
    // Buffers are counted out by another thread.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (process.argv[1] === THIS_FILE) {
  const [folder = '', count] = process.argv.slice(2);
  process.stdout.write(JSON.stringify(await grow(folder, Number(count))));
}
