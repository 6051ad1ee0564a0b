/** The words of a text, by the rules of Unicode (UAX 29, word boundaries), after NFKC and lower case, both free of any locale; of the marks
 *  on one letter the first 30 count.
 *
 *  Intl.Segmenter knows the rules, and the dictionaries for scripts that write without spaces, but takes about a microsecond a word. So
 *  text of Latin, Greek and Cyrillic letters, digits and common signs is cut by the same rules here (CLASSES); pieces with anything else
 *  go to Intl.Segmenter. Invariant: both ways give the same words. Emoji and signs are no words.
 *  Must not know: languages. */

import { FIXED } from '../model/limits.js';

/** Longer words are cut to this many UTF-16 units. */
export const WORD_LENGTH_MAX = FIXED.wordLengthMax;
/** Words of a text behind this many are passed over. */
export const TEXT_WORDS_MAX = 262_144;

export interface Words {
  readonly words: readonly string[];
  /** The words depend on the ICU of this process. */
  readonly segmented: boolean;
}

const PIECE_LENGTH = 512;
const IDEOGRAPHIC_COMMA = 0x3001;
const IDEOGRAPHIC_FULL_STOP = 0x3002;

/** What Intl.Segmenter follows, for whoever keeps its words. */
export const SEGMENTER = `${process.versions['icu']}/${process.versions['unicode']}`;

