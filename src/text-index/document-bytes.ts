/** The terms of every document, one behind the other, as bytes that are only ever appended: what removal, renewal and checkpoints read.
 *
 *    document   count of terms · for each, in the order in which the text first has it: 2 · term + (1 when it stands there more than once)
 *               · how often, when more than once
 *    number     groups of 7 bits, low first, a high bit for "more follows"
 *
 *  Terms that texts have early, which are the common ones, have small numbers and so few bytes: about two a term.
 *  Invariant: bytes once written never change or move, so that a reader may come back to them at any time.
 *  Must not know: what a term is, which documents are alive. */

/** The terms of one document: `terms[i]` stands there `counts[i]` times, i < size. The arrays may be longer. */
export interface TermCounts {
  terms: Uint32Array;
  counts: Uint32Array;
  size: number;
}

const FIRST_CHUNK_BYTES = 16 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;
/** Of one number below 2^32, doubled. */
const NUMBER_BYTES_MAX = 5;

export class DocumentBytes {
  readonly #chunks: Uint8Array[] = [];
  /** Of the last chunk. */
  #used = 0;
  #bytes = 0;

  /** Resident bytes. */
  get memoryBytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy. @returns its address, for read() */
  append(document: Uint8Array): number {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#used + document.length > chunk.length) {
      const planned = Math.min(CHUNK_BYTES_MAX, FIRST_CHUNK_BYTES * 2 ** Math.min(this.#chunks.length, 16));
      chunk = new Uint8Array(Math.max(planned, document.length));
      this.#chunks.push(chunk);
      this.#used = 0;
      this.#bytes += chunk.length;
    }
    chunk.set(document, this.#used);
    const address = (this.#chunks.length - 1) * 2 ** 32 + this.#used;
    this.#used += document.length;
    return address;
  }

  /** The bytes from an address on: those of the document, and more behind them. Valid for ever. */
  from(address: number): Uint8Array {
    const number = Math.floor(address / 2 ** 32);
    const chunk = this.#chunks[number] ?? new Uint8Array(0);
    return chunk.subarray(address - number * 2 ** 32);
  }
}

/** An empty list that can take some terms; it grows as needed. */
export function noTerms(): TermCounts {
  return { terms: new Uint32Array(256), counts: new Uint32Array(256), size: 0 };
}

export function pushTerm(list: TermCounts, term: number, count: number): void {
  if (list.size === list.terms.length) {
    list.terms = grown(list.terms);
    list.counts = grown(list.counts);
  }
  list.terms[list.size] = term;
  list.counts[list.size] = count;
  list.size += 1;
}

function grown(list: Uint32Array): Uint32Array {
  const twice = new Uint32Array(list.length * 2);
  twice.set(list);
  return twice;
}

/** Makes the bytes of documents in one buffer that it uses again. */
export class DocumentEncoder {
  #buffer = new Uint8Array(1_024);

  /** @returns bytes that are valid until the next call */
  encode({ terms, counts, size }: TermCounts): Uint8Array {
    const most = (2 * size + 1) * NUMBER_BYTES_MAX;
    if (this.#buffer.length < most) this.#buffer = new Uint8Array(most * 2);
    const buffer = this.#buffer;
    let at = writeNumber(buffer, 0, size);
    for (let i = 0; i < size; i++) {
      const count = counts[i] as number;
      at = writeNumber(buffer, at, (terms[i] as number) * 2 + (count > 1 ? 1 : 0));
      if (count > 1) at = writeNumber(buffer, at, count);
    }
    return buffer.subarray(0, at);
  }
}

/** Reads a document into `list`, in place of what it held. @returns bytes read  @throws RangeError when they end too early */
export function decodeDocument(bytes: Uint8Array, list: TermCounts): number {
  list.size = 0;
  const reader = { bytes, at: 0 };
  const size = readNumber(reader);
  for (let i = 0; i < size; i++) {
    const packed = readNumber(reader);
    pushTerm(list, Math.floor(packed / 2), packed % 2 === 1 ? readNumber(reader) : 1);
  }
  return reader.at;
}

/** @returns where the next number goes */
export function writeNumber(buffer: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) buffer[next++] = (rest % 128) | 0x80;
  buffer[next++] = rest;
  return next;
}

/** Reads a number below 2^53 at `at` and moves it behind. @throws RangeError when the bytes end within it */
export function readNumber(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new RangeError('the bytes end within a number');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
}
