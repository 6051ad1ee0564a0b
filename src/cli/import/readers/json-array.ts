/** A JSON array of objects, of any size: elements are cut out by following strings and brackets, and parsed one by one.
 *
 *  A bad element is refused alone; a broken array (no opening bracket, no comma, no end) ends the reading.
 *  Memory: one piece of the file and one element, which is at most 16 MiB. */

import { createReadStream, statSync } from 'node:fs';
import { FileProblem, type ImportRecord, LINE_BYTES_MAX, READ_BYTES, type RecordSource, type SourceOptions } from '../record.js';
import { recordFromJson } from './json-record.js';

export function jsonArraySource(options: SourceOptions): RecordSource {
  const sizeBytes = Math.max(1, statSync(options.path).size);
  let bytesRead = 0;
  return {
    placeWord: 'element',
    readShare: () => bytesRead / sizeBytes,
    async *records() {
      bytesRead = 0;
      const cutter = new ElementCutter();
      let index = 0;
      for await (const piece of createReadStream(options.path, { highWaterMark: READ_BYTES })) {
        bytesRead += (piece as Buffer).length;
        const group: ImportRecord[] = [];
        try {
          for (const { bytes, line } of cutter.push(piece as Buffer)) {
            const where = { index, place: index + 1, line };
            if (index >= options.fromIndex) group.push(recordFromJson(bytes, where, options));
            index += 1;
          }
        } catch (error) {
          // What stood before the broken place is good.
          if (group.length > 0) yield group;
          throw error;
        }
        if (group.length > 0) yield group;
      }
      cutter.end();
    },
  };
}

interface Element {
  readonly bytes: Buffer;
  /** Where it starts, from 1. */
  readonly line: number;
}

/** before ─[─► first ─element─► behind ─,─► between ─element─► behind ─]─► after;  first ─]─► after */
type State = 'before' | 'first' | 'between' | 'behind' | 'after';

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

class ElementCutter {
  #state: State = 'before';
  #line = 1;
  #atStart = true;
  /** Bytes of an element whose end is still to come. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #inElement = false;
  #elementLine = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Elements that end in this piece. @throws FileProblem */
  *push(piece: Buffer): Generator<Element, void, undefined> {
    let start = 0;
    let at = this.#atStart && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf ? 3 : 0;
    this.#atStart = false;
    for (; at < piece.length; at++) {
      const byte = piece[at] as number;
      if (byte === LINE_FEED) this.#line += 1;
      if (this.#inElement) {
        if (!this.#endsElement(byte)) continue;
        // A bare value (number, word) ends in front of the byte that ends it; a string, object or array behind it.
        const end = this.#depth < 0 ? at : at + 1;
        yield this.#take(piece.subarray(start, end));
        if (end === at) this.#outside(byte);
      } else if (this.#outside(byte)) {
        start = at;
        this.#begin(byte);
      }
    }
    if (!this.#inElement) return;
    const rest = Buffer.from(piece.subarray(start));
    this.#held.push(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes > LINE_BYTES_MAX) {
      throw new FileProblem(
        `line ${this.#elementLine}: an element is longer than ${LINE_BYTES_MAX} bytes; the rest was not read`,
      );
    }
  }

  /** @throws FileProblem when the array has not ended */
  end(): void {
    if (this.#state === 'after') return;
    if (this.#state === 'before') throw new FileProblem('the file is empty; a JSON array was expected');
    throw new FileProblem(`line ${this.#line}: the file ends before the array does`);
  }

  #begin(byte: number): void {
    this.#inElement = true;
    this.#elementLine = this.#line;
    this.#inString = byte === QUOTE;
    this.#escaped = false;
    this.#depth = byte === OPEN_OBJECT || byte === OPEN_ARRAY ? 1 : byte === QUOTE ? 0 : -1;
  }

  /** Follows one byte inside an element; says whether the element is over. */
  #endsElement(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) {
        this.#inString = false;
        return this.#depth === 0;
      }
      return false;
    }
    if (this.#depth < 0) return byte === COMMA || byte === CLOSE_ARRAY || isWhite(byte);
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) this.#depth -= 1;
    return this.#depth === 0 && !this.#inString;
  }

  /** Follows one byte between elements; says whether it begins one. @throws FileProblem */
  #outside(byte: number): boolean {
    if (isWhite(byte)) return false;
    if (this.#state === 'before') {
      if (byte !== OPEN_ARRAY)
        throw new FileProblem(`line ${this.#line}: a JSON array begins with [; for one object per line, use --format ndjson`);
      this.#state = 'first';
      return false;
    }
    if (byte === CLOSE_ARRAY && (this.#state === 'first' || this.#state === 'behind')) {
      this.#state = 'after';
      return false;
    }
    if (byte === COMMA && this.#state === 'behind') {
      this.#state = 'between';
      return false;
    }
    if ((this.#state === 'first' || this.#state === 'between') && byte !== COMMA && byte !== CLOSE_ARRAY) return true;
    const expected = { first: 'an element or ]', between: 'an element', behind: 'a comma or ]', after: 'nothing more' }[
      this.#state
    ];
    throw new FileProblem(
      `line ${this.#line}: ${expected} was expected, not ${JSON.stringify(String.fromCharCode(byte))}; the rest was not read`,
    );
  }

  #take(lastPart: Buffer): Element {
    const bytes = this.#held.length === 0 ? lastPart : Buffer.concat([...this.#held, lastPart]);
    this.#held = [];
    this.#heldBytes = 0;
    this.#inElement = false;
    this.#state = 'behind';
    return { bytes, line: this.#elementLine };
  }
}

function isWhite(byte: number): boolean {
  return byte === 0x20 || byte === LINE_FEED || byte === 0x0d || byte === 0x09;
}
