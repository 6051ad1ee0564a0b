/** Begins a new line of data in a store that lost its tail: same rows, next epoch, a history id of its own.
 *  Positions of the old history are then told apart from the new ones, so nothing that was lost is ever taken for present. */

import { randomBytes } from 'node:crypto';
import { openWriter } from '../storage/open-store.js';

/** Durable on return. The caller holds the folder's lock. @throws StorageFailure, StorageFull, StoreRefused */
export function beginNewHistory(databasePath: string, cacheBytes: number): { historyId: string; seq: number } {
  const store = openWriter(databasePath, { cacheBytes });
  try {
    const historyId = randomBytes(16).toString('hex');
    const state = store.state();
    store.begin();
    store.writeState({ ...state, historyId, epoch: state.epoch + 1 });
    store.commit();
    return { historyId, seq: state.seq };
  } finally {
    store.close();
  }
}
