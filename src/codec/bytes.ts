/** Reading and writing little-endian bytes with bounds. Sizes stand in front of what they size. */

export class ByteWriter {
  #buffer = Buffer.allocUnsafe(4096);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  #room(size: number): number {
    const at = this.#at;
    if (at + size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + size));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#at = at + size;
    return at;
  }

  uint8(value: number): void {
    const at = this.#room(1);
    this.#buffer.writeUInt8(value, at);
  }

  uint16(value: number): void {
    const at = this.#room(2);
    this.#buffer.writeUInt16LE(value, at);
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#buffer.writeUInt32LE(value, at);
  }

  /** A safe integer ≥ 0 in eight bytes. */
  uint64(value: number): void {
    const at = this.#room(8);
    this.#buffer.writeUInt32LE(value % 2 ** 32, at);
    this.#buffer.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }

  sized16(value: Uint8Array): void {
    this.uint16(value.length);
    this.bytes(value);
  }

  sized32(value: Uint8Array): void {
    this.uint32(value.length);
    this.bytes(value);
  }

  /** Everything written, followed by `tail`; a copy of its own. */
  finish(tail?: ByteWriter): Buffer {
    const own = this.#buffer.subarray(0, this.#at);
    return Buffer.concat(tail === undefined ? [own] : [own, tail.#buffer.subarray(0, tail.#at)]);
  }
}

/** Every read is checked against the end. @throws RangeError when the bytes end too early or a number is too large */
export class ByteReader {
  readonly #view: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#view.length - this.#at;
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#view.length - at) throw new RangeError('the bytes end too early');
    this.#at = at + size;
    return at;
  }

  uint8(): number {
    return this.#view.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#view.readUInt16LE(this.#take(2));
  }

  uint32(): number {
    return this.#view.readUInt32LE(this.#take(4));
  }

  uint64(): number {
    const at = this.#take(8);
    const value = this.#view.readUInt32LE(at) + this.#view.readUInt32LE(at + 4) * 2 ** 32;
    if (!Number.isSafeInteger(value)) throw new RangeError('an integer is beyond 2^53-1');
    return value;
  }

  /** A count of items of at least `itemBytesMin` bytes, refused when the rest cannot hold them. */
  count32(itemBytesMin: number): number {
    const count = this.uint32();
    if (count * itemBytesMin > this.remaining) throw new RangeError('a count is larger than what follows');
    return count;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#view.subarray(at, at + length);
  }

  sized16(): Uint8Array {
    return this.bytes(this.uint16());
  }

  sized32(): Uint8Array {
    return this.bytes(this.uint32());
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }
}
