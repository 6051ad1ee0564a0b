/** Every point of a collection, page by page: the next page travels while the one before is used. Must not know: calls. */

import { ChildAbort } from './aborting.js';
import type { PointRecord, ReadOptions, ScrollPage } from './types.js';

/** @param pageAt asks for the page at a cursor, or for the first */
export async function* pagePoints(
  pageAt: (cursor: string | null, options: ReadOptions) => Promise<ScrollPage>,
  options: ReadOptions,
): AsyncGenerator<PointRecord, void, undefined> {
  const ended = new ChildAbort(options.signal);
  const all = { ...options, signal: ended.signal };
  try {
    let page = await pageAt(null, all);
    for (;;) {
      const next = page.nextCursor === null ? null : pageAt(page.nextCursor, all);
      next?.catch(() => undefined);
      yield* page.points;
      if (next === null) return;
      page = await next;
    }
  } finally {
    ended.abort();
  }
}
