/** Texts of a Qdrant collection: what is read as there, and what is said to be read otherwise. */

import * as assert from 'uvu/assert';
import { textReading } from '../../../../src/cli/import/foreign/qdrant-text.js';
import { suite } from '../../../support/suite.js';

const test = suite('cli/import/foreign/qdrant-text');
const ENGLISH = { type: 'snowball', language: 'english' };

function reading(...all: readonly unknown[]): readonly [unknown, readonly string[]] {
  const losses: string[] = [];
  const fields = all.map((params, i) => ({ path: `t${i}`, params }));
  return [textReading(fields, losses), losses];
}

test('a text that says nothing is read as it stands, and none is nothing', () => {
  assert.equal(reading(), [null, []]);
  assert.equal(reading(null), [{ language: 'none', stopWords: [] }, []]);
  assert.equal(reading({ type: 'text', tokenizer: 'word', lowercase: true, stopwords: null }, null), [
    { language: 'none', stopWords: [] },
    [],
  ]);
});

test('lengths, stemmers and stop words come along', () => {
  assert.equal(reading({ min_token_len: 2, max_token_len: 20, stopwords: { custom: ['foo', ''] } }), [
    { language: 'none', stopWords: ['foo'], wordLength: { min: 2, max: 20 } },
    [],
  ]);
  assert.equal(reading({ stemmer: ENGLISH, stopwords: 'english', max_token_len: 500 }), [
    { language: 'english', stopWords: 'default' },
    [],
  ]);
});

test('what is read otherwise here is said', () => {
  const cases: readonly [object, RegExp][] = [
    [{ tokenizer: 'prefix' }, /^its text field t0 is cut into whole words/],
    [{ lowercase: false }, /without regard to case/],
    [{ ascii_folding: true }, /keeps its accents/],
    [{ stemmer: { type: 'snowball', language: 'klingon' } }, /not stemmed here/],
    [{ stopwords: 'english' }, /none of its stop words/],
    [{ stopwords: { languages: ['english'], custom: ['foo'] }, stemmer: ENGLISH }, /none of its stop words/],
  ];
  for (const [params, said] of cases) {
    const [, losses] = reading(params);
    assert.is(losses.length, 1, JSON.stringify(params));
    assert.match(losses[0] ?? '', said);
  }
  assert.equal(reading({ min_token_len: 2 }, {})[1], ['its text field t1 is read as t0 is: all are read alike here']);
});

test.run();
