/** A replica's write thread on a full disk: it keeps what it was handed, says so, and goes on by itself when there is room. */

import * as assert from 'uvu/assert';
import { BatchApplier } from '../../src/engine/batch-applier.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import type { FromWriter } from '../../src/engine/writer-messages.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { openWriter } from '../../src/storage/open-store.js';
import { StorageFull, type StoreWriter } from '../../src/storage/storage.js';
import { batchOf, logOf } from '../support/follow-log.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/batch-applier');
const SPEC = { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;

for (const place of ['commit', 'insertCollection'] as const) {
  test(`a disk that is found full at ${place} keeps the group until there is room`, async (t) => {
    const master = await openTestEngine(t.folder());
    const wait = { wait: 'durable', timeoutMs: 5_000 } as const;
    for (const name of ['a', 'b']) await master.engine.write([{ kind: 'create_collection', collection: name, spec: SPEC }], wait);
    await master.engine.stop();
    const store = openWriter(newStorePath(t.folder()), TEST_CACHE);
    t.after(() => store.close());
    let full = true;
    const failing: StoreWriter = {
      ...store,
      [place]: (...given: never[]) => {
        if (full) throw new StorageFull('the disk is full');
        return (store[place] as (...given: never[]) => void)(...given);
      },
    };
    const units = new UnitWriter(failing, DEFAULT_LIMITS);
    const told: FromWriter[] = [];
    const batches = new BatchApplier({
      store: failing,
      units,
      post: (message) => told.push(message),
      conclude: (commit) => {
        units.state.flush();
        commit();
      },
    });
    batches.begin(1);
    batches.take(1, batchOf(logOf(master.storePath)));
    assert.not(batches.step());
    assert.equal(told, [{ kind: 'refused', replies: [], full: true }]);
    assert.ok(batches.hasWork && !batches.isDue, 'it pauses');
    assert.equal([store.state().seq, store.collections(), units.state.state.seq], [0, [], 0]);
    await waitUntil(() => batches.isDue, { what: 'the pause is over' });
    assert.not(batches.step());
    full = false;
    await waitUntil(() => batches.isDue, { what: 'the pause is over' });
    assert.ok(batches.step());
    assert.equal([store.state().seq, store.collections().length], [2, 2]);
    assert.equal(
      told.slice(1).map(({ kind }) => kind),
      ['refused', 'apply_room'],
    );
  });
}

test.run();
