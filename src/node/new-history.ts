/** Begins a new line of data in a store that lost its tail: an entry of its own in the log, in the next epoch, with a new history id.
 *  Positions of the lost part are then told apart from the new ones, so nothing that was lost is ever taken for present. */

import { randomBytes } from 'node:crypto';
import { beginHistoryOffline } from '../engine/open-engine.js';
import type { Limits } from '../model/limits.js';

/** Durable on return. The caller holds the folder's lock. @throws StorageFailure, StorageFull, StoreRefused */
export function beginNewHistory(
  databasePath: string,
  options: {
    readonly limits: Limits;
    readonly cacheBytes: number;
    readonly notBelowEpoch: number;
    /** Durable on return: before anything is written in this epoch. */
    noteEpoch(epoch: number): void;
  },
): { historyId: string; seq: number } {
  const historyId = randomBytes(16).toString('hex');
  const { limits, cacheBytes, notBelowEpoch, noteEpoch } = options;
  const begin = { historyId, notBelowEpoch, noteEpoch };
  return { historyId, seq: beginHistoryOffline(databasePath, begin, { limits, writerCacheBytes: cacheBytes }) };
}
