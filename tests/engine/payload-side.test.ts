/** Payload fields that are declared while rows come in: whatever was read when, every point is found by them. */

import * as assert from 'uvu/assert';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { VectorContent } from '../../src/engine/vector-content.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import type { CollectionRow, StoreReads } from '../../src/storage/storage.js';
import { createIndex } from '../../src/vector-index/open-index.js';
import { pointBlock } from '../support/open-test-engine.js';
import { newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/payload-side');
const DIMENSION = 4;
const POINTS = 1_500;
/** In the middle of the second page of rows. */
const WAITING = 800;

function storeOf(t: TestContext, points: number): StoreReads {
  const random = new Random(t.seed());
  const path = newStorePath(t.folder());
  const store = openWriter(path, TEST_CACHE);
  const reads = openReader(path, TEST_CACHE);
  t.after(() => reads.close());
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  const write = (operation: Operation): void => {
    store.begin();
    units.run({ operations: [operation] }, 1);
    units.state.flush();
    store.commit();
  };
  const spec = { dimension: DIMENSION, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;
  write({ kind: 'create_collection', collection: 'c', spec });
  const block = Array.from({ length: points }, (_, id) => ({ id, vector: random.vector(DIMENSION), payload: { tag: id % 2 } }));
  write({ kind: 'upsert', collection: 'c', points: pointBlock(block) });
  return reads;
}

test('fields that are declared while a page of rows waits for room in the index are read of all its rows', (t) => {
  const reads = storeOf(t, POINTS);
  const { uid, spec } = reads.collections()[0] as CollectionRow;
  const limits = { flatPointsMax: 200, waitingBytesMax: WAITING * DIMENSION * 4 };
  const index = createIndex(
    { dimension: DIMENSION, distance: 'euclid', m: 16, efConstruct: 100, quantization: 'none' },
    { limits },
  );
  t.after(() => index.close());
  const collection = { uid, labelGeneration: 0, spec, folder: t.folder() };
  const content = new VectorContent(reads, collection, index);
  const upkeep = new IndexUpkeep(reads, uid, content, 0, 0, 0);
  while (!index.crowded) upkeep.advance(0);
  assert.is(content.liveLabels().length, WAITING);
  content.configure(spec, { ...spec, payloadIndexes: [{ path: 'tag', type: 'integer' }] });
  while (upkeep.advance(0) === 0) {
    // Until level.
  }
  const matched = (value: number) =>
    content.payloads.index.match({ must: [{ kind: 'match_value', key: 'tag', value }] }, () => new Uint32Array(0));
  assert.equal(
    [matched(0), matched(1)].map(({ labels, exact }) => [labels.size, exact]),
    [
      [POINTS / 2, true],
      [POINTS / 2, true],
    ],
  );
});

test.run();
