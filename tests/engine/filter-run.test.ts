/** Filters in an index worker: what they read of the store. */

import * as assert from 'uvu/assert';
import { type Allowed, allowedLabels } from '../../src/engine/filter-run.js';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { VectorContent } from '../../src/engine/vector-content.js';
import type { Filter } from '../../src/model/filter.js';
import { labelsOf } from '../../src/model/label-filter.js';
import { typicalCosts } from '../../src/search/costs.js';
import type { StoreReads } from '../../src/storage/storage.js';
import { pointBlock } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';
import { writtenStore } from '../support/written-store.js';

const test = suite('engine/filter-run');
const COUNTED = ['headById', 'deadBetween'] as const;

test('ids that many lists of a filter name are looked up once, those of points that are gone by now as well', (t) => {
  const { reads, uid, spec, write } = writtenStore(t, 1);
  const block = (ids: readonly number[]) => pointBlock(ids.map((id) => ({ id, vector: [id] })));
  write({ kind: 'upsert', collection: 'c', points: block([1, 2, 3, 4, 5]) });
  const calls = { headById: 0, deadBetween: 0 };
  const counting: StoreReads = { ...reads };
  for (const name of COUNTED) {
    const read = reads[name] as (...given: unknown[]) => unknown;
    Object.assign(counting, {
      [name]: (...given: unknown[]) => {
        calls[name] += 1;
        return read(...given);
      },
    });
  }
  const collection = { uid, labelGeneration: 0, spec, folder: '' };
  const content = VectorContent.create(reads, collection);
  t.after(() => content.close());
  const upkeep = new IndexUpkeep(reads, uid, content, 0, 0, 0);
  while (upkeep.advance(50) === 0) {
    // Until level.
  }
  // The index does not hear of this: 4 and 5 are gone, 5 is there again, 3 stands under another label.
  write({ kind: 'delete', collection: 'c', ids: [4, 5] });
  write({ kind: 'upsert', collection: 'c', points: block([3, 5]) });

  const filter: Filter = {
    should: [
      { kind: 'has_id', ids: [1, 3, 4] },
      { kind: 'has_id', ids: [3, 5, 99] },
      { kind: 'filter', filter: { must: [{ kind: 'has_id', ids: [4, 99, 1] }] } },
    ],
  };
  const { seq, nextLabel } = upkeep;
  const around = { reads: counting, collection, seq, nextLabel, costs: typicalCosts(4), learn: () => undefined };
  const allowed = allowedLabels(content, { filter, labels: null }, around) as Allowed;
  assert.ok(allowed.labels !== null);
  const found = labelsOf(allowed.labels).map((label) => Number(reads.headByLabel(uid, label)?.id));
  assert.equal([...found].sort(), [1, 3, 4, 5]);
  assert.equal(calls, { headById: 5, deadBetween: 1 });
});

test.run();
