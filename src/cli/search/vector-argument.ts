/** A vector from the command line, standard input or a file; a sparse one as {indices, values}. */

import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../model/errors.js';
import { FIXED } from '../../model/limits.js';
import { UsageError } from '../failure.js';
import type { Surroundings } from '../surroundings.js';

/** Of text: the largest dimension with as many digits as a double has. */
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

export type VectorArgument = readonly number[] | { readonly indices: readonly number[]; readonly values: readonly number[] };

/** @param text JSON, or - for standard input  @throws UsageError */
export async function vectorOfText(text: string, { protocolStreams }: Surroundings): Promise<VectorArgument> {
  if (text !== '-') return vectorIn(text, '--vector');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of protocolStreams().input) {
    parts.push(Buffer.from(part as Buffer | string));
    bytes += parts.at(-1)?.length ?? 0;
    if (bytes > TEXT_BYTES_MAX) throw new UsageError(`standard input holds more than a vector: over ${TEXT_BYTES_MAX} bytes`);
  }
  return vectorIn(Buffer.concat(parts).toString('utf8'), 'standard input');
}

/** @throws UsageError, or Error when the file cannot be read */
export function readVector(path: string): VectorArgument {
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
    : vectorIn(bytes.toString('utf8'), path);
}

/** @throws UsageError */
function vectorIn(text: string, where: string): VectorArgument {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return numbersOf(value, where);
  const { indices, values, ...others } = value as Readonly<Record<string, unknown>>;
  if (indices === undefined || values === undefined || Object.keys(others).length > 0)
    throw new UsageError(`${where} is neither a JSON array of numbers nor a sparse vector {"indices": […], "values": […]}`);
  return { indices: numbersOf(indices, `${where}, indices`), values: numbersOf(values, `${where}, values`) };
}

/** @throws UsageError */
function numbersOf(value: unknown, where: string): readonly number[] {
  if (!Array.isArray(value)) throw new UsageError(`${where} is not a JSON array of numbers such as [0.1, 0.2]`);
  const strange = value.findIndex((component) => typeof component !== 'number');
  if (strange >= 0) throw new UsageError(`${where}: component ${strange} is not a number`);
  return value as readonly number[];
}
