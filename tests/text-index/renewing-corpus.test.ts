/** Renewal: the dead are left behind, and nothing that happens meanwhile is lost or comes back. */

import * as assert from 'uvu/assert';
import { Corpus } from '../../src/text-index/corpus.js';
import { noTerms, pushTerm, type TermCounts } from '../../src/text-index/document-bytes.js';
import { RenewingCorpus } from '../../src/text-index/renewing-corpus.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/renewing-corpus');

function documentOf(corpus: Corpus, words: readonly string[]): TermCounts {
  const list = noTerms();
  for (const word of new Set(words)) pushTerm(list, corpus.termOf(word), words.filter((one) => one === word).length);
  return list;
}

function put(corpora: RenewingCorpus, label: number, ...words: string[]): void {
  corpora.put(label, documentOf(corpora.corpus, words));
}

function contentOf({ corpus }: RenewingCorpus): Map<number, string> {
  const content = new Map<number, string>();
  for (let ordinal = 0; ordinal < corpus.ordinals; ordinal++) {
    const document = corpus.document(ordinal);
    if (document === null) continue;
    const { terms, counts, size } = document.terms;
    const words = Array.from({ length: size }, (_, i) => `${corpus.word(terms[i] as number)}*${counts[i]}`);
    assert.not(content.has(document.label));
    content.set(document.label, words.sort().join(' '));
  }
  return content;
}

test('once most is dead, work leaves a corpus of the live ones, without dead words and ordinals', () => {
  const corpora = new RenewingCorpus(new Corpus(), 10);
  for (let label = 0; label < 100; label++) put(corpora, label, 'common', `own${label}`, 'common');
  for (let label = 0; label < 50; label++) corpora.remove(label);
  while (corpora.step());
  assert.equal([corpora.renewals, corpora.dead], [0, 50], 'half is not most');
  corpora.remove(50);
  assert.is(corpora.step(), true);
  assert.ok(corpora.renewing > 0);
  while (corpora.step());
  assert.equal([corpora.renewals, corpora.renewing, corpora.dead, corpora.moves], [1, 0, 0, 49]);
  assert.equal([corpora.corpus.live, corpora.corpus.ordinals, corpora.corpus.terms], [49, 49, 50]);
  assert.is(contentOf(corpora).get(51), 'common*2 own51*1');
});

test('few dead ones are no reason for a renewal, unless nothing is alive', () => {
  const corpora = new RenewingCorpus(new Corpus(), 10);
  for (let label = 0; label < 5; label++) put(corpora, label, `own${label}`);
  for (let label = 0; label < 4; label++) corpora.remove(label);
  while (corpora.step());
  assert.equal([corpora.renewals, corpora.dead], [0, 4]);
  corpora.remove(4);
  while (corpora.step());
  assert.equal([corpora.renewals, corpora.dead, corpora.corpus.terms], [1, 0, 0]);
});

test('whatever is put, changed and removed between the steps of renewals, the content is as without them', (t) => {
  const random = new Random(t.seed());
  let renewals = 0;
  for (let round = 0; round < 30; round++) {
    const corpora = new RenewingCorpus(new Corpus(), 5);
    const model = new Map<number, string[]>();
    let label = 0;
    for (let step = 0; step < 400; step++) {
      const choice = random.unit();
      const words = Array.from({ length: random.integer(0, 6) }, () => `w${random.integer(0, 20)}`);
      const [some] = model.size === 0 ? [0] : random.shuffled([...model.keys()]);
      if (choice < 0.3) {
        put(corpora, label, ...words);
        model.set(label++, words);
      } else if (choice < 0.45 && model.has(some ?? 0)) {
        put(corpora, some ?? 0, ...words);
        model.set(some ?? 0, words);
      } else if (choice < 0.7) {
        corpora.remove(some ?? 0);
        model.delete(some ?? 0);
      } else corpora.step();
    }
    const expected = new Map([...model].map(([one, words]): [number, string] => [one, countsOf(words)]));
    const sorted = (content: Map<number, string>): [number, string][] => [...content].sort(([a], [b]) => a - b);
    assert.equal(sorted(contentOf(corpora)), sorted(expected));
    while (corpora.step());
    assert.equal(sorted(contentOf(corpora)), sorted(expected));
    assert.equal(
      [...corpora.corpus.liveLabels()],
      sorted(expected).map(([one]) => one),
    );
    renewals += corpora.renewals;
  }
  assert.ok(renewals > 30, `${renewals} renewals`);
});

function countsOf(words: readonly string[]): string {
  return [...new Set(words)]
    .map((word) => `${word}*${words.filter((one) => one === word).length}`)
    .sort()
    .join(' ');
}

test.run();
