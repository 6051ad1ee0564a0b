/** Analysers: texts and queries become the same terms, by the rules of the language. */

import * as assert from 'uvu/assert';
import { analyserOf, textAnalyser } from '../../src/text-index/analyser.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/analyser');

function terms(language: string, text: string, stopWords: 'default' | readonly string[] = 'default'): string {
  return textAnalyser({ language, stopWords })(text).join(' ');
}

test('forms of a word meet in one term, and common words are left out', () => {
  assert.is(terms('english', 'The connections were connected, CONNECTING'), 'connect connect connect');
  assert.is(terms('german', 'Die Häuser der STRASSE und das Haus in einer Straße'), 'haus strass haus strass');
  assert.is(terms('russian', 'и книга, книги'), 'книг книг');
  assert.is(terms('none', 'The Houses'), 'the houses');
});

test('what an apostrophe hangs on to a word is not part of it', () => {
  assert.is(terms('english', "John's fox; it's here, that’s all, he doesn't, foxes'"), 'john fox fox');
  assert.is(terms('french', "L’avion d'Air, qu'il; aujourd'hui"), "avion air aujourd'hui");
  assert.is(terms('italian', "dell'acqua"), terms('italian', 'acqua'));
  assert.is(terms('none', "l'avion"), "l'avion");
});

test('stop words of ones own take the place of those of the language, in any case and before stems are taken', () => {
  assert.is(terms('english', 'The Foxes and FÖX', ['FOXES', 'föx', 'two words', '']), 'the and');
  assert.is(terms('english', 'the and of', []), 'the and of');
  assert.is(terms('english', 'the and of'), '');
});

test('terms of other lengths are left out, counted in characters behind the stemmer', () => {
  const bounded = (language: string, text: string, min: number, max: number): string =>
    textAnalyser({ language, stopWords: [], wordLength: { min, max } })(text).join(' ');
  assert.is(bounded('none', 'a to fox foxes 𐐨𐐨𐐨𐐨', 2, 4), 'to fox 𐐨𐐨𐐨𐐨');
  assert.is(bounded('english', 'foxes connections', 1, 3), 'fox');
  assert.is(bounded('none', 'a to fox', 4, 4), '');
  assert.is(terms('none', 'a to fox', []), 'a to fox', 'of other settings another analyser is remembered');
});

test('an analyser is made once for the same settings', () => {
  const own = { language: 'swedish', stopWords: ['och'] };
  assert.is(analyserOf(own), analyserOf({ language: 'swedish', stopWords: ['och'] }));
  assert.is.not(analyserOf(own), analyserOf({ language: 'swedish', stopWords: 'default' }));
  assert.throws(() => textAnalyser({ language: 'latin', stopWords: 'default' }), /'latin' is not known; known are none, arabic/);
});

test('what is handed out is the callers own', () => {
  const analyse = textAnalyser({ language: 'english', stopWords: 'default' });
  analyse('fox jumps').push('more');
  assert.equal(analyse('fox jumps'), ['fox', 'jump']);
});

test('terms are the same after more words than are remembered', () => {
  const analyse = textAnalyser({ language: 'none', stopWords: ['the'] });
  for (let i = 0; i < 14; i++) {
    assert.equal(analyse('the Running house'), ['running', 'house']);
    analyse(Array.from({ length: 10_000 }, (_, j) => `w${i}x${j}`).join(' '));
  }
  assert.equal(analyse('the Running house'), ['running', 'house']);
});

test.run();
