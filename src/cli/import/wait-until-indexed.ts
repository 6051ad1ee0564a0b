/** The end of an import: every point that was stored is found by searches.
 *
 *  Batches are sent with wait=durable, which keeps the disk busy; one search that asks for the newest position then waits for the
 *  index to reach it. Must not know: files, batches. */

import { SkeinApiError, type SkeinClient, SkeinTimeoutError } from '../../sdk/index.js';
import type { PointRecord } from './record.js';

const WAIT_MS = 30_000;

/** @param point of the collection; one without any vector is found as soon as it is durable
 *  @throws whatever the search meets but the index being behind */
export async function waitUntilIndexed(
  client: SkeinClient,
  collection: string,
  { vector, vectors = {} }: Pick<PointRecord, 'vector' | 'vectors'>,
  stopping: AbortSignal,
): Promise<void> {
  const [name, named] = Object.entries(vectors)[0] ?? [];
  const request =
    vector === undefined ? (named === undefined || name === undefined ? null : { vector: named, using: name }) : { vector };
  if (request === null) return;
  const { position } = await client.collection(collection, { signal: stopping });
  for (;;) {
    try {
      const options = { minPosition: position, maxWaitMs: WAIT_MS, signal: stopping };
      await client.search(collection, { ...request, limit: 1, withPayload: false }, options);
      return;
    } catch (error) {
      const met = error instanceof SkeinTimeoutError ? error.lastError : error;
      if (!(met instanceof SkeinApiError) || met.type !== 'IndexBehind') throw error;
    }
  }
}
