/** What one node asks another for to mend its store: a point as it stands there, an entry of the log. Both sides of these link requests, in both directions.
 *
 *  Bytes come in slices, as base64, so that an answer fits the frames that a replica may send. What they are worth is proven where they are written.
 *  Must not know: links, what is damaged. */

import { ByteReader } from '../codec/bytes.js';
import type { RunningEngine } from '../engine/engine.js';
import { checkPointId, type PointVersion } from '../model/point.js';
import type { LinkValues } from '../wire/frames.js';
import type { Ask } from './comparison-asks.js';

/** Two thirds of a frame of 1 MiB, as base64. */
const SLICE_BYTES = 512 * 1024;
const BYTES_MAX = 64 * 1024 * 1024;
/** Whoever answers in smaller slices than this takes too long. */
const SLICES_MAX = 2 * (BYTES_MAX / SLICE_BYTES);
const METHODS = ['repair_value', 'repair_entry'] as const;

type Method = (typeof METHODS)[number];

export function isRepairAsk(method: string): method is Method {
  return METHODS.some((known) => known === method);
}

/** @throws RangeError on parameters that are none · as RunningEngine.compare, ReplicatedLog.read */
export async function answerRepairAsk(
  engine: Pick<RunningEngine, 'log' | 'compare'>,
  method: Method,
  parameters: LinkValues,
): Promise<LinkValues> {
  const offset = countOf(parameters, 'offset');
  const bytes = method === 'repair_value' ? await storedPoint(engine, parameters) : entryOf(engine, countOf(parameters, 'seq'));
  if (bytes === null) return { total: null };
  const slice = bytes.subarray(offset, offset + SLICE_BYTES);
  return { total: bytes.length, bytes: Buffer.from(slice).toString('base64') };
}

/** A point in the form of compare.ts, of this version and no other. */
async function storedPoint(engine: Pick<RunningEngine, 'compare'>, parameters: LinkValues): Promise<Uint8Array | null> {
  const uid = countOf(parameters, 'uid');
  const ids = [checkPointId(parameters['id'], 'id')];
  const version = countOf(parameters, 'version');
  const { values, count } = await engine.compare({ kind: 'values', uid, ids, throughSeq: version });
  // A node that is behind still has what stood there before.
  return count === 0 || versionOf(values) !== version ? null : values;
}

function versionOf(value: Uint8Array): number {
  const reader = new ByteReader(value);
  reader.sized16();
  return reader.uint64();
}

function entryOf({ log }: Pick<RunningEngine, 'log'>, seq: number): Uint8Array | null {
  const [row] = log.read(seq, 1, 1);
  return row?.seq === seq ? row.entry : null;
}

/** @returns null when the other side has none of this version @throws Error when there is no answer, or one that is none */
export function askForPoint(ask: Ask, { uid, id, version }: PointVersion): Promise<Uint8Array | null> {
  return slices(ask, 'repair_value', { uid, id, version });
}

/** @returns null when the other side does not have it (any more) @throws as askForPoint */
export function askForEntry(ask: Ask, seq: number): Promise<Uint8Array | null> {
  return slices(ask, 'repair_entry', { seq });
}

async function slices(ask: Ask, method: Method, parameters: LinkValues): Promise<Uint8Array | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (let slice = 0; slice < SLICES_MAX; slice++) {
    const answer = await ask(method, { ...parameters, offset: bytes });
    if (answer['total'] === null) return null;
    const total = countOf(answer, 'total');
    const text = answer['bytes'];
    if (typeof text !== 'string' || total > BYTES_MAX) throw new RangeError(`the answer to ${method} is none`);
    const part = Buffer.from(text, 'base64');
    parts.push(part);
    bytes += part.length;
    if (bytes === total) return Buffer.concat(parts);
    // It has changed between two slices.
    if (part.length === 0 || bytes > total) break;
  }
  throw new RangeError(`the answer to ${method} is not whole`);
}

function countOf(from: LinkValues, name: string): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new RangeError(`'${name}' is no count`);
  return value;
}
