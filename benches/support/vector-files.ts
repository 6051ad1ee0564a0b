/** Reads the TexMex files of real data below SKEIN_BENCH_DATA: per row a little-endian int32 dimension, then float32 or int32 values. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VectorRows } from './clusters.js';

/** The folder of real data, or null when the variable is not set: then what needs it is not measured. */
export function dataFolder(): string | null {
  const folder = process.env['SKEIN_BENCH_DATA'] ?? '';
  return folder !== '' && existsSync(folder) ? folder : null;
}

export function readFloatVectors(folder: string, ...path: string[]): VectorRows {
  const { count, dimension, words } = readRows(join(folder, ...path));
  return { count, dimension, values: new Float32Array(words.buffer) };
}

/** @returns one list of row numbers per row */
export function readIntVectors(folder: string, ...path: string[]): number[][] {
  const { count, dimension, words } = readRows(join(folder, ...path));
  return Array.from({ length: count }, (_, row) => Array.from(words.subarray(row * dimension, (row + 1) * dimension)));
}

function readRows(path: string): { count: number; dimension: number; words: Int32Array<ArrayBuffer> } {
  const bytes = readFileSync(path);
  const dimension = bytes.readInt32LE(0);
  const rowBytes = (dimension + 1) * 4;
  if (dimension < 1 || bytes.length % rowBytes !== 0) throw new Error(`${path} is not made of rows of one dimension`);
  const count = bytes.length / rowBytes;
  const words = new Int32Array(count * dimension);
  const target = Buffer.from(words.buffer);
  for (let row = 0; row < count; row += 1) {
    if (bytes.readInt32LE(row * rowBytes) !== dimension) throw new Error(`row ${row} of ${path} has another dimension`);
    bytes.copy(target, row * dimension * 4, row * rowBytes + 4, (row + 1) * rowBytes);
  }
  return { count, dimension, words };
}
