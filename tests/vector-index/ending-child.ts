/** A thread that ends while its graph is written: ending-child.js <fifo> terminate | exit | throw. It writes into a pipe that nobody reads
 *  yet, says so on standard output when its end has begun, and can only end once somebody does. */

import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadNative } from '../../src/vector-index/native.js';

const [, , path = '', mode = ''] = process.argv;
const ending = (): number => writeSync(1, 'ending\n');

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: [path, mode], workerData: mode });
  worker.on('error', ending);
  worker.on('message', () => {
    if (mode === 'throw') return;
    const ended = mode === 'terminate' ? worker.terminate() : null;
    ending();
    if (ended === null) process.exit(0);
  });
} else {
  const graph = new (loadNative({ setting: undefined }).Graph)('euclid', 4, 'none');
  graph.create(8, 4, 20, 1);
  graph.load(new Float32Array(4), 1);
  graph.insert(0, true);
  void graph.write(path);
  parentPort?.postMessage('writing');
  if (workerData === 'throw') throw new Error('the thread fails');
}
