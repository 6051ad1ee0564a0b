/** A vector from the command line, standard input or a file. */

import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../model/errors.js';
import { FIXED } from '../../model/limits.js';
import { UsageError } from '../failure.js';
import type { Surroundings } from '../surroundings.js';

/** Of text: the largest dimension with as many digits as a double has. */
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

/** @param text a JSON array, or - for standard input  @throws UsageError */
export async function vectorOfText(text: string, { protocolStreams }: Surroundings): Promise<readonly number[]> {
  if (text !== '-') return numbersOf(text, '--vector');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of protocolStreams().input) {
    parts.push(Buffer.from(part as Buffer | string));
    bytes += parts.at(-1)?.length ?? 0;
    if (bytes > TEXT_BYTES_MAX) throw new UsageError(`standard input holds more than a vector: over ${TEXT_BYTES_MAX} bytes`);
  }
  return numbersOf(Buffer.concat(parts).toString('utf8'), 'standard input');
}

/** @throws UsageError, or Error when the file cannot be read */
export function readVector(path: string): readonly number[] {
  let bytes: Buffer;
  try {
    if (statSync(path).size > TEXT_BYTES_MAX) throw new Error(`it has more than ${TEXT_BYTES_MAX} bytes`);
    bytes = readFileSync(path);
  } catch (error) {
    throw new Error(`${path} cannot be read as a vector: ${messageOf(error)}`);
  }
  const dimension = bytes.length >= 4 ? bytes.readInt32LE(0) : 0;
  const isRow = dimension >= 1 && dimension <= FIXED.dimensionMax && bytes.length === 4 + dimension * 4;
  return isRow
    ? Array.from({ length: dimension }, (_, i) => bytes.readFloatLE(4 + i * 4))
    : numbersOf(bytes.toString('utf8'), path);
}

/** @throws UsageError */
function numbersOf(text: string, where: string): readonly number[] {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (!Array.isArray(value)) throw new UsageError(`${where} is not a JSON array of numbers such as [0.1, 0.2]`);
  const strange = value.findIndex((component) => typeof component !== 'number');
  if (strange >= 0) throw new UsageError(`${where}: component ${strange} is not a number`);
  return value as readonly number[];
}
