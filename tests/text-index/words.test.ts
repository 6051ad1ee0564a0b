/** Words: the quick way and Intl.Segmenter agree, and the words are those that people would count. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { quickWords, segmentedWords, TEXT_WORDS_MAX, WORD_LENGTH_MAX, wordsOf } from '../../src/text-index/words.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/words');

const CODES_SEEN = 0x2200;
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** All of a text at once, without underscores at the ends of words. */
function byIntl(text: string): string[] {
  const words = Array.from(segmenter.segment(text), ({ segment, isWordLike }) => (isWordLike === true ? segment : ''));
  return words.map((word) => word.replace(/^_+|_+$/g, '')).filter((word) => word !== '');
}

test('every character that the quick way knows is cut as Intl.Segmenter cuts it, whatever stands around it', () => {
  const places: readonly ((character: string) => string)[] = [
    ...[(c: string) => c, (c: string) => `a${c}`, (c: string) => `${c}a`, (c: string) => `a${c}b`, (c: string) => `a${c}${c}b`],
    ...[
      (c: string) => `1${c}2`,
      (c: string) => `a${c}1`,
      (c: string) => `1${c}a`,
      (c: string) => `a'${c}`,
      (c: string) => `${c}'a`,
    ],
    ...[
      (c: string) => `_${c}`,
      (c: string) => `${c}_`,
      (c: string) => `a_${c}b`,
      (c: string) => `a.${c}.b`,
      (c: string) => `1,${c},2`,
    ],
    ...[(c: string) => ` ${c} `, (c: string) => `${c}'${c}`, (c: string) => `${c}.${c}`, (c: string) => `${c}1,1${c}`],
  ];
  const differing: string[] = [];
  let known = 0;
  for (let code = 0; code < CODES_SEEN; code++) {
    for (const place of places) {
      const text = place(String.fromCharCode(code));
      const quick = quickWords(text);
      if (quick === null) continue;
      known += 1;
      if (quick.join('|') !== byIntl(text).join('|')) differing.push(`U+${code.toString(16)} in ${JSON.stringify(text)}`);
    }
  }
  assert.equal(differing, []);
  assert.ok(known > 1_500 * places.length, `only ${known} texts were cut quickly`);
});

test('on any text that the quick way knows both ways give the same words', () => {
  const piece = fc.constantFrom(..."abzéßж'’.,:;·_-19 \n—…", "''", '_1', 'a.b', '1,2', "l'a", '. .');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      const quick = quickWords(text);
      assert.ok(quick !== null);
      assert.equal(quick, byIntl(text));
    }),
    { numRuns: 2_000 },
  );
});

test('a text that is cut in pieces has the words that it has as a whole', () => {
  const signs = fc.constantFrom(...' !、。\n(—'.split(''));
  const letters = fc.constantFrom(
    'ab',
    "a'b",
    'é\u0323',
    '日本',
    '日本語の',
    'ไทย',
    'คน',
    '1,2',
    '👍🏽',
    'कि',
    '\u0301',
    '𐐨',
    '_a',
    '한국',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(letters, signs), { maxLength: 40 }), fc.integer({ min: 8, max: 30 }), (pieces, length) => {
      const text = pieces.flat().join('');
      assert.equal(segmentedWords(text, length), byIntl(text));
    }),
    { numRuns: 1_000 },
  );
});

test('letters without end are words all the same, none is lost, and the time follows their number', () => {
  assert.is(segmentedWords('日本語'.repeat(5_000)).join(''), '日本語'.repeat(5_000));
  assert.is(segmentedWords('ภาษาไทยง่าย'.repeat(100)).join('|'), byIntl('ภาษาไทยง่าย'.repeat(100)).join('|'));
  for (const text of ['👍'.repeat(200_000), 'é👍 '.repeat(100_000), 'क'.repeat(200_000)])
    assert.ok(wordsOf(text).words.length <= 100_000);
});

