/** Corpora: counts follow the live documents, and what was seen at one moment stays true. */

import * as assert from 'uvu/assert';
import { Corpus, type CorpusSnapshot, DEAD } from '../../src/text-index/corpus.js';
import { decodeDocument, noTerms, pushTerm } from '../../src/text-index/document-bytes.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/corpus');

function put(corpus: Corpus, label: number, text: string): boolean {
  const list = noTerms();
  const words = text.split(' ').filter((word) => word !== '');
  for (const word of new Set(words)) pushTerm(list, corpus.termOf(word), words.filter((one) => one === word).length);
  return corpus.put(label, list);
}

function documents(corpus: Corpus, word: string): number {
  const term = corpus.findTerm(word);
  return term === undefined ? -1 : corpus.documents(term);
}

function textsOf({ terms, entries }: CorpusSnapshot): string[] {
  const list = noTerms();
  return Array.from(entries(), ({ label, bytes }) => {
    decodeDocument(bytes, list);
    const words = Array.from({ length: list.size }, (_, i) => `${terms[list.terms[i] as number]}*${list.counts[i]}`);
    return [label, ...words].join(' ');
  });
}

test('what counts follows what is put in, changed and removed', () => {
  const corpus = new Corpus();
  put(corpus, 3, 'red fox red');
  put(corpus, 5, 'red hare');
  put(corpus, 9, '');
  assert.equal([corpus.live, corpus.worded, corpus.liveWords, corpus.ordinals], [3, 2, 5, 3]);
  assert.equal([documents(corpus, 'red'), documents(corpus, 'fox'), documents(corpus, 'owl')], [2, 1, -1]);
  put(corpus, 3, '');
  assert.is(corpus.worded, 1);
  put(corpus, 3, 'owl');
  assert.equal([corpus.live, corpus.worded, corpus.liveWords, corpus.ordinals], [3, 2, 3, 5]);
  assert.equal([documents(corpus, 'red'), documents(corpus, 'fox'), documents(corpus, 'owl')], [1, 0, 1]);
  corpus.remove(5);
  corpus.remove(5);
  corpus.remove(4);
  assert.equal([corpus.live, corpus.worded, corpus.liveWords], [2, 1, 1]);
  assert.equal([...corpus.liveLabels()], [3, 9]);
  assert.equal([corpus.has(5), corpus.has(9), corpus.has(3)], [false, true, true]);
  assert.equal([...corpus.lengths.subarray(0, 5)], [DEAD, DEAD, 0, DEAD, 1]);
});

test('a text with the same terms changes nothing', () => {
  const corpus = new Corpus();
  assert.is(put(corpus, 1, 'a b a'), true);
  assert.is(put(corpus, 1, 'a b a'), false);
  assert.is(put(corpus, 1, 'a b'), true);
  assert.is(put(corpus, 1, 'a b c'), true);
  assert.is(put(corpus, 1, 'a b'), true);
  assert.equal([corpus.live, corpus.liveWords, corpus.ordinals], [1, 2, 4]);
});

test('frequencies that the postings cannot hold are found exactly', () => {
  const corpus = new Corpus();
  put(corpus, 1, `x ${'many '.repeat(1_000)}`);
  assert.is(corpus.exactFrequency(corpus.findTerm('many') ?? -1, 0), 1_000);
});

test('crowded lists are compacted one by one, until there is none', () => {
  const corpus = new Corpus();
  for (let label = 0; label < 10; label++) put(corpus, label, `common own${label}`);
  assert.is(corpus.compactOne(), false);
  for (let label = 0; label < 6; label++) corpus.remove(label);
  const term = corpus.findTerm('common') ?? -1;
  assert.is(corpus.postings(term).count, 10);
  let compacted = 0;
  while (corpus.compactOne()) compacted += 1;
  assert.is(compacted, 7, 'the common list and the six own ones');
  assert.is(corpus.postings(term).count, 4);
  assert.is(documents(corpus, 'common'), 4);
  assert.is(documents(corpus, 'own3'), 0);
});

test('a snapshot stays what it was, whatever is put in, changed, removed and compacted afterwards', () => {
  const corpus = new Corpus();
  for (let label = 0; label < 60; label++) put(corpus, label, `word${label} common common`);
  corpus.remove(7);
  put(corpus, 8, 'other');
  const snapshot = corpus.snapshot();
  const before = textsOf(snapshot);
  assert.is(snapshot.documents, 59);
  assert.is(before.length, 59);
  assert.equal([before[0], before.at(-1)], ['0 word0*1 common*2', '8 other*1']);
  for (let label = 0; label < 50; label++) corpus.remove(label);
  for (let label = 50; label < 60; label++) put(corpus, label, 'changed');
  for (let label = 60; label < 3_000; label++) put(corpus, label, `new${label} common`);
  while (corpus.compactOne());
  assert.equal(textsOf(snapshot), before);
  assert.is(snapshot.terms.length, 62);
});

test('it tells about how much memory it takes', () => {
  const corpus = new Corpus();
  const before = corpus.memoryBytes;
  for (let label = 0; label < 1_000; label++) put(corpus, label, `word${label} common`);
  assert.ok(corpus.memoryBytes - before > 100_000 && corpus.memoryBytes < 1_000_000, `${corpus.memoryBytes}`);
});

test.run();
