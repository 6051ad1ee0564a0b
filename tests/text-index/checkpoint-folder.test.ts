/** Checkpoint folders: whatever a crash or a failure left behind, the checkpoint committed last is there and is the one that opens. */

import { existsSync, mkdirSync, readdirSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DEFAULT_TEXT } from '../../src/model/collection.js';
import { committedTexts } from '../../src/text-index/checkpoint-folder.js';
import { createTextIndex, openTextCheckpoint } from '../../src/text-index/open-index.js';
import type { TextIndex } from '../../src/text-index/text-index.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/checkpoint-folder');
const settings = { ...DEFAULT_TEXT, fields: ['text'] };
const owner = { uid: 1, labelGeneration: 0 };
const LONG_AGO = new Date(Date.now() - 3_600_000);

function filled(documents: number): TextIndex {
  const index = createTextIndex(settings);
  for (let label = 0; label < documents; label++) index.add(label, [`fox own${label}`], null);
  return index;
}

async function openedSeq(folder: string): Promise<number | string> {
  const opened = await openTextCheckpoint(folder, { ...owner, settings });
  return 'refused' in opened ? opened.refused : opened.head.seq;
}

test('a save leaves exactly its file, named by its seq, in a folder that it makes', async (t) => {
  const folder = join(t.folder(), 'deep', 'below');
  const index = filled(20);
  await index.save(folder, { ...owner, seq: 7, nextLabel: 20 });
  assert.equal(readdirSync(folder), ['7.text']);
  await index.save(folder, { ...owner, seq: 7, nextLabel: 20 });
  await index.save(folder, { ...owner, seq: 12, nextLabel: 20 });
  assert.equal(readdirSync(folder), ['12.text']);
  assert.is(await openedSeq(folder), 12);
});

test('a save at a lower seq, after a history was cut back, takes the place of the higher one', async (t) => {
  const folder = t.folder();
  const index = filled(20);
  await index.save(folder, { ...owner, seq: 50, nextLabel: 20 });
  utimesSync(join(folder, '50.text'), LONG_AGO, LONG_AGO);
  await index.save(folder, { ...owner, seq: 30, nextLabel: 20 });
  assert.equal(await committedTexts(folder), ['30.text']);
});

test('what a crash left before the rename is not looked at, and removed once nobody can be at it', async (t) => {
  const folder = t.folder();
  const index = filled(20);
  await index.save(folder, { ...owner, seq: 5, nextLabel: 20 });
  for (const name of ['9.text.tmp', '9-2.text.tmp', '10.text.tmp']) writeFileSync(join(folder, name), 'half');
  utimesSync(join(folder, '9.text.tmp'), LONG_AGO, LONG_AGO);
  utimesSync(join(folder, '9-2.text.tmp'), LONG_AGO, LONG_AGO);
  assert.is(await openedSeq(folder), 5);
  await index.save(folder, { ...owner, seq: 10, nextLabel: 20 });
  assert.equal(readdirSync(folder).sort(), ['10.text', '10.text.tmp'], 'a fresh one may belong to a running save');
});

test('a crash between the rename and the removal of older ones opens the newest, and an older one when that is damaged', async (t) => {
  const folder = t.folder();
  const index = filled(20);
  await index.save(folder, { ...owner, seq: 9, nextLabel: 20 });
  await index.save(join(folder, 'aside'), { ...owner, seq: 10, nextLabel: 20 });
  renameSync(join(folder, 'aside', '10.text'), join(folder, '10.text'));
  assert.equal(await committedTexts(folder), ['10.text', '9.text']);
  assert.is(await openedSeq(folder), 10);
  truncateSync(join(folder, '10.text'), 50);
  assert.is(await openedSeq(folder), 9);
  await index.save(folder, { ...owner, seq: 11, nextLabel: 20 });
  assert.equal(readdirSync(folder).sort(), ['11.text', 'aside']);
});

test('files of others stay', async (t) => {
  const folder = t.folder();
  for (const name of ['3.json', '3.hnsw', 'notes.text', '4.text.bak', 'x-3.text.tmp']) {
    writeFileSync(join(folder, name), 'x');
    utimesSync(join(folder, name), LONG_AGO, LONG_AGO);
  }
  await filled(3).save(folder, { ...owner, seq: 8, nextLabel: 3 });
  assert.equal(readdirSync(folder).sort(), ['3.hnsw', '3.json', '4.text.bak', '8.text', 'notes.text', 'x-3.text.tmp']);
});

test('two saves into one folder at the same time both succeed, and what is left opens', async (t) => {
  const folder = t.folder();
  const [one, other] = [filled(20), filled(25)];
  await Promise.all([
    one.save(folder, { ...owner, seq: 4, nextLabel: 25 }),
    other.save(folder, { ...owner, seq: 4, nextLabel: 25 }),
  ]);
  assert.is(await openedSeq(folder), 4);
  await Promise.all([
    one.save(folder, { ...owner, seq: 5, nextLabel: 25 }),
    other.save(folder, { ...owner, seq: 6, nextLabel: 25 }),
  ]);
  assert.ok([5, 6].includes((await openedSeq(folder)) as number));
  assert.equal(
    readdirSync(folder).filter((name) => !name.endsWith('.text')),
    [],
  );
});

test('a save that fails leaves what was there, and nothing of its own', async (t) => {
  const folder = t.folder();
  const index = filled(20);
  await index.save(folder, { ...owner, seq: 5, nextLabel: 20 });
  mkdirSync(join(folder, '6.text'));
  writeFileSync(join(folder, '6.text', 'in-the-way'), '');
  await index.save(folder, { ...owner, seq: 6, nextLabel: 20 }).then(
    () => assert.unreachable('a file cannot take the place of a folder'),
    (error: unknown) => assert.instance(error, Error),
  );
  assert.equal(readdirSync(folder).sort(), ['5.text', '6.text']);
  assert.is(await openedSeq(folder), 5);
  writeFileSync(join(folder, 'a-file'), '');
  await index.save(join(folder, 'a-file', 'below'), { ...owner, seq: 7, nextLabel: 20 }).then(
    () => assert.unreachable('there is no folder below a file'),
    (error: unknown) => assert.instance(error, Error),
  );
  assert.ok(existsSync(join(folder, '5.text')));
});

test.run();
