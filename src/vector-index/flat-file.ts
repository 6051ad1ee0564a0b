/** The data file of a flat index.
 *
 *    "SKEINFLT" · u32 version 1 · u32 dimension · u32 count · u32 0 · count × (u32 label · dimension × f32); little-endian
 *
 *  Version 1: the first. Invariant: what FlatFileCheck has collected after end() is exactly the file's content.
 *  Must not know: checksums, heads. */

import { open } from 'node:fs/promises';
import { FIXED } from '../model/limits.js';
import { FlatRows } from './flat-rows.js';
import type { FileCheck } from './hashed-file.js';
import type { IndexParameters } from './vector-index.js';

const MAGIC = 'SKEINFLT';
const VERSION = 1;
const HEADER_BYTES = 24;
const STAGING_BYTES = 1024 * 1024;

/** Writes the live rows in row order. The rows must not change meanwhile. @throws Error of the file system */
export async function writeFlatFile(path: string, dimension: number, rows: FlatRows): Promise<void> {
  const rowBytes = 4 + dimension * 4;
  const staging = Buffer.alloc(Math.max(STAGING_BYTES, HEADER_BYTES + rowBytes));
  let at = staging.write(MAGIC, 'latin1');
  for (const value of [VERSION, dimension, rows.size, 0]) at = staging.writeUInt32LE(value, at);
  const file = await open(path, 'w');
  try {
    for (let row = 0; row < rows.rows; row++) {
      const label = rows.labelAt(row);
      if (label === null) continue;
      if (at + rowBytes > staging.length) {
        await file.writeFile(staging.subarray(0, at));
        at = 0;
      }
      const vector = rows.vectorAt(row);
      at = staging.writeUInt32LE(label, at);
      staging.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
      at += vector.byteLength;
    }
    await file.writeFile(staging.subarray(0, at));
  } finally {
    await file.close();
  }
}

export class FlatFileCheck implements FileCheck {
  readonly rows: FlatRows;
  readonly #dimension: number;
  readonly #rowBytes: number;
  readonly #vector: Float32Array;
  #carry: Buffer = Buffer.alloc(0);
  #count = -1;

  constructor(parameters: IndexParameters) {
    this.#dimension = parameters.dimension;
    this.#rowBytes = 4 + parameters.dimension * 4;
    this.#vector = new Float32Array(parameters.dimension);
    this.rows = new FlatRows(parameters.dimension, parameters.distance);
  }

  feed(block: Buffer): void {
    const bytes = this.#carry.length === 0 ? block : Buffer.concat([this.#carry, block]);
    let at = 0;
    if (this.#count < 0 && bytes.length >= HEADER_BYTES) at = this.#takeHeader(bytes);
    for (; this.#count >= 0 && bytes.length - at >= this.#rowBytes; at += this.#rowBytes) this.#takeRow(bytes, at);
    this.#carry = Buffer.from(bytes.subarray(at));
  }

  end(): void {
    if (this.#count !== this.rows.size || this.#carry.length > 0) throw new Error('the file has not as many rows as it says');
  }

  #takeHeader(bytes: Buffer): number {
    if (bytes.toString('latin1', 0, 8) !== MAGIC) throw new Error('the file is not a flat index');
    if (bytes.readUInt32LE(8) !== VERSION) throw new Error(`flat format ${bytes.readUInt32LE(8)} is not known`);
    if (bytes.readUInt32LE(12) !== this.#dimension) throw new Error(`the file has dimension ${bytes.readUInt32LE(12)}`);
    this.#count = bytes.readUInt32LE(16);
    return HEADER_BYTES;
  }

  #takeRow(bytes: Buffer, at: number): void {
    const label = bytes.readUInt32LE(at);
    if (label > FIXED.labelMax) throw new Error(`label ${label} is out of range`);
    if (this.rows.has(label)) throw new Error(`label ${label} is there twice`);
    new Uint8Array(this.#vector.buffer).set(bytes.subarray(at + 4, at + this.#rowBytes));
    this.rows.add(label, this.#vector);
  }
}
