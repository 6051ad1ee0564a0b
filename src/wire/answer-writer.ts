/** How an answer is written: piece by piece, the same way as JSON and as MessagePack, so that a long one can be sent in slices.
 *
 *  Payloads are spliced in as the bytes they are stored as; vectors go out as text of the shortest form or as raw float32.
 *  Counts stand in front of what they count and must be right: MessagePack cannot mend them. */

import { FLOAT_TEXT_BYTES_MAX, writeFloat } from '../codec/float-text.js';
import { floatBytes, packMessage } from '../codec/msgpack.js';
import type { PointId } from '../model/point.js';
import type { BodyForm } from './body-reader.js';

export interface AnswerWriter {
  /** Bytes that were not taken yet. */
  readonly length: number;
  /** What was written since the last time. */
  take(): Buffer;
  openObject(fields: number): void;
  closeObject(): void;
  openArray(count: number): void;
  closeArray(): void;
  /** A key; the next call writes its value. */
  key(name: string): void;
  number(value: number): void;
  id(id: PointId): void;
  /** UTF-8 JSON of an object as stored; empty means `{}`. */
  payload(bytes: Uint8Array): void;
  vector(values: Float32Array): void;
  /** Small plain data. */
  value(value: unknown): void;
}

export function answerWriter(form: BodyForm): AnswerWriter {
  return form === 'json' ? new JsonWriter() : new MsgpackWriter();
}

/** Values of JSON between texts of another form, such as that of Server-Sent Events. */
export interface FramedWriter extends AnswerWriter {
  /** ASCII as it stands; what follows is a value of its own. */
  frame(text: string): void;
}

export function framedWriter(): FramedWriter {
  return new JsonWriter();
}

/** A whole small answer. */
export function encodeAnswer(form: BodyForm, value: unknown): Buffer {
  if (form === 'json') return Buffer.from(JSON.stringify(value));
  const packed = packMessage(value);
  return Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
}

const FIRST_BYTES = 2048;

const NO_BYTES = Buffer.alloc(0);
/** Longer text is copied faster by a call than by hand. */
const LOOPED_LENGTH_MAX = 24;

/** Bytes that grow. What follows a slice is taken to be as long, so that it grows once at most and not from the beginning again. */
class Output {
  bytes = Buffer.allocUnsafe(FIRST_BYTES);
  at = 0;
  #nextBytes = FIRST_BYTES;

  /** Makes room for `count` bytes and gives where they go. */
  room(count: number): number {
    const at = this.at;
    if (at + count > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.#nextBytes, at + count));
      this.bytes.copy(larger, 0, 0, at);
      this.bytes = larger;
    }
    return at;
  }

  byte(value: number): void {
    const at = this.room(1);
    this.bytes[at] = value;
    this.at = at + 1;
  }

  /** Text in ASCII only. */
  ascii(text: string): void {
    const at = this.room(text.length);
    if (text.length > LOOPED_LENGTH_MAX) {
      this.at = at + this.bytes.write(text, at, 'latin1');
      return;
    }
    for (let i = 0; i < text.length; i++) this.bytes[at + i] = text.charCodeAt(i);
    this.at = at + text.length;
  }

  text(text: string): void {
    const at = this.room(text.length * 3);
    this.at = at + this.bytes.write(text, at);
  }

  copy(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
    this.at = at + bytes.length;
  }

  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at);
    this.#nextBytes = this.at;
    this.bytes = NO_BYTES;
    this.at = 0;
    return taken;
  }
}

const PLAIN_KEY = /^[a-z_]+$/;
/** So many bytes of text have a head of one byte in MessagePack. */
const SHORT_TEXT = 31;

class JsonWriter implements FramedWriter {
  readonly #out = new Output();
  /** Does a comma belong in front of what comes next? */
  #comma = false;

  get length(): number {
    return this.#out.at;
  }

  take(): Buffer {
    return this.#out.take();
  }

  frame(text: string): void {
    this.#out.ascii(text);
    this.#comma = false;
  }

  openObject(): void {
    this.#open('{');
  }