/** The locale is named because none is not "und" but that of the machine, and some (Finnish) cut otherwise. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** Marks of direction, and of where a word may be broken or not, are not seen, and not part of any word. */
const UNSEEN = /[\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
/** A word is found whichever apostrophe it is written with. */
const APOSTROPHES = /[\u2018\u2019]/g;
const ASCII_ONLY = /^[\0-\x7f]*$/;
/** More marks on one letter than any language writes (the stream-safe text of UAX 15 has as many at most): normalising takes time with
 *  the square of them. The two signs of halfwidth kana become marks. */
const MARKS_TOO_MANY = /([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu;

const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const CONNECTOR = 3;
const BETWEEN_LETTERS = 4;
const BETWEEN_DIGITS = 5;
const BETWEEN_EITHER = 6;
const COMPLEX = 7;

/** By code unit, what the rules see in it. COMPLEX, as all beyond: for Intl.Segmenter. */
const CLASSES = classesOf();

function classesOf(): Uint8Array {
  const classes = new Uint8Array(0x2100).fill(COMPLEX);
  const ranges: readonly (readonly [first: number, last: number])[] = [
    [0x0000, 0x02af],
    [0x0370, 0x0482],
    [0x048a, 0x052f],
    [0x1e00, 0x1fff],
    [0x2010, 0x2029],
    [0x2030, 0x205e],
    [0x20a0, 0x20bf],
  ];
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) classes[code] = classOf(String.fromCharCode(code));
  }
  return classes;
}

function classOf(character: string): number {
  if (/[\p{L}\p{Nl}]/u.test(character)) return LETTER;
  if (/[0-9]/.test(character)) return DIGIT;
  if (character === '_') return CONNECTOR;
  if (/['.\u2018\u2019\u2024]/.test(character)) return BETWEEN_EITHER;
  if (/[:\u00b7\u0387\u2027]/.test(character)) return BETWEEN_LETTERS;
  if (/[,;\u037e\u2044]/.test(character)) return BETWEEN_DIGITS;
  // The rules take the cedilla for a letter; the other connectors are as rare.
  if (/[\p{M}\p{Cf}\p{Cn}\u00b8\u203f\u2040\u2054]/u.test(character)) return COMPLEX;
  return OTHER;
}

/** Cost: about 30 ns a word, 1 µs where Intl.Segmenter is needed. */
export function wordsOf(text: string): Words {
  const normal = normalised(text);
  const quick = quickWords(normal);
  return quick === null ? { words: segmentedWords(normal), segmented: true } : { words: quick, segmented: false };
}

function normalised(text: string): string {
  if (ASCII_ONLY.test(text)) return text.toLowerCase();
  const bounded = text.replace(UNSEEN, '').replace(MARKS_TOO_MANY, '$1');
  // Lower case may give what NFKC would write otherwise, so it is asked again.
  return bounded.normalize('NFKC').toLowerCase().normalize('NFKC').replace(APOSTROPHES, "'");
}

/** By the table. @returns null when the text has a character that the table does not know */
export function quickWords(text: string): string[] | null {
  const words: string[] = [];
  let start = -1;
  let before = OTHER;
  for (let at = 0; at < text.length; at++) {
    const found = CLASSES[text.charCodeAt(at)] ?? COMPLEX;
    if (found === COMPLEX) return null;
    if (found >= LETTER && found <= CONNECTOR) {
      if (start < 0) start = at;
    } else if (start >= 0 && !(found >= BETWEEN_LETTERS && joins(before, found, CLASSES[text.charCodeAt(at + 1)]))) {
      push(words, text.slice(start, at));
      start = -1;
    }
    before = found;
  }
  if (start >= 0) push(words, text.slice(start));
  return words;
}

/** WB6, WB7, WB11 and WB12: a sign between two letters, or between two digits, is part of the word. */
function joins(before: number, sign: number, after: number | undefined): boolean {
  if (before !== after) return false;
  if (before === LETTER) return sign === BETWEEN_LETTERS || sign === BETWEEN_EITHER;
  return before === DIGIT && (sign === BETWEEN_DIGITS || sign === BETWEEN_EITHER);
}

/** By Intl.Segmenter, which takes time with the square of what it is given; so it is given one piece after the other, and only those that
 *  the table cannot cut. Between two pieces is a place where words end by any rule; where there is none, as in hundreds of letters without
 *  a sign, the words at the seam may be others than in one piece.
 *  @param pieceLength UTF-16 units, ≥ 2 */
export function segmentedWords(text: string, pieceLength = PIECE_LENGTH): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length && words.length < TEXT_WORDS_MAX; ) {
    const end = pieceEnd(text, at, pieceLength);
    const piece = text.slice(at, end);
    const whole = end === text.length || endsWord(text, end);
    const quick = whole ? quickWords(piece) : null;
    if (quick !== null) for (const word of quick) push(words, word);
    at += quick !== null ? piece.length : segmentPiece(piece, whole, words);
  }
  return words;
}

/** @param whole does the last word end with the piece?  @returns how much of the piece was read */
function segmentPiece(piece: string, whole: boolean, words: string[]): number {
  const segments = [...segmenter.segment(piece)];
  const last = segments.at(-1);
  const cutOff = !whole && last !== undefined && segments.length > 1;
  if (cutOff) segments.pop();
  for (const { segment, isWordLike } of segments) if (isWordLike === true) push(words, segment);
  return cutOff ? last.index : piece.length;
}

/** As far as possible, up to a place where words end by any rule, or else not within a character. */
function pieceEnd(text: string, start: number, pieceLength: number): number {
  const most = start + pieceLength;
  if (most >= text.length) return text.length;
  for (let end = most; end > start; end--) if (endsWord(text, end)) return end;
  const last = text.charCodeAt(most - 1);
  return last >= 0xd800 && last < 0xdc00 ? most - 1 : most;
}

/** Is the next character one that no rule joins to what is in front of it? */
function endsWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return CLASSES[code] === OTHER || code === IDEOGRAPHIC_COMMA || code === IDEOGRAPHIC_FULL_STOP;
}

/** Underscores at the ends (_emphasis_) belong to the rules' words, but to nobody's. */
function push(words: string[], word: string): void {
  if (words.length >= TEXT_WORDS_MAX) return;
  let start = 0;
  let end = word.length;
  while (start < end && word[start] === '_') start += 1;
  while (start < end && word[end - 1] === '_') end -= 1;
  const bare = word.slice(start, end);
  if (bare !== '') words.push(bare.length > WORD_LENGTH_MAX ? cut(bare) : bare);
}

/** Not between the halves of one character. */
function cut(word: string): string {
  const last = word.charCodeAt(WORD_LENGTH_MAX - 1);
  return word.slice(0, last >= 0xd800 && last < 0xdc00 ? WORD_LENGTH_MAX - 1 : WORD_LENGTH_MAX);
}
