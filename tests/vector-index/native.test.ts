/** Native builds: which binary is chosen, and that a binary nobody vouches for is never loaded. */
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { type LoadedNative, loadNative, type NativeSources } from '../../src/vector-index/native.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/native');
const allFlags = new Set(['avx2', 'fma', 'f16c']);

function nearestTo5(native: LoadedNative): number | undefined {
  const graph = new native.Graph('euclid', 4, 'none');
  graph.create(8, 4, 20, 1);
  for (let label = 0; label < 8; label += 1) {
    graph.load(new Float32Array(4).fill(label), 1);
    graph.insert(label, true);
  }
  return graph.search(new Float32Array(4).fill(5), 1, { limit: 1, ef: 8, visitsMax: 0 }, null).labels[0];
}

function choose(sources: NativeSources): LoadedNative {
  return loadNative({ cpuFlags: allFlags, setting: undefined, ...sources });
}

test("falls back to hnswlib-node's own binary where no build of ours is, and when it is told to", (t) => {
  for (const sources of [{ folder: t.folder() }, { setting: 'hnswlib-node' }]) {
    const native = choose(sources);
    assert.is(native.build, 'hnswlib-node');
    assert.is(nearestTo5(native), 5);
    assert.throws(() => new native.Graph('dot', 4, 'int8'), /int8 needs Skein's own native build/);
  }
});

test('works in worker threads, and gives each the choice of the main thread', async () => {
  const here = loadNative();
  assert.is(nearestTo5(here), 5);
  const module = new URL('../../src/vector-index/native.js', import.meta.url).href;
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(({ loadNative }) => {
      const { Graph, build } = loadNative();
      const graph = new Graph('euclid', 2, 'none');
      graph.create(4, 4, 20, 1);
      graph.load(Float32Array.of(1, 1), 1);
      graph.insert(7, true);
      const bounds = { limit: 1, ef: 4, visitsMax: 0 };
      parentPort.postMessage({ build, found: graph.search(Float32Array.of(1, 1), 1, bounds, null).labels[0] });
    });`;
  const answers = await Promise.all(
    [1, 2].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  assert.equal(answers, [
    { build: here.build, found: 7 },
    { build: here.build, found: 7 },
  ]);
});

test.run();