  closeObject(): void {
    this.#close('}');
  }

  openArray(): void {
    this.#open('[');
  }

  closeArray(): void {
    this.#close(']');
  }

  key(name: string): void {
    this.#separate();
    if (PLAIN_KEY.test(name)) {
      this.#out.ascii('"');
      this.#out.ascii(name);
      this.#out.ascii('":');
    } else {
      this.#out.text(`${JSON.stringify(name)}:`);
    }
    this.#comma = false;
  }

  number(value: number): void {
    this.#separate();
    this.#out.ascii(Object.is(value, -0) ? '0' : String(value));
  }

  id(id: PointId): void {
    this.#separate();
    if (typeof id === 'number') this.#out.ascii(String(id));
    else this.#out.text(JSON.stringify(id));
  }

  payload(bytes: Uint8Array): void {
    this.#separate();
    if (bytes.length === 0) this.#out.ascii('{}');
    else this.#out.copy(bytes);
  }

  vector(values: Float32Array): void {
    this.#separate();
    const out = this.#out;
    const start = out.room(values.length * FLOAT_TEXT_BYTES_MAX + 2);
    const { bytes } = out;
    let at = start;
    bytes[at++] = 0x5b;
    for (let i = 0; i < values.length; i++) {
      if (i > 0) bytes[at++] = 0x2c;
      at = writeFloat(bytes, at, values[i] as number);
    }
    bytes[at++] = 0x5d;
    out.at = at;
  }

  value(value: unknown): void {
    this.#separate();
    this.#out.text(JSON.stringify(value));
  }

  #open(bracket: string): void {
    this.#separate();
    this.#out.ascii(bracket);
    this.#comma = false;
  }

  #close(bracket: string): void {
    this.#out.ascii(bracket);
    this.#comma = true;
  }

  #separate(): void {
    if (this.#comma) this.#out.byte(0x2c);
    this.#comma = true;
  }
}

class MsgpackWriter implements AnswerWriter {
  readonly #out = new Output();

  get length(): number {
    return this.#out.at;
  }

  take(): Buffer {
    return this.#out.take();
  }

  openObject(fields: number): void {
    this.#head(fields, 0x80, 0xde);
  }

  closeObject(): void {}

  openArray(count: number): void {
    this.#head(count, 0x90, 0xdc);
  }

  closeArray(): void {}

  key(name: string): void {
    if (name.length > SHORT_TEXT || !PLAIN_KEY.test(name)) return this.value(name);
    this.#out.byte(0xa0 | name.length);
    this.#out.ascii(name);
  }

  number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < 0x80) {
      this.#out.byte(value);
      return;
    }
    const isUint32 = Number.isInteger(value) && value >= 0 && value < 2 ** 32;
    const at = this.#out.room(9);
    const { bytes } = this.#out;
    bytes[at] = isUint32 ? 0xce : 0xcb;
    this.#out.at = isUint32 ? bytes.writeUInt32BE(value, at + 1) : bytes.writeDoubleBE(value, at + 1);
  }

  id(id: PointId): void {
    if (typeof id === 'string') this.value(id);
    else this.number(id);
  }

  payload(bytes: Uint8Array): void {
    if (bytes.length === 0) return this.#out.byte(0x80);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    this.value(JSON.parse(text));
  }

  vector(values: Float32Array): void {
    const at = this.#out.room(5);
    this.#out.bytes[at] = 0xc6;
    this.#out.at = this.#out.bytes.writeUInt32BE(values.byteLength, at + 1);
    this.#out.copy(floatBytes(values));
  }

  value(value: unknown): void {
    this.#out.copy(packMessage(value));
  }

  #head(count: number, short: number, long: number): void {
    if (count < 16) return this.#out.byte(short | count);
    const at = this.#out.room(5);
    const { bytes } = this.#out;
    if (count < 0x10000) {
      bytes[at] = long;
      this.#out.at = bytes.writeUInt16BE(count, at + 1);
    } else {
      bytes[at] = long + 1;
      this.#out.at = bytes.writeUInt32BE(count, at + 1);
    }
  }
}
