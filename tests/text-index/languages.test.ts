/** Languages: all of them work, and none changes unseen. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { TEXT_LANGUAGES } from '../../src/model/collection.js';
import { ANALYSIS_VERSION } from '../../src/text-index/analyser.js';
import { knownLanguages, languageOf, stemmerOf } from '../../src/text-index/languages.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/languages');

test('a language that is not known is refused, and those that are known are named', () => {
  for (const name of ['klingon', '', 'English', 'constructor', '__proto__']) {
    assert.throws(
      () => languageOf(name),
      (error: unknown) => error instanceof RangeError && knownLanguages.every((known) => error.message.includes(known)),
    );
  }
  assert.ok(knownLanguages.includes('none') && knownLanguages.includes('english'));
});

test('a collection may name exactly the languages that are known here', () => {
  assert.equal([...TEXT_LANGUAGES].sort(), [...knownLanguages].sort());
});

test('all but none and tamil have stop words', () => {
  const without = knownLanguages.filter((name) => languageOf(name).stopWords.length < 40);
  assert.equal(without.sort(), ['none', 'tamil']);
});

test('every stemmer ends on any word, and gives the same for it again', () => {
  const letters = fc.constantFrom(...'abcdeilnorstuyzäéøßçñığжаинтыйαςաոնيةالعபடம்१'.split(''), "'", '1', '.');
  const word = fc.array(letters, { minLength: 1, maxLength: 40 }).map((list) => list.join(''));
  const words = fc.sample(word, { numRuns: 300, seed: 7 });
  for (const name of knownLanguages) {
    const stem = stemmerOf(languageOf(name));
    const stems = words.map(stem);
    assert.equal([...words].reverse().map(stem).reverse(), stems, name);
    assert.ok(stems.every((one) => typeof one === 'string'));
  }
});

/** Whoever changes one of these, by a new version of a package as well, raises ANALYSIS_VERSION: checkpoints of before are of no use then. */
test('lists and stemmers are those of this version of the analysis', () => {
  const text = "the running foxes' generously die häuser aufeinander les chevaux nationales правительства könyvek evlerinizden";
  const hash = createHash('sha256');
  for (const name of knownLanguages) {
    const language = languageOf(name);
    hash.update(JSON.stringify([name, language]));
    hash.update(JSON.stringify([...text.split(' '), ...language.stopWords].map(stemmerOf(language))));
  }
  assert.equal([ANALYSIS_VERSION, hash.digest('hex').slice(0, 16)], [2, 'e10327150cdac09e']);
});

test.run();
