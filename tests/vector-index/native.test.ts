/** Native builds: which binary is chosen, and that a binary nobody vouches for is never loaded. */
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { type LoadedNative, loadNative, type NativeSources } from '../../src/vector-index/native.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('vector-index/native');
const require = createRequire(import.meta.url);
const plainBinary = join(dirname(require.resolve('hnswlib-node/package.json')), 'build', 'Release', 'addon.node');
const allFlags = new Set(['avx2', 'fma']);

/** A folder with a binary (the plain one under the other name, so that the test runs on every processor) and its marker. */
function vouchedFolder(t: TestContext, change: Record<string, unknown> = {}): string {
  const folder = t.folder();
  const binary = join(folder, 'hnswlib-avx2.node');
  copyFileSync(plainBinary, binary);
  const marker = {
    hnswlibNode: (require('hnswlib-node/package.json') as { version: string }).version,
    platform: process.platform,
    arch: process.arch,
    sha256: createHash('sha256').update(readFileSync(binary)).digest('hex'),
    ...change,
  };
  writeFileSync(join(folder, 'hnswlib-avx2.json'), JSON.stringify(marker));
  return folder;
}

function nearestTo5(native: LoadedNative): number | undefined {
  const index = new native.HierarchicalNSW('l2', 4);
  index.initIndex(8);
  for (let label = 0; label < 8; label += 1) index.addPoint([label, label, label, label], label);
  return index.searchKnn([5, 5, 5, 5], 1).neighbors[0];
}

function choose(sources: NativeSources): LoadedNative {
  return loadNative({ cpuFlags: allFlags, setting: undefined, ...sources });
}

test('loads the AVX2 build when its marker vouches for it and the processor can run it', (t) => {
  const native = choose({ folder: vouchedFolder(t) });
  assert.is(native.build, 'avx2');
  assert.is(nearestTo5(native), 5);
});

test('loads the plain build when it is told to', (t) => {
  const native = choose({ folder: vouchedFolder(t), setting: 'plain' });
  assert.is(native.build, 'plain');
  assert.match(native.reason, 'SKEIN_NATIVE_BUILD');
  assert.is(nearestTo5(native), 5);
});

test('loads the plain build on a processor without AVX2 or FMA', (t) => {
  const folder = vouchedFolder(t);
  const native = choose({ folder, cpuFlags: new Set(['fma']) });
  assert.is(native.build, 'plain');
  assert.match(native.reason, 'lacks avx2');
  assert.is(choose({ folder, cpuFlags: new Set(['avx2']) }).build, 'plain');
  assert.is(choose({ folder, cpuFlags: new Set() }).build, 'plain');
});

test('loads the plain build when no other was made', (t) => {
  const native = choose({ folder: t.folder() });
  assert.is(native.build, 'plain');
  assert.match(native.reason, 'no AVX2 build');
});

test('loads the plain build when the binary is not the one that was made', (t) => {
  const folder = vouchedFolder(t, { sha256: 'f'.repeat(64) });
  const native = choose({ folder });
  assert.is(native.build, 'plain');
  assert.match(native.reason, 'differs from its marker');
});

test('loads the plain build when the other belongs to another version or platform', (t) => {
  assert.is(choose({ folder: vouchedFolder(t, { hnswlibNode: '2.9.9' }) }).build, 'plain');
  assert.is(choose({ folder: vouchedFolder(t, { platform: 'sunos' }) }).build, 'plain');
  assert.is(choose({ folder: vouchedFolder(t, { arch: 'arm64' }) }).build, 'plain');
});

test('loads the plain build when the marker is not JSON or the binary is no library', (t) => {
  const folder = vouchedFolder(t);
  writeFileSync(join(folder, 'hnswlib-avx2.json'), '{');
  assert.is(choose({ folder }).build, 'plain');

  const text = Buffer.from('no library');
  const other = vouchedFolder(t, { sha256: createHash('sha256').update(text).digest('hex') });
  writeFileSync(join(other, 'hnswlib-avx2.node'), text);
  const native = choose({ folder: other });
  assert.is(native.build, 'plain');
  assert.match(native.reason, 'does not load');
});

test('works in worker threads, and gives each the choice of the main thread', async () => {
  const here = loadNative();
  assert.is(nearestTo5(here), 5);
  const module = new URL('../../src/vector-index/native.js', import.meta.url).href;
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(({ loadNative }) => {
      const { HierarchicalNSW, build } = loadNative();
      const index = new HierarchicalNSW('l2', 2);
      index.initIndex(4);
      index.addPoint([1, 1], 7);
      parentPort.postMessage({ build, found: index.searchKnn([1, 1], 1).neighbors[0] });
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
