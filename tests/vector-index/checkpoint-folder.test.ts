/** Checkpoint folders: whatever a crash or a failure left behind, the checkpoint committed last is there and is the one that opens. */

import { existsSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type CheckpointSource, committedNames, writeCheckpoint } from '../../src/vector-index/checkpoint-folder.js';
import { NO_MARKS } from '../../src/vector-index/hnsw-graph.js';
import { createIndex, openCheckpoint } from '../../src/vector-index/open-index.js';
import type { CheckpointHead, VectorIndex } from '../../src/vector-index/vector-index.js';
import { fill } from '../support/filled-index.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/checkpoint-folder');
const parameters = { dimension: 4, distance: 'cosine', m: 8, efConstruct: 60, quantization: 'none' } as const;
const owner = { uid: 1, labelGeneration: 0 };
const LONG_AGO = new Date(Date.now() - 3_600_000);

function graph(points: number): VectorIndex {
  const index = createIndex(parameters, { limits: { flatPointsMax: 0, flatBytesMax: 0 } });
  const random = new Random(points);
  for (let label = 0; label < points; label++) index.add(label, random.vector(4), null);
  fill(index);
  return index;
}

async function openedSeq(folder: string): Promise<number | string> {
  const opened = await openCheckpoint(folder, { ...owner, parameters });
  if ('refused' in opened) return opened.refused;
  opened.index.close();
  return opened.head.seq;
}

test('a save leaves exactly its two files, named by its seq, in a folder that it makes', async (t) => {
  const folder = join(t.folder(), 'deep', 'below');
  const index = graph(20);
  await index.save(folder, { ...owner, seq: 7, nextLabel: 20 });
  assert.equal(readdirSync(folder).sort(), ['7.hnsw', '7.json']);
  await index.save(folder, { ...owner, seq: 12, nextLabel: 20 });
  assert.equal(readdirSync(folder).sort(), ['12.hnsw', '12.json']);
  index.close();
});

test('a second save at the same seq replaces the first without ever overwriting it', async (t) => {
  const folder = t.folder();
  const index = graph(20);
  await index.save(folder, { ...owner, seq: 7, nextLabel: 20 });
  await index.save(folder, { ...owner, seq: 7, nextLabel: 20 });
  assert.equal(readdirSync(folder).sort(), ['7-2.hnsw', '7-2.json']);
  assert.is(await openedSeq(folder), 7);
  index.close();
});

test('a save at a lower seq, after a history was cut back, takes the place of the higher one', async (t) => {
  const folder = t.folder();
  const index = graph(20);
  await index.save(folder, { ...owner, seq: 50, nextLabel: 20 });
  await index.save(folder, { ...owner, seq: 30, nextLabel: 20 });
  assert.is(await openedSeq(folder), 30);
  index.close();
});

test('a crash at any step before the head leaves the checkpoint before it', async (t) => {
  const source = t.folder();
  const index = graph(30);
  await index.save(source, { ...owner, seq: 9, nextLabel: 30 });
  index.close();
  const older = graph(20);
  const leftovers: readonly (readonly [from: string, to: string])[][] = [
    [['9.hnsw', '9.hnsw.tmp']],
    [['9.hnsw', '9.hnsw']],
    [
      ['9.hnsw', '9.hnsw'],
      ['9.json', '9.json.tmp'],
    ],
  ];
  for (const [step, files] of leftovers.entries()) {
    const folder = join(t.folder(), String(step));
    await older.save(folder, { ...owner, seq: 5, nextLabel: 20 });
    writeFileSync(join(folder, '9.hnsw'), '');
    for (const [from, to] of files) await copyFile(join(source, from), join(folder, to));
    assert.is(await openedSeq(folder), 5);
  }
  older.close();
});

test('a crash between the head and the removal of older ones opens the newest, and the next save cleans up', async (t) => {
  const folder = t.folder();
  const index = graph(20);
  await index.save(folder, { ...owner, seq: 5, nextLabel: 20 });
  await index.save(join(folder, 'aside'), { ...owner, seq: 10, nextLabel: 20 });
  for (const name of ['10.hnsw', '10.json']) renameSync(join(folder, 'aside', name), join(folder, name));
  assert.equal(await committedNames(folder), ['10', '5']);
  assert.is(await openedSeq(folder), 10);
  await truncate(join(folder, '10.hnsw'), 50);
  assert.is(await openedSeq(folder), 5, 'the older one serves when the newest is damaged');
  await index.save(folder, { ...owner, seq: 11, nextLabel: 20 });
  assert.equal(readdirSync(folder).sort(), ['11.hnsw', '11.json', 'aside']);
  index.close();
});

test('old leftovers are removed by the next save; fresh ones, which a running save may own, and foreign files stay', async (t) => {
  const folder = t.folder();
  for (const name of ['3.hnsw', '3.hnsw.tmp', '4.json.tmp', '4-2.hnsw.tmp', 'notes.txt']) {
    writeFileSync(join(folder, name), 'x');
    utimesSync(join(folder, name), LONG_AGO, LONG_AGO);
  }
  writeFileSync(join(folder, '6.hnsw.tmp'), 'x');
  const index = graph(20);
  await index.save(folder, { ...owner, seq: 8, nextLabel: 20 });
  index.close();
  assert.equal(readdirSync(folder).sort(), ['6.hnsw.tmp', '8.hnsw', '8.json', 'notes.txt']);
});

test('two saves into one folder at the same time both succeed, and what is left opens', async (t) => {
  const folder = t.folder();
  const [one, other] = [graph(20), graph(25)];
  await Promise.all([
    one.save(folder, { ...owner, seq: 4, nextLabel: 25 }),
    other.save(folder, { ...owner, seq: 4, nextLabel: 25 }),
  ]);
  assert.is(await openedSeq(folder), 4);
  one.close();
  other.close();
});

test('a save whose data come out short, as on a full disk, fails, and keeps what was there', async (t) => {
  const folder = t.folder();
  const index = graph(20);
  await index.save(folder, { ...owner, seq: 5, nextLabel: 20 });
  index.close();
  const head: CheckpointHead = { format: 4, ...owner, seq: 6, nextLabel: 20, parameters };
  const failing: CheckpointSource = {
    live: 20,
    ...NO_MARKS,
    write: (path) => writeFile(path, 'half'),
    check: () => ({
      feed() {},
      end() {
        throw new Error('the file ends within its elements');
      },
    }),
  };
  for (const write of [failing.write, async () => {}, () => Promise.reject(new Error('no space'))]) {
    await writeCheckpoint(folder, head, [{ ...failing, write }]).then(
      () => assert.unreachable('a broken checkpoint was announced'),
      (error: unknown) => assert.instance(error, Error),
    );
    assert.equal(readdirSync(folder).sort(), ['5.hnsw', '5.json']);
  }
  assert.is(await openedSeq(folder), 5);
});

test('a native write that cannot be done at all is noticed', async (t) => {
  const index = graph(20);
  const folder = t.folder();
  await mkdir(join(folder, '5.hnsw.tmp'));
  await index.save(folder, { ...owner, seq: 5, nextLabel: 20 }).then(
    () => assert.unreachable('hnswlib reports success for a file that it could not open; the save must not'),
    (error: unknown) => assert.instance(error, Error),
  );
  assert.not.ok(existsSync(join(folder, '5.json')));
  assert.is(await openedSeq(folder), 'none');
  index.close();
});

test.run();
