/** The end of an import: every point that was stored is found by searches.
 *
 *  Batches are sent with wait=durable, which keeps the disk busy; one search that asks for the newest position then waits for the
 *  index to reach it. Must not know: files, batches. */

import { SkeinApiError, type SkeinClient, SkeinTimeoutError } from '../../sdk/index.js';

const WAIT_MS = 30_000;

/** @param vector of a point of the collection
 *  @throws whatever the search meets but the index being behind */
export async function waitUntilIndexed(
  client: SkeinClient,
  collection: string,
  vector: Float32Array,
  stopping: AbortSignal,
): Promise<void> {
  const { position } = await client.collection(collection, { signal: stopping });
  for (;;) {
    try {
      const options = { minPosition: position, maxWaitMs: WAIT_MS, signal: stopping };
      await client.search(collection, { vector, limit: 1, withPayload: false }, options);
      return;
    } catch (error) {
      const met = error instanceof SkeinTimeoutError ? error.lastError : error;
      if (!(met instanceof SkeinApiError) || met.type !== 'IndexBehind') throw error;
    }
  }
}
