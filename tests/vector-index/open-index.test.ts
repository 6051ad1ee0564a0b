/** Opening checkpoints: whatever is wrong with the files, they are refused with a reason, and native code never sees them. */

import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { createIndex, nativeBuild, openCheckpoint } from '../../src/vector-index/open-index.js';
import type { IndexParameters } from '../../src/vector-index/vector-index.js';
import { fill } from '../support/filled-index.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('vector-index/open-index');
const parameters: IndexParameters = { dimension: 5, distance: 'dot', m: 6, efConstruct: 50, quantization: 'none' };
const owner = { uid: 3, labelGeneration: 1 };

async function saved(t: TestContext, change: Partial<IndexParameters> = {}): Promise<string> {
  const chosen = { ...parameters, ...change };
  const index = createIndex(chosen, { limits: { flatPointsMax: 0 } });
  const random = new Random(t.seed());
  for (let label = 0; label < 60; label++) index.add(label, random.vector(chosen.dimension), null);
  fill(index);
  index.remove(7);
  const folder = t.folder();
  await index.save(folder, { ...owner, seq: 40, nextLabel: 60 });
  index.close();
  return folder;
}

async function refusal(folder: string, expected = { ...owner, parameters }): Promise<string> {
  const opened = await openCheckpoint(folder, expected);
  if ('refused' in opened) return opened.refused;
  opened.index.close();
  return 'opened';
}

test('a flipped bit anywhere in the data or the head is refused', async (t) => {
  const folder = await saved(t);
  assert.is(await refusal(folder), 'opened');
  const random = new Random(t.seed());
  for (const name of ['40.hnsw', '40.json']) {
    const path = join(folder, name);
    const good = readFileSync(path);
    const places = Array.from({ length: 150 }, () => random.integer(0, good.length - 1));
    const first = Array.from({ length: Math.min(100, good.length) }, (_, at) => at);
    for (const at of [...first, ...places]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ (1 << random.integer(0, 7));
      writeFileSync(path, bad);
      assert.match(await refusal(folder), /^40: /, `bit flipped at ${at} of ${name}`);
    }
    writeFileSync(path, good);
  }
  assert.is(await refusal(folder), 'opened');
});

test('data or a head that are shorter, longer, empty or missing are refused', async (t) => {
  for (const name of ['40.hnsw', '40.json']) {
    for (const damage of ['short', 'empty', 'longer', 'missing'] as const) {
      const folder = await saved(t);
      const path = join(folder, name);
      if (damage === 'short') truncateSync(path, readFileSync(path).length - 1);
      else if (damage === 'empty') truncateSync(path, 0);
      else if (damage === 'missing') rmSync(path);
      else {
        const file = openSync(path, 'a');
        writeSync(file, '\n');
        closeSync(file);
      }
      const reason = await refusal(folder);
      if (name === '40.json' && damage === 'missing') assert.is(reason, 'none');
      else assert.match(reason, /^40: /);
    }
  }
});

test('files of another collection, label space, dimension, distance or graph are refused, by name', async (t) => {
  const folder = await saved(t);
  assert.match(await refusal(folder, { ...owner, uid: 4, parameters }), /collection uid 3, not 4/);
  assert.match(await refusal(folder, { ...owner, labelGeneration: 2, parameters }), /label generation 1, not 2/);
  for (const change of [
    { dimension: 6 },
    { distance: 'cosine' as const },
    { m: 7 },
    { efConstruct: 51 },
    { quantization: 'int8' as const },
  ]) {
    assert.match(await refusal(folder, { ...owner, parameters: { ...parameters, ...change } }), /it is of .*, not /);
  }
});

test('data of another checkpoint are refused', async (t) => {
  const folder = await saved(t);
  for (const other of [await saved(t, { dimension: 6 }), await saved(t, { m: 7 })]) {
    renameSync(join(other, '40.hnsw'), join(folder, '40.hnsw'));
    assert.match(await refusal(folder), /^40: /);
  }
});

test('a folder that is not there, is empty, or holds other things has no checkpoint', async (t) => {
  const folder = t.folder();
  assert.is(await refusal(join(folder, 'nothing')), 'none');
  assert.is(await refusal(folder), 'none');
  writeFileSync(join(folder, 'notes.json'), '{}');
  writeFileSync(join(folder, '12.hnsw'), 'no head');
  assert.is(await refusal(folder), 'none');
  assert.match(await refusal(join(folder, '12.hnsw')), /ENOTDIR/);
});

test('opening changes nothing in the folder', async (t) => {
  const folder = await saved(t);
  writeFileSync(join(folder, '50.json'), 'broken');
  const before = readdirSync(folder);
  assert.is(await refusal(folder), 'opened');
  assert.equal(readdirSync(folder), before);
});

test('parameters that the native code must never see are refused', async (t) => {
  const wrong = [
    { dimension: 0 },
    { dimension: 65_536 },
    { dimension: 1.5 },
    { m: 1 },
    { m: 5_000 },
    { efConstruct: 0 },
    { m: Number.NaN },
  ];
  for (const change of wrong) {
    assert.throws(() => createIndex({ ...parameters, ...change }), RangeError);
    assert.match(await refusal(t.folder(), { ...owner, parameters: { ...parameters, ...change } }), /not \d+ to \d+/);
  }
  assert.throws(() => createIndex({ ...parameters, distance: 'manhattan' as 'dot' }), /manhattan/);
  assert.throws(() => createIndex({ ...parameters, quantization: 'int4' as 'int8' }), /int4/);
});

test('says which native build it runs', () => {
  assert.ok(['avx2', 'plain', 'hnswlib-node'].includes(nativeBuild()));
});

test.run();
