/** What a vector index alone takes of memory: a process of its own builds it from drawn vectors, collects garbage, and says how much it
 *  grew. Run as `index-memory.js <count> <dimension> <form>` it is that process. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createIndex } from '../../src/vector-index/open-index.js';
import type { VectorForm } from '../../src/vector-index/vector-index.js';
import { ClusterStream, type Shape } from './clusters.js';

const THIS_FILE = fileURLToPath(import.meta.url);

/** @returns bytes resident with the index less those before it  Cost: building it, in one thread */
export async function indexMemory({ count, dimension }: Shape, form: VectorForm): Promise<number> {
  const words = ['--expose-gc', THIS_FILE, String(count), String(dimension), form];
  return Number(execFileSync(process.execPath, words, { encoding: 'utf8' }));
}

function grow(count: number, dimension: number, quantization: VectorForm): number {
  const stream = new ClusterStream(dimension);
  const warm = createIndex({ dimension, distance: 'euclid', m: 16, efConstruct: 200, quantization });
  warm.add(0, stream.next(), null);
  warm.close();
  const before = resident();
  const index = createIndex({ dimension, distance: 'euclid', m: 16, efConstruct: 200, quantization });
  for (let label = 0; label < count; label += 1) {
    index.add(label, stream.next(), null);
    while (index.crowded) index.work(100);
  }
  while (index.status().waiting > 0) index.work(100);
  const after = resident();
  if (index.status().live !== count) throw new Error('the index lost points');
  return after - before;
}

function resident(): number {
  for (let i = 0; i < 3; i += 1) globalThis.gc?.();
  return process.memoryUsage.rss();
}

if (process.argv[1] === THIS_FILE) {
  const [count, dimension, form] = process.argv.slice(2);
  process.stdout.write(String(grow(Number(count), Number(dimension), form as VectorForm)));
}
