/** Payload fields that are declared while rows come in: whatever was read when, every point is found by them. */

import * as assert from 'uvu/assert';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { VectorContent } from '../../src/engine/vector-content.js';
import { createIndex } from '../../src/vector-index/open-index.js';
import { pointBlock } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { writtenStore } from '../support/written-store.js';

const test = suite('engine/payload-side');
const DIMENSION = 4;
const POINTS = 1_500;
/** In the middle of the second page of rows. */
const WAITING = 800;

test('fields that are declared while a page of rows waits for room in the index are read of all its rows', (t) => {
  const { reads, uid, spec, write } = writtenStore(t, DIMENSION);
  const random = new Random(t.seed());
  const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: random.vector(DIMENSION), payload: { tag: id % 2 } }));
  write({ kind: 'upsert', collection: 'c', points: pointBlock(points) });
  const limits = { flatPointsMax: 200, waitingBytesMax: WAITING * DIMENSION * 4 };
  const index = createIndex(
    { dimension: DIMENSION, distance: 'euclid', m: 16, efConstruct: 100, quantization: 'none' },
    { limits },
  );
  t.after(() => index.close());
  const content = new VectorContent(
    reads,
    { uid, labelGeneration: 0, spec, folder: '' },
    { dense: new Map([['', index]]), sparse: new Map() },
  );
  const upkeep = new IndexUpkeep(reads, uid, content, 0, 0, 0);
  while (!index.crowded) upkeep.advance(0);
  assert.is(content.liveLabels().length, WAITING);
  content.configure(spec, { ...spec, payloadIndexes: [{ path: 'tag', type: 'integer' }] });
  while (upkeep.advance(0) === 0) {
    // Until level.
  }
  const matched = [0, 1].map((value) =>
    content.payloads.index.match({ must: [{ kind: 'match_value', key: 'tag', value }] }, () => new Uint32Array(0)),
  );
  assert.equal(
    matched.map(({ labels, exact }) => [labels.size, exact]),
    [
      [POINTS / 2, true],
      [POINTS / 2, true],
    ],
  );
});

test.run();
