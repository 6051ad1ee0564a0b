/** Holds the points of a collection in two servers against each other, and makes the target's equal to the source's.
 *
 *    every page of the source: same ids in the target? same vectors (every bit) and payloads?      counts differ: every id of the target in the source?
 *
 *  Memory: one page of each. Must not know: how points were copied. */

import { isDeepStrictEqual } from 'node:util';
import type { PointBody, PointId, Side } from './side.js';

export interface Comparison {
  /** Points of the source that were held against the target. */
  readonly compared: number;
  /** Ids that are missing, other, or too many in the target; at most `DIFFERENT_MAX`. */
  readonly different: readonly PointId[];
}

export interface CompareSettings {
  readonly source: Side;
  readonly target: Side;
  readonly name: string;
  readonly batch: number;
  onPage(compared: number): void;
}

/** So many are listed, and mended, at once; a copy that differs in more is looked at again anyhow. */
const DIFFERENT_MAX = 10_000;

export async function compareCollections({ source, target, name, batch, onPage }: CompareSettings): Promise<Comparison> {
  const different: PointId[] = [];
  let compared = 0;
  for await (const points of pages(source, name, batch, 'whole')) {
    const there = await target.get(name, idsOf(points), 'whole');
    different.push(...differencesOf(points, there));
    compared += points.length;
    onPage(compared);
    if (different.length >= DIFFERENT_MAX) return { compared, different: different.slice(0, DIFFERENT_MAX) };
  }
  if ((await target.count(name)) !== compared || different.length > 0)
    different.push(...(await tooMany(source, target, name, batch)));
  return { compared, different: [...new Set(different)].slice(0, DIFFERENT_MAX) };
}

/** Brings points to what they are in the source now; those that it does not have are removed. */
export async function mend({ source, target, name, batch }: CompareSettings, ids: readonly PointId[]): Promise<void> {
  for (let at = 0; at < ids.length; at += batch) {
    const part = ids.slice(at, at + batch);
    const points = await source.get(name, part, 'whole');
    const kept = new Set(idsOf(points));
    const gone = part.filter((id) => !kept.has(id));
    if (points.length > 0) await target.upsert(name, points);
    if (gone.length > 0) await target.remove(name, gone);
  }
}

/** Ids of points that are missing or other. Versions are each server's own. */
export function differencesOf(points: readonly PointBody[], there: readonly PointBody[]): PointId[] {
  const byId = new Map(there.map((point) => [point.id, point]));
  return points.filter((point) => !isSame(point, byId.get(point.id))).map(({ id }) => id);
}

function isSame(one: PointBody, other: PointBody | undefined): boolean {
  if (other === undefined) return false;
  const { version: _one, ...mine } = one;
  const { version: _other, ...theirs } = other;
  // Bytes as bytes, however they came.
  return isDeepStrictEqual(mine, theirs);
}

async function tooMany(source: Side, target: Side, name: string, batch: number): Promise<PointId[]> {
  const found: PointId[] = [];
  for await (const points of pages(target, name, batch, 'id')) {
    const kept = new Set(idsOf(await source.get(name, idsOf(points), 'id')));
    found.push(...idsOf(points).filter((id) => !kept.has(id)));
    if (found.length >= DIFFERENT_MAX) break;
  }
  return found;
}

async function* pages(
  side: Side,
  name: string,
  batch: number,
  shown: 'whole' | 'id',
): AsyncGenerator<readonly PointBody[], void, undefined> {
  let page = await side.page(name, null, batch, shown);
  for (;;) {
    if (page.points.length > 0) yield page.points;
    if (page.next_cursor === null) return;
    page = await side.page(name, page.next_cursor, batch, shown);
  }
}

function idsOf(points: readonly PointBody[]): PointId[] {
  return points.map(({ id }) => id);
}
