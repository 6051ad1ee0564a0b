/** `skein export COLLECTION FILE`: every point of a collection into a file, or to standard output for `-`.
 *
 *    server ─► points, page by page ─► writer of the format ─► FILE
 *
 *  What was exported goes in again with `skein import`, equal. Must not know: HTTP, pages, the bytes of a format. */

import { basename } from 'node:path';
import type { EXPORT_FIELDS } from '../../config/command-fields.js';
import type { ValuesOf } from '../../config/field.js';
import type { CollectionInfo, PointRecord, SkeinClient } from '../../sdk/index.js';
import { UsageError } from '../failure.js';
import { progressView, SILENT_VIEW } from '../import/progress.js';
import { counted, rateOf } from '../numbers.js';
import { connectTo } from '../server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from '../surroundings.js';
import { toFile, toStream } from './output-file.js';
import { exportFormatOf, openWriter } from './writers/open-writer.js';
import type { IdKinds } from './writers/point-writer.js';

export type ExportValues = ValuesOf<typeof EXPORT_FIELDS>;

/** What the server takes for one page. */
const PAGE_POINTS_MAX = 10_000;

interface Exported {
  readonly points: number;
  readonly losses: readonly string[];
}

/** @param path `-` for standard output  @throws UsageError */
export async function exportCollection(
  collection: string,
  path: string,
  values: ExportValues,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const startMs = performance.now();
  const client = connectTo(values);
  let exported: Exported;
  try {
    exported = await run(collection, path, values, client, surroundings);
  } finally {
    client.close();
  }
  const { points, losses } = exported;
  const { output, errors } = surroundings;
  for (const loss of losses) print(errors, `skein: ${loss}`);
  const tookMs = Math.round(performance.now() - startMs);
  const answer = { collection, points, took_ms: tookMs, points_per_second: rateOf(points, tookMs) };
  // On standard output the points are the answer.
  const to = path === '-' ? errors : output;
  const where = path === '-' ? 'standard output' : path;
  if (values.json) print(to, JSON.stringify(answer));
  else print(to, `${counted(points, 'point')} of collection ${collection} to ${where} (${(tookMs / 1_000).toFixed(1)} s)`);
  return EXIT.done;
}

async function run(
  collection: string,
  path: string,
  values: ExportValues,
  client: SkeinClient,
  { output, errors, stopping }: Surroundings,
): Promise<Exported> {
  const format = values.format ?? exportFormatOf(path);
  const info = await client.collection(collection, { signal: stopping });
  const hasNamed = Object.keys(info.vectors).length + Object.keys(info.sparseVectors).length > 0;
  const subject = { hasDefault: info.dimension !== null, hasNamed };
  const writer = await openWriter(format, { ...subject, idKinds: () => idKindsOf(client, info, stopping) });
  if (path === '-' && !writer.text) throw new UsageError(`${format} is binary: name a file for it`);
  const view = path === '-' ? SILENT_VIEW : progressView(errors, basename(path), () => performance.now());
  // Pages are no larger than the strict mode of the collection lets them be.
  const limit = Math.min(values.batch, pageLimitOf(info));
  let points = 0;
  let expiring = 0;
  async function* counting(): AsyncGenerator<PointRecord, void, undefined> {
    const selection = { limit, withVector: true, withPayload: true };
    for await (const point of client.scrollAll(collection, selection, { signal: stopping })) {
      points += 1;
      if (point.expiresAt !== undefined) expiring += 1;
      // Without a word, it would have the life of a new one where it comes in again.
      yield point.expiresAt === undefined && info.ttlMs !== null ? { ...point, expiresAt: 'never' } : point;
      if (points % limit === 0) view.update(points / Math.max(1, info.pointsCount), points);
    }
  }
  try {
    const pieces = writer.pieces(counting());
    await (path === '-' ? toStream(pieces, output) : toFile(pieces, path));
  } finally {
    view.end();
  }
  return { points, losses: [...lossesOf(format, expiring), ...writer.losses()] };
}

function lossesOf(format: string, expiring: number): string[] {
  if (expiring === 0 || format === 'ndjson' || format === 'json') return [];
  return [
    `when points expire is not in the file (${counted(expiring, 'point')}): ${format} has no place for it, ndjson and json have`,
  ];
}

function pageLimitOf({ strictMode }: CollectionInfo): number {
  return strictMode?.enabled === true ? (strictMode.maxQueryLimit ?? PAGE_POINTS_MAX) : PAGE_POINTS_MAX;
}

async function idKindsOf(client: SkeinClient, info: CollectionInfo, signal: AbortSignal): Promise<IdKinds> {
  let integers = false;
  let texts = false;
  const selection = { limit: pageLimitOf(info), withVector: false, withPayload: false };
  for await (const { id } of client.scrollAll(info.name, selection, { signal })) {
    if (typeof id === 'number') integers = true;
    else texts = true;
    if (integers && texts) break;
  }
  return { integers, texts };
}
