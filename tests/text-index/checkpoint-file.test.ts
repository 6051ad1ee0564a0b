/** Checkpoint files: what was written is read, no byte of it can change unseen, and the format stays what it is. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DEFAULT_TEXT } from '../../src/model/collection.js';
import { readTextFile, verifyTextFile, writeTextFile } from '../../src/text-index/checkpoint-file.js';
import { type StoredTextHead, storedHead } from '../../src/text-index/checkpoint-head.js';
import { Corpus } from '../../src/text-index/corpus.js';
import { noTerms, pushTerm } from '../../src/text-index/document-bytes.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/checkpoint-file');
const GOLDEN = new URL('../../../tests/text-index/checkpoint-v1.golden', import.meta.url);

function put(corpus: Corpus, label: number, words: readonly string[]): void {
  const list = noTerms();
  for (const word of new Set(words)) pushTerm(list, corpus.termOf(word), words.filter((one) => one === word).length);
  corpus.put(label, list);
}

function headOf(corpus: Corpus, over: Partial<StoredTextHead> = {}): StoredTextHead {
  const owner = { format: 1, uid: 2, labelGeneration: 0, seq: 7, nextLabel: 2 ** 31, settings: DEFAULT_TEXT } as const;
  return { ...storedHead(owner, false, { documents: corpus.live, terms: corpus.terms }), ...over };
}

async function written(
  folder: string,
  corpus: Corpus,
  over: Partial<StoredTextHead> = {},
  content = corpus.snapshot(),
): Promise<string> {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  const bytes = await writeTextFile(path, headOf(corpus, over), content);
  assert.is(bytes, readFileSync(path).length);
  return path;
}

function contentOf(corpus: Corpus): string[] {
  const lines: string[] = [];
  for (let ordinal = 0; ordinal < corpus.ordinals; ordinal++) {
    const document = corpus.document(ordinal);
    if (document === null) continue;
    const { terms, counts, size } = document.terms;
    const words = Array.from({ length: size }, (_, i) => `${JSON.stringify(corpus.word(terms[i] as number))}*${counts[i]}`);
    lines.push([document.label, ...words].join(' '));
  }
  return lines;
}

async function refusal(path: string): Promise<string> {
  try {
    await readTextFile(path, await verifyTextFile(path));
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}

/** Two documents, one of them dead, one changed. */
function smallCorpus(): Corpus {
  const corpus = new Corpus();
  put(corpus, 1, ['fox', 'den', 'fox']);
  put(corpus, 2, ['owl']);
  put(corpus, 5, ['hare', 'fox']);
  corpus.remove(2);
  put(corpus, 1, ['fox', 'bär']);
  return corpus;
}

test('documents come back under their labels with their terms and counts', async (t) => {
  const random = new Random(t.seed());
  for (const documents of [0, 1, 30, 2_000]) {
    const corpus = new Corpus();
    for (let label = 0; label < documents; label++) {
      const words = Array.from({ length: random.integer(0, 40) }, () => `w${Math.floor(4_000 * random.unit() ** 3)}`);
      put(corpus, label * 3, label % 7 === 0 ? [...words, '日本', '\ud83d', 'a"\\\n'] : words);
    }
    for (let label = 0; label < documents; label += 5) corpus.remove(label * 3);
    const path = await written(t.folder(), corpus);
    const read = await readTextFile(path, await verifyTextFile(path));
    assert.equal(contentOf(read), contentOf(corpus));
    assert.equal([read.live, read.liveWords, read.terms], [corpus.live, corpus.liveWords, corpus.terms]);
  }
});

test('a document that is longer than a block is read back', async (t) => {
  const corpus = new Corpus();
  const list = noTerms();
  for (let i = 0; i < 70_000; i++) pushTerm(list, corpus.termOf(`w${i}`), 1 + (i % 500));
  corpus.put(1, list);
  put(corpus, 2, ['w1']);
  const path = await written(t.folder(), corpus);
  const read = await readTextFile(path, await verifyTextFile(path));
  assert.equal([read.live, read.liveWords, read.terms], [2, corpus.liveWords, 70_000]);
});

test('a file with any byte changed, left out, or added is refused', async (t) => {
  // The analysis is that of the file's terms, not of its format.
  const path = await written(t.folder(), smallCorpus(), { analysis: 1 });
  const whole = readFileSync(path);
  assert.is(await refusal(path), 'none');
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed.writeUInt8(whole.readUInt8(at) ^ (1 << (at % 8)), at);
    writeFileSync(path, changed);
    assert.match(await refusal(path), 'fails its checksum', `byte ${at} changed`);
    writeFileSync(path, whole.subarray(0, at));
    assert.match(await refusal(path), 'fails its checksum', `cut after ${at} bytes`);
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1)]));
  assert.match(await refusal(path), 'fails its checksum');
});

test('a file whose checksum holds and whose content is not what it says is refused all the same', async (t) => {
  const corpus = smallCorpus();
  const cases: readonly (readonly [over: Partial<StoredTextHead>, refusal: string])[] = [
    [{ documents: 3 }, 'the file holds 2 documents with 5 terms'],
    [{ terms: 6 }, 'JSON'],
    [{ nextLabel: 5 }, 'label 5 is beyond next_label 5'],
    [{ terms: 0 }, 'the bytes end within a number'],
  ];
  for (const [over, reason] of cases) {
    const found = await refusal(await written(t.folder(), corpus, over));
    assert.is.not(found, 'none');
    assert.match(found, reason);
  }
  const { documents, terms, entries } = corpus.snapshot();
  const fewer = { documents, terms: terms.slice(0, 3), entries };
  assert.match(await refusal(await written(t.folder(), corpus, { terms: 3 }, fewer)), 'term 3 is beyond the terms of the file');
  const twice = { documents, terms, entries: () => [...entries(), ...entries()] };
  assert.match(await refusal(await written(t.folder(), corpus, {}, twice)), 'label 5 stands there twice');
});

test('format 1 is written and read as it always was', async (t) => {
  // The analysis is that of the file's terms, not of its format.
  const path = await written(t.folder(), smallCorpus(), { analysis: 1 });
  assert.is(readFileSync(path).toString('base64'), readFileSync(GOLDEN, 'utf8').trim());
  const golden = join(t.folder(), 'golden');
  writeFileSync(golden, Buffer.from(readFileSync(GOLDEN, 'utf8'), 'base64'));
  assert.equal(contentOf(await readTextFile(golden, await verifyTextFile(golden))), ['5 "hare"*1 "fox"*1', '1 "fox"*1 "bär"*1']);
});

test.run();
