/** The shape check of native files: takes what hnswlib writes, in any blocks, and nothing else. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Hnswlib from 'hnswlib-node';
import * as assert from 'uvu/assert';
import { HnswFileCheck } from '../../src/vector-index/hnsw-file.js';
import { HnswGraph } from '../../src/vector-index/hnsw-graph.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('vector-index/hnsw-file');
const parameters = { dimension: 6, distance: 'dot', m: 4, efConstruct: 30, quantization: 'none' } as const;
const HEADER_BYTES = 96;
const ELEMENT_BYTES = 4 + 8 * 4 + 4 * 6 + 8;

async function nativeFile(t: TestContext, points = 150): Promise<Buffer> {
  const graph = HnswGraph.create(parameters);
  t.after(() => graph.free());
  const random = new Random(t.seed());
  for (let label = 0; label < points; label++) graph.add(label * 2, random.vector(6));
  const path = join(t.folder(), 'graph');
  await graph.write(path);
  return readFileSync(path);
}

function check(bytes: Buffer, blockBytes: number, wanted = parameters): HnswFileCheck {
  const file = new HnswFileCheck(wanted, bytes.length);
  for (let at = 0; at < bytes.length; at += blockBytes) file.feed(bytes.subarray(at, at + blockBytes));
  file.end();
  return file;
}

test('takes a native file in blocks of any size and knows its labels', async (t) => {
  const bytes = await nativeFile(t);
  for (const blockBytes of [1, 7, 97, 4_096, bytes.length]) {
    assert.equal(
      [...check(bytes, blockBytes).labels],
      Array.from({ length: 150 }, (_, i) => i * 2),
    );
  }
});

test('refuses a file that ends early, anywhere, or goes on', async (t) => {
  const bytes = await nativeFile(t, 30);
  for (let length = 0; length < bytes.length; length += 5) assert.throws(() => check(bytes.subarray(0, length), 512));
  assert.throws(() => check(Buffer.concat([bytes, Buffer.alloc(1)]), 512), /goes on/);
});

test('refuses a file of other parameters', async (t) => {
  const bytes = await nativeFile(t);
  for (const change of [{ dimension: 7 }, { dimension: 5 }, { m: 5 }, { efConstruct: 31 }]) {
    assert.throws(() => check(bytes, 512, { ...parameters, ...change } as typeof parameters), / instead of |too short/);
  }
});

test('refuses numbers that the native loader would follow into foreign memory', async (t) => {
  const good = await nativeFile(t);
  const damaged = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };
  const second = HEADER_BYTES + ELEMENT_BYTES;
  const lists = HEADER_BYTES + 150 * ELEMENT_BYTES;
  const cases: readonly [RegExp, (bytes: Buffer) => void][] = [
    [/too short/, (bytes) => bytes.writeBigUInt64LE(1n << 30n, 16)],
    [/capacity/, (bytes) => bytes.writeBigUInt64LE(10n, 8)],
    [/capacity/, (bytes) => bytes.writeBigUInt64LE(0n, 16)],
    [/top level/, (bytes) => bytes.writeInt32LE(-1, 48)],
    [/top level/, (bytes) => bytes.writeInt32LE(1_000, 48)],
    [/entry point/, (bytes) => bytes.writeUInt32LE(150, 52)],
    ...[Number.NaN, 0, -5, 1e300, 0.8].map((mult): [RegExp, (bytes: Buffer) => void] => [
      /share of upper levels/,
      (bytes) => bytes.writeDoubleLE(mult, 80),
    ]),
    [/links/, (bytes) => bytes.writeUInt16LE(9, second)],
    [/mark/, (bytes) => bytes.writeUInt16LE(1, second + 2)],
    [/label out of range/, (bytes) => bytes.writeUInt32LE(2 ** 31, second + ELEMENT_BYTES - 8)],
    [/label out of range/, (bytes) => bytes.writeUInt32LE(1, second + ELEMENT_BYTES - 4)],
    [/there twice/, (bytes) => bytes.writeUInt32LE(0, second + ELEMENT_BYTES - 8)],
    [/upper links/, (bytes) => bytes.writeUInt32LE(7, lists)],
    [/upper links/, (bytes) => bytes.writeUInt32LE(20 * 1_000, lists)],
  ];
  for (const [message, change] of cases) assert.throws(() => check(damaged(change), 512), message);
});

test('refuses a graph with native delete marks, which would break later inserts', async (t) => {
  const { HierarchicalNSW } = createRequire(import.meta.url)('hnswlib-node') as typeof Hnswlib;
  const native = new HierarchicalNSW('ip', 6);
  native.initIndex(10, 4, 30, 100, false);
  for (let label = 0; label < 5; label++) native.addPoint([1, 2, 3, 4, 5, label], label);
  native.markDelete(2);
  const path = join(t.folder(), 'graph');
  await native.writeIndex(path);
  assert.throws(() => check(readFileSync(path), 512), /point 2 carries a native mark/);
});

test.run();
