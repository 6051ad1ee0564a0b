/** A replica that has lost changes without knowing it: the log of a master applied to a fresh store, but for the changes that a test drops.
 *
 *  Digests of its rows are right for its rows, as they are after a lost write or a defect of the applier. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeEntry } from '../../src/codec/entry.js';
import { Applier } from '../../src/engine/applier.js';
import { withoutGone } from '../../src/engine/correct.js';
import { WriterState } from '../../src/engine/writer-state.js';
import type { Effect } from '../../src/model/entry.js';
import { createStore, openWriter } from '../../src/storage/open-store.js';
import type { LogRow } from '../../src/storage/storage.js';
import { TEST_CACHE, TEST_STORE } from './open-test-store.js';

/** Makes the store of openTestEngine in `folder`. @param drops is asked for every point that is put or deleted, and for every alias that is put */
export function makeDroppingReplica(folder: string, rows: readonly LogRow[], drops: () => boolean): void {
  mkdirSync(join(folder, 'store-1'));
  const path = join(folder, 'store-1', 'skein.db');
  createStore(path, TEST_STORE, TEST_CACHE);
  const store = openWriter(path, TEST_CACHE);
  const state = new WriterState(store);
  const applier = new Applier(store, state);
  store.begin();
  for (const { seq, entry: bytes, chainHash } of rows) {
    const entry = decodeEntry(bytes);
    applier.apply(withoutGone(store, kept(entry.effect, drops)), entry);
    store.appendLog({ seq, entry: bytes, chainHash }, entry.timeMs);
    state.advance(seq, chainHash, bytes.length);
  }
  state.flush();
  store.commit();
  store.close();
}

function kept(effect: Effect, drops: () => boolean): Effect {
  if (effect.kind === 'put_points') return { ...effect, points: effect.points.filter(() => !drops()) };
  if (effect.kind === 'delete_points') return { ...effect, ids: effect.ids.filter(() => !drops()) };
  if (effect.kind === 'put_alias' && drops()) return { kind: 'noop' };
  return effect;
}