test('words are told apart as people would', () => {
  const cases: readonly (readonly [text: string, words: string])[] = [
    ['The quick (“brown”) fox can’t jump 32.3 feet, right?', "the|quick|brown|fox|can't|jump|32.3|feet|right"],
    ['U.S.A. and e-mail, 1,000;5 x1.5y', 'u.s.a|and|e|mail|1,000;5|x1.5y'],
    ['Grüße aus KÖLN', 'grüße|aus|köln'],
    ['_emphasis_ snake_case __ _', 'emphasis|snake_case'],
    ['naïve re\u0301sume\u0301', 'naïve|résumé'],
    ['co\u00adoperate \u200fright', 'cooperate|right'],
    ['ﬁne Ｆｕｌｌ①', 'fine|full1'],
    ['日本語のテキスト', '日本語|の|テキスト'],
    ['ภาษาไทยง่าย', 'ภาษา|ไทย|ง่าย'],
    ['한국어 텍스트', '한국어|텍스트'],
    ['שלום עולם', 'שלום|עולם'],
    ['नमस्ते दुनिया', 'नमस्ते|दुनिया'],
    ['great 👍🏽👩‍👩‍👧 work❤️', 'great|work'],
    ['lone \ud83d surrogate', 'lone|surrogate'],
    ['', ''],
    [' …!? ', ''],
  ];
  for (const [text, words] of cases) assert.is(wordsOf(text).words.join('|'), words);
});

test('it says whether Intl.Segmenter was needed', () => {
  assert.is(wordsOf('Häuser, “Straßen” & Ελλάδα, Москва — 5 €').segmented, false);
  for (const text of ['日本', 'a 👍', 'क', 'e\u0301\u0302x']) assert.is(wordsOf(text).segmented, true);
});

test('a word is the same however its letters are written', () => {
  const same: readonly (readonly string[])[] = [
    ['é', 'e\u0301', 'É', 'E\u0301'],
    ["don't", 'don’t', 'DON‘T', 'don＇t'],
    ['Å', 'Å', 'å', 'A\u030a'],
    ['ΟΔΟΣ', 'οδος', 'Οδος'],
  ];
  for (const group of same) assert.is(new Set(group.map((text) => wordsOf(text).words.join('|'))).size, 1, group.join(' '));
});

test('a long word is cut, never within a character', () => {
  assert.equal(wordsOf('x'.repeat(WORD_LENGTH_MAX + 50)).words, ['x'.repeat(WORD_LENGTH_MAX)]);
  const [word = ''] = wordsOf(`x${'𐐨'.repeat(WORD_LENGTH_MAX)}`).words;
  assert.is(word.length, WORD_LENGTH_MAX - 1);
  assert.is(word.isWellFormed(), true);
});

test('of a text only so many words are read, on both ways', () => {
  for (const word of ['a ', 'क '])
    assert.is(wordsOf(word.repeat(TEXT_WORDS_MAX + 5)).words.length, TEXT_WORDS_MAX, JSON.stringify(word));
});

test('of the marks on one letter the first thirty count, in whatever form they come', () => {
  const marks = '\u0316\u0301'.repeat(15);
  const halfwidth = '\uff9e'.repeat(30);
  for (const [bounded, more] of [
    [`x${marks}`, '\u0316'],
    [`\u30cf${halfwidth}`, '\uff9e'],
  ] as const) {
    const { words } = wordsOf(`${bounded} y`);
    assert.is(words.length, 2);
    for (const count of [1, 31, 60_000]) assert.equal(wordsOf(`${bounded}${more.repeat(count)} y`).words, words);
  }
});

test('a long run of underscores inside a word is read once', () => {
  const [word] = wordsOf(`_a${'_'.repeat(1_000_000)}b_`).words;
  assert.is(word, `a${'_'.repeat(WORD_LENGTH_MAX - 1)}`);
});

test.run();
