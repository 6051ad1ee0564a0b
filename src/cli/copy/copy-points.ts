/** Points of one collection from the source to the target, page by page, several pages on their way in at once.
 *
 *  Invariant: `onDone` is called for pages in their order, when every point up to there is durable in the target. A page is written once, so two
 *  pages under way never hold one id. Must not know: notes, terminals. */

import type { PointBody, Side } from './side.js';

export interface CopyPointsSettings {
  readonly source: Side;
  readonly target: Side;
  readonly name: string;
  readonly batch: number;
  readonly inFlightMax: number;
  /** null: from the first page */
  readonly cursor: string | null;
  /** @param cursor of the next page; null behind the last  @param points that were copied with this page */
  onDone(cursor: string | null, points: number): void;
}

interface Flight {
  readonly landing: Promise<void>;
  readonly cursor: string | null;
  readonly points: number;
}

export async function copyPoints({
  source,
  target,
  name,
  batch,
  inFlightMax,
  cursor,
  onDone,
}: CopyPointsSettings): Promise<void> {
  const flights: Flight[] = [];
  const land = async (): Promise<void> => {
    const first = flights[0];
    if (first === undefined) return;
    await first.landing;
    flights.shift();
    onDone(first.cursor, first.points);
  };
  const pages = pagesOf(source, name, batch, cursor);
  try {
    for await (const { points, next } of pages) {
      while (flights.length >= inFlightMax) await land();
      const landing = points.length === 0 ? Promise.resolve() : target.upsert(name, points);
      // It is awaited in its turn; until then a failure is not lost.
      landing.catch(() => undefined);
      flights.push({ landing, cursor: next, points: points.length });
    }
    while (flights.length > 0) await land();
  } finally {
    await Promise.allSettled(flights.map(({ landing }) => landing));
  }
}

/** Pages with the place where each next one begins; the next page travels while this one is written. */
async function* pagesOf(
  source: Side,
  name: string,
  batch: number,
  cursor: string | null,
): AsyncGenerator<{ readonly points: readonly PointBody[]; readonly next: string | null }, void, undefined> {
  let coming = source.page(name, cursor, batch, 'whole');
  for (;;) {
    const { points, next_cursor: next } = await coming;
    if (next !== null) {
      coming = source.page(name, next, batch, 'whole');
      coming.catch(() => undefined);
    }
    yield { points, next };
    if (next === null) return;
  }
}
