/** Native builds: which binary is chosen, and that a binary nobody vouches for is never loaded. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { type LoadedNative, loadNative, type NativeSources } from '../../src/vector-index/native.js';
import { suite, type TestContext } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('vector-index/native');
const require = createRequire(import.meta.url);
const plainBinary = join(projectFolder, 'build', 'native', 'graph-plain.node');
const allFlags = new Set(['avx2', 'fma', 'f16c']);

const BUILDS = ['avx2', 'plain'] as const;

/** A folder with both builds and their markers; the plain binary under both names, so that the test runs on every processor. */
function vouchedFolder(t: TestContext, change: Record<string, unknown> = {}, changed: readonly string[] = BUILDS): string {
  const folder = t.folder();
  for (const build of BUILDS) {
    const binary = join(folder, `graph-${build}.node`);
    copyFileSync(plainBinary, binary);
    const marker = {
      hnswlibNode: (require('hnswlib-node/package.json') as { version: string }).version,
      platform: process.platform,
      arch: process.arch,
      sha256: createHash('sha256').update(readFileSync(binary)).digest('hex'),
      ...(changed.includes(build) ? change : {}),
    };
    writeFileSync(join(folder, `graph-${build}.json`), JSON.stringify(marker));
  }
  return folder;
}

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

test('loads the AVX2 build when its marker vouches for it and the processor can run it', (t) => {
  const native = choose({ folder: vouchedFolder(t) });
  assert.is(native.build, 'avx2');
  assert.is(nearestTo5(native), 5);
});

test('loads the plain build when it is told to, and on a processor that lacks something', (t) => {
  const folder = vouchedFolder(t);
  const told = choose({ folder, setting: 'plain' });
  assert.equal([told.build, told.reason], ['plain', 'SKEIN_NATIVE_BUILD=plain']);
  assert.is(nearestTo5(told), 5);
  for (const flag of allFlags) {
    const native = choose({ folder, cpuFlags: new Set([...allFlags].filter((other) => other !== flag)) });
    assert.equal([native.build, native.reason], ['plain', `this processor lacks ${flag}`]);
  }
});

test('loads the plain build when the other is not the one that was made, or belongs elsewhere', (t) => {
  const wrong = [{ sha256: 'f'.repeat(64) }, { hnswlibNode: '2.9.9' }, { platform: 'sunos' }, { arch: 'mips' }];
  for (const change of wrong) {
    const native = choose({ folder: vouchedFolder(t, change, ['avx2']) });
    assert.is(native.build, 'plain');
    assert.match(native.reason, /^the avx2 build (differs from its marker|is of another version|is for another platform)/);
  }
});

test("loads hnswlib-node's own binary when no build of ours can be trusted, and when it is told to", (t) => {
  const text = Buffer.from('no library');
  const broken = vouchedFolder(t, { sha256: createHash('sha256').update(text).digest('hex') });
  for (const build of BUILDS) writeFileSync(join(broken, `graph-${build}.node`), text);
  const unmarked = vouchedFolder(t);
  for (const build of BUILDS) writeFileSync(join(unmarked, `graph-${build}.json`), '{');
  const foreign = t.folder();
  const cases = [
    { folder: foreign, reason: /no avx2 build was made at installation; no plain build/ },
    { folder: vouchedFolder(t, { hnswlibNode: '2.9.9' }), reason: /another version than hnswlib-node/ },
    { folder: unmarked, reason: /no plain build/ },
    { folder: broken, reason: /the plain build does not load/ },
    { folder: vouchedFolder(t), setting: 'hnswlib-node', reason: /SKEIN_NATIVE_BUILD=hnswlib-node/ },
  ];
  for (const { reason, ...sources } of cases) {
    const native = choose(sources);
    assert.is(native.build, 'hnswlib-node');
    assert.match(native.reason, reason);
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

for (const mode of ['terminate', 'exit', 'throw'])
  test(`a thread that ends while its graph is written ends alone: ${mode}`, async (t) => {
    const pipe = join(t.folder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const file = fileURLToPath(new URL('./ending-child.js', import.meta.url));
    const child = spawn(process.execPath, [file, pipe, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), ended]);
    const reader = spawn('cat', [pipe], { stdio: 'ignore' });
    t.after(() => reader.kill());
    assert.equal(await ended, [0, null]);
  });

test.run();
