/** Opening: an index that comes from a checkpoint is the one that was saved, or there is a reason why not. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DEFAULT_TEXT, type TextSettings } from '../../src/model/collection.js';
import { verifyTextFile } from '../../src/text-index/checkpoint-file.js';
import { createTextIndex, knownLanguages, openTextCheckpoint, textAnalyser, textsAt } from '../../src/text-index/open-index.js';
import type { OpenedTextCheckpoint, TextIndex } from '../../src/text-index/text-index.js';
import { SEGMENTER } from '../../src/text-index/words.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/open-index');
const settings: TextSettings = { ...DEFAULT_TEXT, fields: ['text'] };
const owner = { uid: 4, labelGeneration: 2 };
const QUERIES = ['w0', 'w1 w2', 'w0 w3 w40 w3', 'w7 unknown', '日本'];

/** An index with a past. */
function livedIn(random: Random, documents = 300): TextIndex {
  const index = createTextIndex(settings, { limits: { deadMin: 10 } });
  for (let label = 0; label < documents; label++) {
    const text = Array.from({ length: random.integer(0, 20) }, () => `w${Math.floor(60 * random.unit() ** 2)}`).join(' ');
    index.add(label, label % 9 === 0 ? [text, '日本語'] : [text], random.boolean(0.3) ? random.integer(0, label) : null);
    if (random.boolean(0.2)) index.update(random.integer(0, label), [text]);
    if (random.boolean(0.1)) index.work(0);
  }
  return index;
}

function answersOf(index: TextIndex): unknown[] {
  return QUERIES.map((query) => {
    const { labels, scores, matched, terms } = index.search(query, 50);
    return { labels: [...labels], scores: [...scores], matched, terms };
  });
}

function opened(result: OpenedTextCheckpoint): TextIndex {
  assert.ok('index' in result, JSON.stringify(result));
  return result.index;
}

test('an opened index answers as the saved one, bit for bit, and goes on', async (t) => {
  const random = new Random(t.seed());
  const folder = t.folder();
  const saved = livedIn(random);
  const bytes = await saved.save(folder, { ...owner, seq: 77, nextLabel: 310 });
  assert.is(bytes, readFileSync(join(folder, '77.text')).length);
  const result = await openTextCheckpoint(folder, { ...owner, settings });
  const index = opened(result);
  assert.equal('head' in result && result.head, { format: 1, ...owner, seq: 77, nextLabel: 310, settings });
  assert.equal(answersOf(index), answersOf(saved));
  assert.equal([...index.liveLabels()], [...saved.liveLabels()]);
  assert.equal([index.status().dead, index.status().documents], [0, saved.status().documents]);
  assert.throws(() => index.add(309, ['w1'], null), /not beyond/);
  for (const one of [index, saved]) {
    one.add(310, ['w1 w1 w99'], 5);
    one.remove(20);
    one.update(310, ['w1 w98']);
  }
  assert.equal(answersOf(index), answersOf(saved));
});

test('what changes while a checkpoint is written is not in it', async (t) => {
  const folder = t.folder();
  const index = livedIn(new Random(t.seed()));
  const before = answersOf(index);
  const saving = index.save(folder, { ...owner, seq: 1, nextLabel: 300 });
  for (const label of index.liveLabels()) if (label % 2 === 0) index.update(label, ['w0 changed']);
  for (const label of index.liveLabels()) if (label % 3 !== 0) index.remove(label);
  const { renewals } = index.status();
  while (index.work(1) !== null);
  const renewed = index.status().renewals - renewals;
  for (let label = 300; label < 900; label++) index.add(label, ['w0 new'], null);
  await index.save(folder, { ...owner, seq: 2, nextLabel: 900 }).then(
    () => assert.unreachable('one save at a time'),
    (error: unknown) => assert.match(error instanceof Error ? error.message : '', 'being written already'),
  );
  await saving;
  assert.is(renewed, 1);
  assert.equal(answersOf(opened(await openTextCheckpoint(folder, { ...owner, settings }))), before);
  await index.save(folder, { ...owner, seq: 3, nextLabel: 900 });
  assert.equal(answersOf(opened(await openTextCheckpoint(folder, { ...owner, settings }))), answersOf(index));
});

test('an index that is closed while it is saved is saved whole', async (t) => {
  const folder = t.folder();
  const index = livedIn(new Random(t.seed()));
  const before = answersOf(index);
  const saving = index.save(folder, { ...owner, seq: 1, nextLabel: 300 });
  index.close();
  await saving;
  assert.equal(answersOf(opened(await openTextCheckpoint(folder, { ...owner, settings }))), before);
});

