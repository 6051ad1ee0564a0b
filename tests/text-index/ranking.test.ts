/** Ranking: scores are those of BM25 as it is written down, ties and counts included. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { labelFilterOf } from '../../src/model/label-filter.js';
import { Corpus } from '../../src/text-index/corpus.js';
import { noTerms, pushTerm } from '../../src/text-index/document-bytes.js';
import { Ranking } from '../../src/text-index/ranking.js';
import { plainBm25 } from '../support/plain-bm25.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/ranking');

function corpusOf(documents: ReadonlyMap<number, readonly string[]>): Corpus {
  const corpus = new Corpus();
  for (const [label, words] of documents) {
    const list = noTerms();
    for (const word of new Set(words)) pushTerm(list, corpus.termOf(word), words.filter((one) => one === word).length);
    corpus.put(label, list);
  }
  return corpus;
}

test('a worked example has the scores that were computed by hand', () => {
  const corpus = corpusOf(
    new Map([
      [1, ['fox', 'fox', 'den']],
      [2, ['fox']],
      [3, ['owl', 'den']],
    ]),
  );
  const found = new Ranking({ k1: 1.2, b: 0.75 }).search(corpus, [{ word: 'fox', times: 1 }], 10, undefined);
  // idf = ln(1 + 1.5 / 2.5) = 0.470004; mean length 2; norms 1.2 · (0.25 + 0.75 · length / 2).
  assert.equal([...found.labels], [2, 1]);
  assert.ok(Math.abs((found.scores[0] ?? 0) - (0.4700036292 * 2.2) / (1 + 0.75)) < 1e-9);
  assert.ok(Math.abs((found.scores[1] ?? 0) - (0.4700036292 * 2.2 * 2) / (2 + 1.65)) < 1e-9);
  assert.equal(found.terms, [{ term: 'fox', documents: 2 }]);
  assert.equal([found.matched, found.visited, found.rejected], [2, 2, 0]);
});

test('labels, scores and counts are those of the plain form, for any documents, query, parameters and filter', () => {
  const word = fc.constantFrom(...'abcdefgh');
  const documents = fc.array(fc.array(word, { maxLength: 12 }), { minLength: 1, maxLength: 30 });
  const parameters = fc.record({ k1: fc.constantFrom(0, 0.5, 1.2, 3), b: fc.constantFrom(0, 0.75, 1) });
  const query = fc.array(fc.constantFrom(...'abcdefghz'), { maxLength: 5 });
  const passing = fc.option(fc.uniqueArray(fc.nat(60), { maxLength: 30 }), { nil: undefined });
  fc.assert(
    fc.property(documents, query, parameters, passing, (texts, words, settings, allowed) => {
      const byLabel = new Map(texts.map((text, i): [number, string[]] => [i * 2, text]));
      const filter = allowed && labelFilterOf(Uint32Array.from(allowed).sort());
      const terms = [...new Set(words)].map((one) => ({ word: one, times: words.filter((other) => other === one).length }));
      const ranking = new Ranking(settings);
      const corpus = corpusOf(byLabel);
      const all = ranking.search(corpus, terms, 1_000, filter);
      const plain = plainBm25(byLabel, words, settings, filter);
      assert.equal([all.matched, all.rejected], [plain.matched, plain.rejected]);
      const scoreOf = new Map(plain.labels.map((label, i) => [label, plain.scores[i] as number]));
      assert.equal([...all.labels].sort(), [...plain.labels].sort());
      for (const [i, label] of all.labels.entries()) {
        assert.ok(Math.abs((all.scores[i] as number) - (scoreOf.get(label) ?? 0)) < 1e-9);
        const [before, beforeLabel] =
          i === 0 ? [Number.POSITIVE_INFINITY, -1] : [all.scores[i - 1] as number, all.labels[i - 1] as number];
        assert.ok(before > (all.scores[i] as number) || (before === all.scores[i] && beforeLabel < label));
      }
      const some = ranking.search(corpus, terms, 3, filter);
      assert.equal([...some.labels], [...all.labels.subarray(0, 3)]);
      assert.equal([...some.scores], [...all.scores.subarray(0, 3)]);
      assert.is(some.matched, all.matched);
    }),
    { numRuns: 500 },
  );
});

test('a word that stands there thousands of times counts as often', () => {
  const documents = new Map([254, 255, 256, 5_000].map((times, i): [number, string[]] => [i, Array<string>(times).fill('x')]));
  const found = new Ranking({ k1: 1.2, b: 0 }).search(corpusOf(documents), [{ word: 'x', times: 1 }], 4, undefined);
  const plain = plainBm25(documents, ['x'], { k1: 1.2, b: 0 });
  assert.equal([...found.labels], [3, 2, 1, 0]);
  for (const [i, score] of plain.scores.entries()) assert.ok(Math.abs((found.scores[i] as number) - score) < 1e-12);
});

test('documents without words and corpora without documents match nothing', () => {
  const ranking = new Ranking({ k1: 1.2, b: 0.75 });
  for (const corpus of [new Corpus(), corpusOf(new Map([[1, []]]))]) {
    const found = ranking.search(corpus, [{ word: 'x', times: 1 }], 5, undefined);
    assert.equal(found, {
      labels: new Uint32Array(0),
      scores: new Float64Array(0),
      matched: 0,
      visited: 0,
      rejected: 0,
      terms: [{ term: 'x', documents: 0 }],
    });
  }
});

test.run();
