/** Reads a JSON body from its bytes, by RFC 8259, with the refusals of wire/body-reader.ts.
 *
 *  Structure and numbers are read here; text of strings with escapes and whole values are handed to JSON.parse after their form was
 *  checked, so that it cannot fail. Numbers of a vector are read by wire/float-scan.ts without making a string of each. */

import { isUtf8 } from 'node:buffer';
import { needsExponent, payloadText } from '../codec/payload.js';
import { FIXED } from '../model/limits.js';
import { hasLoneSurrogate, type JsonValue, type Payload } from '../model/point.js';
import { PROTO_KEY } from '../model/proto-key.js';
import { type BodyReader, INTEGER_MAX, integerBeyond, invalidJson, tooDeep, type ValueKind } from './body-reader.js';
import type { FloatColumn } from './columns.js';
import { FloatScan } from './float-scan.js';
import { firstBadByte } from './utf8.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const LETTER_U = 0x75;
const END = -1;
/** Integers of so many digits are below 2^53; with one more they compare with it as text. */
const SAFE_DIGITS = 15;
const INTEGER_MAX_TEXT = String(INTEGER_MAX);

export class JsonReader implements BodyReader {
  readonly #bytes: Buffer;
  #at = 0;
  #depth = 0;
  /** Behind an opening bracket: no comma stands before what comes next. */
  #fresh = true;
  #largeFloats = false;

  /** @throws InvalidJson when the bytes are not UTF-8 */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!isUtf8(this.#bytes)) throw invalidJson(firstBadByte(this.#bytes), 'the text is not UTF-8');
  }