test('a save whose next label is not beyond all that is inside is refused', async (t) => {
  const folder = t.folder();
  await livedIn(new Random(t.seed()))
    .save(folder, { ...owner, seq: 1, nextLabel: 299 })
    .then(
      () => assert.unreachable('label 299 would be added twice'),
      (error: unknown) => assert.instance(error, RangeError),
    );
  assert.equal(readdirSync(folder), []);
});

test('an empty folder, and none, have no checkpoint', async (t) => {
  const folder = t.folder();
  for (const path of [folder, join(folder, 'missing')])
    assert.equal(await openTextCheckpoint(path, { ...owner, settings }), { refused: 'none' });
});

test('an index without documents is saved and opened', async (t) => {
  const folder = t.folder();
  await createTextIndex(settings).save(folder, { ...owner, seq: 0, nextLabel: 0 });
  const index = opened(await openTextCheckpoint(folder, { ...owner, settings }));
  assert.is(index.status().documents, 0);
  index.add(0, ['w1'], null);
  assert.is(index.search('w1', 1).matched, 1);
});

test('other settings of reading are refused with their reason, others of ranking are taken over', async (t) => {
  const folder = t.folder();
  await livedIn(new Random(t.seed())).save(folder, { ...owner, seq: 1, nextLabel: 300 });
  const refusal = async (over: Partial<TextSettings>, of = owner): Promise<string> => {
    const result = await openTextCheckpoint(folder, { ...of, settings: { ...settings, ...over } });
    return 'refused' in result ? result.refused : 'none of it';
  };
  assert.match(await refusal({ language: 'german' }), '1.text: it is of language english, not german');
  assert.match(await refusal({ stopWords: [] }), 'stop words');
  assert.match(await refusal({ fields: ['other'] }), 'fields');
  assert.match(await refusal({}, { uid: 5, labelGeneration: 2 }), 'collection uid 4, not 5');
  assert.match(await refusal({}, { uid: 4, labelGeneration: 3 }), 'label generation');
  assert.match(await refusal({ k1: Number.NaN }), 'k1 is NaN');
  const flat = opened(await openTextCheckpoint(folder, { ...owner, settings: { ...settings, k1: 0, b: 0 } }));
  assert.is(flat.settings.k1, 0);
  assert.is(new Set(flat.search('w0', 300).scores).size, 1, 'with k1 = 0 how often a word stands there does not count');
});

test('a checkpoint names the dictionaries that its words depend on, from the first such word on', async (t) => {
  const folder = t.folder();
  const segmenterOf = async (index: TextIndex, seq: number): Promise<string | null> => {
    await index.save(folder, { ...owner, seq, nextLabel: 10 });
    return (await verifyTextFile(join(folder, `${seq}.text`))).segmenter;
  };
  const index = createTextIndex(settings);
  index.add(1, ['Häuser am Fluss'], null);
  assert.is(await segmenterOf(index, 1), null);
  index.add(2, ['日本'], null);
  assert.is(await segmenterOf(index, 2), SEGMENTER);
  const again = opened(await openTextCheckpoint(folder, { ...owner, settings }));
  assert.is(await segmenterOf(again, 3), SEGMENTER);
});

test('a damaged file is refused wherever it is damaged, and opening never rejects', async (t) => {
  const random = new Random(t.seed());
  const folder = t.folder();
  await livedIn(random).save(folder, { ...owner, seq: 3, nextLabel: 300 });
  const path = join(folder, '3.text');
  const whole = readFileSync(path);
  for (let turn = 0; turn < 300; turn++) {
    const changed = Buffer.from(whole);
    const at = random.integer(0, whole.length - 1);
    if (turn % 2 === 0) changed.writeUInt8(whole.readUInt8(at) ^ random.integer(1, 255), at);
    writeFileSync(path, turn % 2 === 0 ? changed : whole.subarray(0, at));
    const result = await openTextCheckpoint(folder, { ...owner, settings });
    assert.ok('refused' in result && result.refused.startsWith('3.text: '), `turn ${turn}, byte ${at}`);
  }
  writeFileSync(join(folder, 'in-the-way'), '');
  const result = await openTextCheckpoint(join(folder, 'in-the-way'), { ...owner, settings });
  assert.ok('refused' in result && result.refused.includes('ENOTDIR'));
});

test('the door hands out how texts are found and read', () => {
  assert.equal(textsAt({ a: { b: ['x'] } }, ['a.b']), ['x']);
  assert.equal(textAnalyser(settings)('The foxes'), ['fox']);
  assert.ok(knownLanguages.includes(settings.language));
});

test.run();
