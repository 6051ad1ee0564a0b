/** Housekeeping of the store: a step that a full disk stops leaves the steps before it in force; a log beyond its bounds is cut without
 *  pause. */

import * as assert from 'uvu/assert';
import { StoreUpkeep } from '../../src/engine/store-upkeep.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openWriter } from '../../src/storage/open-store.js';
import { StorageFull, type StoreWriter } from '../../src/storage/storage.js';
import { pointBlock } from '../support/open-test-engine.js';
import { newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/store-upkeep');
const SPEC = { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;

interface Rig {
  readonly store: StoreWriter;
  readonly units: UnitWriter;
  /** One unit for each value, in one commit. */
  put(...values: readonly number[]): void;
}

function open(t: TestContext): Rig {
  const store = openWriter(newStorePath(t.folder()), TEST_CACHE);
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  const write = (operations: readonly Operation[]): void => {
    store.begin();
    for (const operation of operations) units.run({ operations: [operation] }, 1);
    units.state.flush();
    store.commit();
  };
  write([{ kind: 'create_collection', collection: 'c', spec: SPEC }]);
  const upsert = (value: number): Operation => {
    return { kind: 'upsert', collection: 'c', points: pointBlock([{ id: 1, vector: [value, value] }]) };
  };
  const put = (...values: readonly number[]): void => write(values.map(upsert));
  return { store, units, put };
}

const run = (upkeep: StoreUpkeep): Promise<unknown> => waitUntil(() => upkeep.run(false), { what: 'upkeep to be due' });

test('a full disk between two steps does not make the next write older than what the first step stored', async (t) => {
  const { store, units, put } = open(t);
  put(1);
  put(2);
  const purgeDropped = (): number => {
    throw new StorageFull('full');
  };
  const upkeep = new StoreUpkeep({ ...store, purgeDropped }, units, DEFAULT_LIMITS);
  upkeep.reapThrough(3);
  await run(upkeep);
  assert.is(store.state().reapedSeq, 3, 'the first step was done');
  put(3);
  assert.is(store.state().seq, 4);
});

test('a log that is far beyond its retention is pruned step after step, not once a second', async (t) => {
  const { store, units, put } = open(t);
  put(...Array.from({ length: 4_500 }, (_, value) => value));
  const upkeep = new StoreUpkeep(store, units, { ...DEFAULT_LIMITS, logRetentionMs: 0, logRetentionBytes: 0 });
  for (let step = 0; step < 3; step++) await run(upkeep);
  assert.is(store.state().logMinSeq, 4_502, 'three steps of 2,000 units are enough');
  assert.is(upkeep.figures().logBytes, 0);
});

test('idempotency keys are forgotten by the times of entries, whatever the clock of this node says', async (t) => {
  const { store, units } = open(t);
  const keyOf = (value: number) => ({ scope: new Uint8Array(32).fill(value), body: new Uint8Array(32) });
  const remember = (value: number, timeMs: number): void => {
    store.begin();
    units.run({ operations: [], idempotency: keyOf(value) }, timeMs);
    units.state.flush();
    store.commit();
  };
  const known = (): number[] => [1, 2, 3].filter((value) => store.remembered(keyOf(value).scope) !== undefined);
  const upkeep = new StoreUpkeep(store, units, { ...DEFAULT_LIMITS, idempotencyMs: 1_000 });
  remember(1, 10);
  remember(2, 500);
  await run(upkeep);
  assert.equal(known(), [1, 2]);
  remember(3, 1_100);
  await waitUntil(() => upkeep.run(false) && known().length < 3, { what: 'the first key to be forgotten' });
  assert.equal(known(), [2, 3]);
});

test.run();