  kind(): ValueKind {
    switch (this.#next()) {
      case OPEN_OBJECT:
        return 'object';
      case OPEN_ARRAY:
        return 'array';
      case QUOTE:
        return 'string';
      case 0x74:
      case 0x66:
        this.#word();
        return 'boolean';
      case 0x6e:
        this.#word();
        return 'null';
      default:
        if (this.#bytes[this.#at] !== MINUS && !isDigit(this.#bytes[this.#at])) throw this.#wrong();
        return 'number';
    }
  }

  enterObject(): void {
    this.#enter(OPEN_OBJECT);
  }

  key(): string | null {
    if (!this.#another(CLOSE_OBJECT)) return null;
    return this.#key();
  }

  enterArray(): void {
    this.#enter(OPEN_ARRAY);
  }

  more(): boolean {
    return this.#another(CLOSE_ARRAY);
  }

  string(): string {
    this.#next();
    return this.#string();
  }

  number(): number {
    this.#next();
    const start = this.#at;
    this.#scanNumber();
    return Number(this.#bytes.toString('latin1', start, this.#at));
  }

  value(): JsonValue {
    this.#next();
    const start = this.#at;
    this.#scanValue();
    return JSON.parse(this.#bytes.toString('utf8', start, this.#at)) as JsonValue;
  }

  payload(): string {
    this.#largeFloats = false;
    const payload = this.value() as Payload;
    return payloadText(payload, this.#largeFloats);
  }

  vector(into: FloatColumn): number {
    this.enterArray();
    const scan = new FloatScan(this.#bytes);
    let count = 0;
    into.bad = -1;
    const start = into.length;
    while (this.more()) {
      const first = this.#next();
      let value = Number.NaN;
      if (first === MINUS || (first >= 0x30 && first <= 0x39)) {
        value = scan.read(this.#at);
        if (scan.end < 0) throw invalidJson(-1 - scan.end, 'not a number');
        this.#at = scan.end;
      } else {
        this.#scanValue();
      }
      if (value - value !== 0 && into.bad < 0) into.bad = count;
      if (count < into.room) {
        if (into.length === into.values.length) into.reserve(this.#componentsLeft(into.room));
        into.values[into.length++] = value;
      }
      count++;
    }
    if (count > into.room) into.length = start;
    return count;
  }

  /** A guess that holds for most bodies, so that a column grows once. */
  #componentsLeft(most: number): number {
    return Math.min(most, ((this.#bytes.length - this.#at) >> 3) + 1);
  }

  end(): void {
    if (this.#next() !== END) throw invalidJson(this.#at, 'more text behind the value');
  }

  /** Skips white space; the byte that stands next, or END. */
  #next(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        this.#at = at;
        return byte;
      }
      at++;
    }
    this.#at = at;
    return END;
  }

  #wrong(): Error {
    return invalidJson(this.#at, this.#at >= this.#bytes.length ? 'the text ends too early' : 'unexpected character');
  }

  #enter(bracket: number): void {
    if (this.#next() !== bracket) throw this.#wrong();
    if (++this.#depth > FIXED.jsonDepthMax) throw tooDeep(this.#at);
    this.#at++;
    this.#fresh = true;
  }

  #another(bracket: number): boolean {
    const byte = this.#next();
    if (byte === bracket) {
      this.#at++;
      this.#depth--;
      this.#fresh = false;
      return false;
    }
    if (!this.#fresh) {
      if (byte !== COMMA) throw this.#wrong();
      this.#at++;
      const after = this.#next();
      if (after === CLOSE_ARRAY || after === CLOSE_OBJECT || after === END) throw this.#wrong();
    } else if (byte === END) {
      throw this.#wrong();
    }
    this.#fresh = false;
    return true;
  }

  #key(): string {
    if (this.#next() !== QUOTE) throw this.#wrong();
    const start = this.#at;
    const key = this.#string();
    if (key === PROTO_KEY) throw invalidJson(start, `the key ${PROTO_KEY} is refused`);
    if (this.#next() !== COLON) throw this.#wrong();
    this.#at++;
    return key;
  }

  #string(): string {
    const start = this.#at;
    const marks = this.#scanString();
    const bytes = this.#bytes;
    if ((marks & ESCAPED) === 0) {
      return (marks & WIDE) === 0
        ? bytes.toString('latin1', start + 1, this.#at - 1)
        : bytes.toString('utf8', start + 1, this.#at - 1);
    }
    return JSON.parse(bytes.toString('utf8', start, this.#at)) as string;
  }

  /** Checks a string and stands behind it. */
  #scanString(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    if (bytes[start] !== QUOTE) throw this.#wrong();
    let marks = 0;
    let unicode = false;
    let at = start + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined) throw invalidJson(bytes.length, 'the text ends inside a string');
      if (byte === QUOTE) break;
      if (byte < 0x20) throw invalidJson(at, 'a control character stands in a string');
      if (byte === BACKSLASH) {
        marks |= ESCAPED;
        const letter = bytes[at + 1];
        if (letter === LETTER_U) {
          if (!isHex(bytes, at + 2)) throw invalidJson(at, 'a broken escape');
          unicode = true;
          at += 6;
          continue;
        }
        if (letter === undefined || !SHORT_ESCAPES.includes(letter)) throw invalidJson(at, 'a broken escape');
        at += 2;
        continue;
      }
      if (byte >= 0x80) marks |= WIDE;
      at++;
    }
    this.#at = at + 1;
    // Bytes that are UTF-8 hold no surrogate; only an escape can bring one in.
    if (unicode && hasLoneSurrogate(JSON.parse(bytes.toString('utf8', start, this.#at)) as string)) {
      throw invalidJson(start, 'a lone surrogate stands in a string');
    }
    return marks;
  }

  /** Checks a number in the source text, where its integers can still be told from their rounding. */
  #scanNumber(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    if (bytes[at] === MINUS) at++;
    const digits = at;
    if (bytes[at] === 0x30) at++;
    else while (isDigit(bytes[at])) at++;
    const integerDigits = at - digits;
    if (integerDigits === 0) throw this.#wrong();
    let float = false;
    if (bytes[at] === 0x2e) {
      float = true;
      const from = ++at;
      while (isDigit(bytes[at])) at++;
      if (at === from) throw invalidJson(at, 'not a number');
    }
    let exponent = false;
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      float = exponent = true;
      at++;
      if (bytes[at] === 0x2b || bytes[at] === MINUS) at++;
      const from = at;
      while (isDigit(bytes[at])) at++;
      if (at === from) throw invalidJson(at, 'not a number');
    }
    this.#at = at;
    if (integerDigits <= SAFE_DIGITS && !exponent) return;
    if (float) {
      const value = Number(bytes.toString('latin1', start, at));
      if (!Number.isFinite(value)) throw invalidJson(start, 'a number is too large for a double');
      if (needsExponent(value)) this.#largeFloats = true;
    } else if (integerDigits > INTEGER_MAX_TEXT.length || bytes.toString('latin1', digits, at) > INTEGER_MAX_TEXT) {
      throw integerBeyond(start);
    }
  }

  /** Checks any value and stands behind it. */
  #scanValue(): void {
    const first = this.#next();
    if (first === QUOTE) {
      this.#scanString();
    } else if (first === OPEN_OBJECT) {
      this.#enter(OPEN_OBJECT);
      while (this.#another(CLOSE_OBJECT)) {
        this.#scanKey();
        this.#scanValue();
      }
    } else if (first === OPEN_ARRAY) {
      this.#enter(OPEN_ARRAY);
      while (this.#another(CLOSE_ARRAY)) this.#scanValue();
    } else if (first === MINUS || isDigit(first)) {
      this.#scanNumber();
    } else {
      this.#scanWord();
    }
  }

  #scanKey(): void {
    if (this.#next() !== QUOTE) throw this.#wrong();
    const start = this.#at;
    const escaped = (this.#scanString() & ESCAPED) !== 0;
    const length = this.#at - start - 2;
    if (escaped || length === PROTO_KEY.length) {
      const key = JSON.parse(this.#bytes.toString('utf8', start, this.#at)) as string;
      if (key === PROTO_KEY) throw invalidJson(start, `the key ${PROTO_KEY} is refused`);
    }
    if (this.#next() !== COLON) throw this.#wrong();
    this.#at++;
  }

  #scanWord(): void {
    this.#at += this.#word().length;
  }

  /** The word that stands next. */
  #word(): string {
    for (const word of ['true', 'false', 'null']) {
      if (this.#bytes.toString('latin1', this.#at, this.#at + word.length) === word) return word;
    }
    throw this.#wrong();
  }
}

const ESCAPED = 1;
const WIDE = 2;
const SHORT_ESCAPES: readonly number[] = [...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0));

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHex(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] as number;
    const hex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
    if (!hex) return false;
  }
  return true;
}
