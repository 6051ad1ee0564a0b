/** Reads a MessagePack body from its bytes (github.com/msgpack/msgpack/blob/master/spec.md), as strict as JSON is.
 *
 *  Refused: extensions (timestamps, bigints, undefined and whatever a library adds), keys that are not strings, strings that are not
 *  UTF-8, integers beyond ±2^53, NaN and infinities outside of vectors, binary anywhere but as a vector, counts larger than the rest
 *  of the body. Nothing is allocated by a count alone. */

import { isUtf8 } from 'node:buffer';
import { needsExponent, payloadText } from '../codec/payload.js';
import { invalidRequest } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { JsonValue, Payload } from '../model/point.js';
import { PROTO_KEY } from '../model/proto-key.js';
import { type BodyReader, INTEGER_MAX, integerBeyond, invalidJson, tooDeep, type ValueKind } from './body-reader.js';
import type { FloatColumn } from './columns.js';

export class MsgpackReader implements BodyReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Items still to come, per open object or array. */
  readonly #left: number[] = [];
  #largeFloats = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  kind(): ValueKind {
    const mark = this.#mark();
    if (mark < 0x80 || mark >= 0xe0) return 'number';
    if (mark < 0x90) return 'object';
    if (mark < 0xa0) return 'array';
    if (mark < 0xc0) return 'string';
    const kind = KINDS[mark - 0xc0];
    if (kind === undefined) throw invalidJson(this.#at, 'a MessagePack type that JSON does not have');
    return kind;
  }

  enterObject(): void {
    this.#enter('object', 2);
  }

  key(): string | null {
    if (!this.more()) return null;
    const start = this.#at;
    if (this.kind() !== 'string') throw invalidJson(start, 'a key is not a string');
    const key = this.string();
    if (key === PROTO_KEY) throw invalidJson(start, `the key ${PROTO_KEY} is refused`);
    return key;
  }

  enterArray(): void {
    this.#enter('array', 1);
  }

  more(): boolean {
    const top = this.#left.length - 1;
    const left = this.#left[top] as number;
    if (left === 0) {
      this.#left.pop();
      return false;
    }
    this.#left[top] = left - 1;
    return true;
  }

  string(): string {
    if (this.kind() !== 'string') throw invalidJson(this.#at, 'not a string');
    const length = this.#count();
    const start = this.#take(length);
    const bytes = this.#bytes;
    let wide = 0;
    for (let i = start; i < start + length; i++) wide |= bytes[i] as number;
    if (wide < 0x80) return bytes.toString('latin1', start, start + length);
    if (!isUtf8(bytes.subarray(start, start + length))) throw invalidJson(start, 'a string is not UTF-8');
    return bytes.toString('utf8', start, start + length);
  }

  number(): number {
    if (this.kind() !== 'number') throw invalidJson(this.#at, 'not a number');
    const start = this.#at;
    const mark = this.#mark();
    const value = this.#number();
    if (!Number.isFinite(value)) throw invalidJson(start, 'a number is not finite');
    if (Math.abs(value) >= INTEGER_MAX) {
      if (isFloat(mark)) this.#largeFloats ||= needsExponent(value);
      else if (!this.#isExact(mark, value)) throw integerBeyond(start);
    }
    return value;
  }

  value(): JsonValue {
    switch (this.kind()) {
      case 'object': {
        const object: Record<string, JsonValue> = {};
        this.enterObject();
        for (let key = this.key(); key !== null; key = this.key()) object[key] = this.value();
        return object;
      }
      case 'array': {
        const array: JsonValue[] = [];
        this.enterArray();
        while (this.more()) array.push(this.value());
        return array;
      }
      case 'string':
        return this.string();
      case 'number':
        return this.number();
      case 'boolean':
        return this.#bytes[this.#at++] === 0xc3;
      case 'null':
        this.#at++;
        return null;
      case 'binary':
        throw invalidJson(this.#at, 'binary is for vectors only');
    }
  }

  payload(): string {
    this.#largeFloats = false;
    const payload = this.value() as Payload;
    return payloadText(payload, this.#largeFloats);
  }

  vector(into: FloatColumn): number {
    into.bad = -1;
    return this.kind() === 'binary' ? this.#binaryVector(into) : this.#arrayVector(into);
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw invalidJson(this.#at, 'more bytes behind the value');
  }

  #binaryVector(into: FloatColumn): number {
    const length = this.#count();
    const from = this.#take(length);
    if (length % 4 !== 0) throw invalidRequest('', `a binary vector has 4 bytes a component, and this one has ${length} bytes`);
    const count = length / 4;
    if (count > into.room) return count;
    into.reserve(count);
    const { values } = into;
    new Uint8Array(values.buffer, values.byteOffset + 4 * into.length, length).set(this.#bytes.subarray(from, from + length));
    for (let i = 0; i < count; i++) {
      const value = values[into.length + i] as number;
      if (value - value !== 0) {
        into.bad = i;
        break;
      }
    }
    into.length += count;
    return count;
  }

  #arrayVector(into: FloatColumn): number {
    this.enterArray();
    const start = into.length;
    let count = 0;
    while (this.more()) {
      let value = Number.NaN;
      if (this.kind() === 'number') value = Math.fround(this.#number());
      else if (this.kind() === 'binary') this.#take(this.#count());
      else this.value();
      if (value - value !== 0 && into.bad < 0) into.bad = count;
      if (count < into.room) {
        if (into.length === into.values.length) into.reserve(1);
        into.values[into.length++] = value;
      }
      count++;
    }
    if (count > into.room) into.length = start;
    return count;
  }

  #mark(): number {
    const mark = this.#bytes[this.#at];
    if (mark === undefined) throw invalidJson(this.#at, 'the body ends too early');
    return mark;
  }

  /** Moves past `length` bytes and gives where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw invalidJson(start, 'a length is larger than what follows');
    this.#at = start + length;
    return start;
  }

  #enter(kind: ValueKind, itemsEach: number): void {
    const start = this.#at;
    if (this.kind() !== kind) throw invalidJson(start, `not an ${kind}`);
    const count = this.#count();
    // Every item has one byte at least.
    if (count * itemsEach > this.#bytes.length - this.#at) throw invalidJson(start, 'a count is larger than what follows');
    if (this.#left.length >= FIXED.jsonDepthMax) throw tooDeep(start);
    this.#left.push(count);
  }

  /** The length or count in the head that stands next; moves behind the head. */
  #count(): number {
    const mark = this.#mark();
    if (mark < 0xa0) {
      this.#at++;
      return mark & 0x0f;
    }
    if (mark < 0xc0) {
      this.#at++;
      return mark & 0x1f;
    }
    const size = COUNT_BYTES[mark - 0xc0] as number;
    const at = this.#take(1 + size) + 1;
    return this.#bytes.readUIntBE(at, size);
  }

  /** Is an integer of 64 bits, just read, ±2^53 and not a neighbour that was rounded to it? */
  #isExact(mark: number, value: number): boolean {
    const at = this.#at - 8;
    const source = mark === 0xcf ? this.#bytes.readBigUInt64BE(at) : this.#bytes.readBigInt64BE(at);
    return Math.abs(value) === INTEGER_MAX && source === BigInt(value);
  }

  #number(): number {
    const bytes = this.#bytes;
    const mark = this.#mark();
    if (mark < 0x80) {
      this.#at++;
      return mark;
    }
    if (mark >= 0xe0) {
      this.#at++;
      return mark - 0x100;
    }
    const at = this.#take(1 + (NUMBER_BYTES[mark - 0xca] as number)) + 1;
    switch (mark) {
      case 0xca:
        return bytes.readFloatBE(at);
      case 0xcb:
        return bytes.readDoubleBE(at);
      case 0xcc:
        return bytes.readUInt8(at);
      case 0xcd:
        return bytes.readUInt16BE(at);
      case 0xce:
        return bytes.readUInt32BE(at);
      case 0xcf:
        return Number(bytes.readBigUInt64BE(at));
      case 0xd0:
        return bytes.readInt8(at);
      case 0xd1:
        return bytes.readInt16BE(at);
      case 0xd2:
        return bytes.readInt32BE(at);
      default:
        return Number(bytes.readBigInt64BE(at));
    }
  }
}

/** For the marks 0xc0 … 0xdf; undefined is refused. */
const KINDS: readonly (ValueKind | undefined)[] = [
  'null',
  undefined,
  'boolean',
  'boolean',
  'binary',
  'binary',
  'binary',
  undefined,
  undefined,
  undefined,
  'number',
  'number',
  'number',
  'number',
  'number',
  'number',
  'number',
  'number',
  'number',
  'number',
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  'string',
  'string',
  'string',
  'array',
  'array',
  'object',
  'object',
];
/** Bytes of the count behind the marks 0xc0 … 0xdf, where one stands. */
const COUNT_BYTES: readonly number[] = [
  0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
];
/** Bytes of the number behind the marks 0xca … 0xd3. */
const NUMBER_BYTES: readonly number[] = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

function isFloat(mark: number): boolean {
  return mark === 0xca || mark === 0xcb;
}
