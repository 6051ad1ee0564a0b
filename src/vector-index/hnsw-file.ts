/** The shape of hnswlib's index file, checked before the native code reads it and after it wrote it.
 *
 *    header  96 bytes: offsetLevel0, maxElements, count, elementBytes, labelOffset, dataOffset (u64) · maxLevel, entry (u32)
 *            · maxM, maxM0, M (u64) · mult (f64) · efConstruction (u64); little-endian
 *    count × element: links of the ground level (u16 count, u16 marks, 2·m × u32) · vector (scale.ts, keptBytes) · label (u64)
 *    count × (u32 bytes, upper links: whole levels of 4 + 4·m bytes each), and nothing behind
 *
 *  The native loader trusts all of it: a changed number there is a wild pointer, another dimension is garbage, and the native
 *  writer does not notice a full disk. Invariant: after end() without an error the file is whole, belongs to these parameters, and
 *  `labels` are its labels, each once. Source: hnswalg.h saveIndex/loadIndex in hnswlib-node 3.0.0. Must not know: checksums. */

import { FIXED } from '../model/limits.js';
import type { FileCheck } from './hashed-file.js';
import { LabelSet } from './label-set.js';
import { keptBytes } from './scale.js';
import type { IndexParameters } from './vector-index.js';

const HEADER_BYTES = 96;
const LEVEL_MAX = 64;

export class HnswFileCheck implements FileCheck {
  readonly #m: number;
  readonly #efConstruct: number;
  readonly #vectorBytes: number;
  readonly #elementBytes: number;
  readonly #levelBytes: number;
  readonly #fileBytes: number;
  readonly #seen = new LabelSet();
  #labels = new Uint32Array(0);
  #carry: Buffer = Buffer.alloc(0);
  #part: 'header' | 'elements' | 'list' | 'links' | 'done' = 'header';
  #done = 0;
  #linkBytes = 0;

  /** @param fileBytes the file's size; a count that cannot fit in it is refused before memory is taken for it */
  constructor(parameters: IndexParameters, fileBytes: number) {
    this.#fileBytes = fileBytes;
    this.#m = parameters.m;
    this.#efConstruct = parameters.efConstruct;
    this.#vectorBytes = keptBytes(parameters.quantization, parameters.dimension);
    this.#elementBytes = 4 + 8 * parameters.m + this.#vectorBytes + 8;
    this.#levelBytes = 4 + 4 * parameters.m;
  }

  /** In the file's order; whole after end(). */
  get labels(): Uint32Array {
    return this.#labels;
  }

  feed(block: Buffer): void {
    const bytes = this.#carry.length === 0 ? block : Buffer.concat([this.#carry, block]);
    let at = 0;
    for (;;) {
      const size = this.#nextBytes();
      if (size > bytes.length - at) break;
      if (this.#part === 'done') {
        if (bytes.length > at) throw new Error('the file goes on behind its last link list');
        break;
      }
      this.#take(bytes, at);
      at += size;
    }
    this.#carry = Buffer.from(bytes.subarray(at));
  }

  end(): void {
    if (this.#part !== 'done') throw new Error(`the file ends within its ${this.#part}`);
  }

  #nextBytes(): number {
    if (this.#part === 'header') return HEADER_BYTES;
    if (this.#part === 'elements') return this.#elementBytes;
    if (this.#part === 'list') return 4;
    return this.#part === 'links' ? this.#linkBytes : 0;
  }

  #take(bytes: Buffer, at: number): void {
    if (this.#part === 'header') this.#takeHeader(bytes, at);
    else if (this.#part === 'elements') this.#takeElement(bytes, at);
    else if (this.#part === 'list') this.#takeList(bytes.readUInt32LE(at));
    else this.#nextItem('list');
  }

  #takeHeader(bytes: Buffer, at: number): void {
    const u64 = (offset: number): number => Number(bytes.readBigUInt64LE(at + offset));
    const expect = (name: string, value: number, expected: number): void => {
      if (value !== expected) throw new Error(`${name} is ${value} instead of ${expected}`);
    };
    const count = u64(16);
    expect('offset of the ground level', u64(0), 0);
    expect('element size', u64(24), this.#elementBytes);
    expect('label offset', u64(32), this.#elementBytes - 8);
    expect('data offset', u64(40), this.#elementBytes - 8 - this.#vectorBytes);
    expect('links per upper level', u64(56), this.#m);
    expect('links on the ground level', u64(64), 2 * this.#m);
    expect('m', u64(72), this.#m);
    const mult = bytes.readDoubleLE(at + 80);
    // 1 / ln(m), as two libraries round it. With another, a later insert may never come to the end of its levels.
    if (!(Math.abs(mult * Math.log(this.#m) - 1) < 1e-9)) throw new Error(`the share of upper levels is ${mult}`);
    expect('ef_construct', u64(88), Math.max(this.#efConstruct, this.#m));
    if (HEADER_BYTES + count * (this.#elementBytes + 4) > this.#fileBytes)
      throw new Error(`the file is too short for ${count} points`);
    if (count < 1 || count > u64(8) || u64(8) > FIXED.labelMax)
      throw new Error(`${count} points do not fit a capacity of ${u64(8)}`);
    if (bytes.readInt32LE(at + 48) < 0 || bytes.readInt32LE(at + 48) > LEVEL_MAX)
      throw new Error('the top level is out of range');
    if (bytes.readUInt32LE(at + 52) >= count) throw new Error('the entry point is not among the points');
    this.#labels = new Uint32Array(count);
    this.#part = 'elements';
  }

  #takeElement(bytes: Buffer, at: number): void {
    const links = bytes.readUInt16LE(at);
    if (links > 2 * this.#m) throw new Error(`point ${this.#done} has ${links} links`);
    if (bytes.readUInt16LE(at + 2) !== 0) throw new Error(`point ${this.#done} carries a native mark`);
    const high = bytes.readUInt32LE(at + this.#elementBytes - 4);
    const label = bytes.readUInt32LE(at + this.#elementBytes - 8);
    if (high !== 0 || label > FIXED.labelMax) throw new Error(`point ${this.#done} has a label out of range`);
    if (!this.#seen.add(label)) throw new Error(`label ${label} is there twice`);
    this.#labels[this.#done] = label;
    this.#nextItem('elements');
  }

  #takeList(linkBytes: number): void {
    if (linkBytes % this.#levelBytes !== 0 || linkBytes > LEVEL_MAX * this.#levelBytes) {
      throw new Error(`the upper links of point ${this.#done} have ${linkBytes} bytes`);
    }
    this.#linkBytes = linkBytes;
    if (linkBytes === 0) this.#nextItem('list');
    else this.#part = 'links';
  }

  #nextItem(part: 'elements' | 'list'): void {
    this.#done += 1;
    this.#part = part;
    if (this.#done < this.#labels.length) return;
    this.#done = 0;
    this.#part = part === 'elements' ? 'list' : 'done';
  }
}
