/** `skein export COLLECTION FILE`: every point of a collection into a file, or to standard output for `-`.
 *
 *  NDJSON lines are those that import reads: {id, vector, payload}. fvecs holds vectors only, in scroll order.
 *  Invariant: FILE appears under its name only when it is whole and on disk. Must not know: HTTP, pages. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { EXPORT_FIELDS } from '../../config/command-fields.js';
import type { ValuesOf } from '../../config/field.js';
import type { PointRecord, SkeinClient } from '../../sdk/index.js';
import { progressView, SILENT_VIEW } from '../import/progress.js';
import { counted, rateOf } from '../numbers.js';
import { connectTo } from '../server-connection.js';
import { EXIT, type ExitCode, print, printPatiently, type Surroundings } from '../surroundings.js';

export type ExportValues = ValuesOf<typeof EXPORT_FIELDS>;
type ExportFormat = 'ndjson' | 'fvecs';

const PIECE_BYTES = 256 * 1024;

interface Counts {
  points: number;
  /** Ids are 0, 1, 2, … in this order, so that an fvecs file keeps them. */
  idsAreRowNumbers: boolean;
  payloads: number;
}

export async function exportCollection(
  collection: string,
  path: string,
  values: ExportValues,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const toOutput = path === '-';
  const format: ExportFormat = values.format ?? (extname(path).toLowerCase() === '.fvecs' ? 'fvecs' : 'ndjson');
  const { output, errors, stopping } = surroundings;
  const startMs = performance.now();
  const client = connectTo(values);
  let counts: Counts;
  try {
    const { pointsCount } = await client.collection(collection, { signal: stopping });
    const view = toOutput ? SILENT_VIEW : progressView(errors, basename(path), () => performance.now());
    try {
      const pieces = piecesOf(client, collection, format, values.batch, stopping, (points) =>
        view.update(points / Math.max(1, pointsCount), points),
      );
      if (toOutput && format === 'fvecs') throw new Error('fvecs is binary: name a file for it');
      counts = toOutput ? await toStream(pieces, output) : await toFile(pieces, path);
    } finally {
      view.end();
    }
  } finally {
    client.close();
  }
  warnOfLoss(format, counts, surroundings);
  const tookMs = Math.round(performance.now() - startMs);
  const answer = { collection, points: counts.points, took_ms: tookMs, points_per_second: rateOf(counts.points, tookMs) };
  // On standard output the points are the answer.
  const to = toOutput ? errors : output;
  if (values.json) print(to, JSON.stringify(answer));
  else
    print(
      to,
      `${counted(counts.points, 'point')} of collection ${collection} to ${toOutput ? 'standard output' : path} (${(tookMs / 1_000).toFixed(1)} s)`,
    );
  return EXIT.done;
}

/** Pieces of the file, and at the end what was counted. */
async function* piecesOf(
  client: SkeinClient,
  collection: string,
  format: ExportFormat,
  batch: number,
  stopping: AbortSignal,
  onProgress: (points: number) => void,
): AsyncGenerator<Buffer, Counts, undefined> {
  const counts: Counts = { points: 0, idsAreRowNumbers: true, payloads: 0 };
  let parts: Buffer[] = [];
  let bytes = 0;
  const withPayload = true;
  for await (const point of client.scrollAll(collection, { limit: batch, withVector: true, withPayload }, { signal: stopping })) {
    const part = format === 'ndjson' ? lineOf(point) : rowOf(point);
    counts.idsAreRowNumbers &&= point.id === counts.points;
    if (point.payload !== undefined && Object.keys(point.payload).length > 0) counts.payloads += 1;
    counts.points += 1;
    parts.push(part);
    bytes += part.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(parts);
    onProgress(counts.points);
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(parts);
  return counts;
}

function lineOf({ id, vector, payload }: PointRecord): Buffer {
  const point = { id, vector: vector === undefined ? [] : Array.from(vector), ...(payload === undefined ? {} : { payload }) };
  return Buffer.from(`${JSON.stringify(point)}\n`);
}

function rowOf({ vector }: PointRecord): Buffer {
  const values = vector ?? new Float32Array(0);
  const row = Buffer.allocUnsafe(4 + values.byteLength);
  row.writeInt32LE(values.length, 0);
  row.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 4);
  return row;
}

async function toStream(pieces: AsyncGenerator<Buffer, Counts, undefined>, output: Surroundings['output']): Promise<Counts> {
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return next.value;
    await printPatiently(output, next.value.toString('utf8'));
  }
}

/** Writes beside the name, then takes the name; a failure leaves what was there before. */
async function toFile(pieces: AsyncGenerator<Buffer, Counts, undefined>, path: string): Promise<Counts> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w');
  try {
    for (;;) {
      const next = await pieces.next();
      if (next.done === true) {
        fsyncSync(file);
        renameSync(temporary, path);
        return next.value;
      }
      for (let at = 0; at < next.value.length; ) at += writeSync(file, next.value, at);
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function warnOfLoss(format: ExportFormat, { idsAreRowNumbers, payloads }: Counts, { errors }: Surroundings): void {
  if (format !== 'fvecs') return;
  if (!idsAreRowNumbers)
    print(errors, 'skein: the ids are not 0, 1, 2, …; an fvecs file does not hold them (rows are in scroll order)');
  if (payloads > 0) print(errors, `skein: payloads (${counted(payloads, 'point')} with one) are not held by an fvecs file`);
}
