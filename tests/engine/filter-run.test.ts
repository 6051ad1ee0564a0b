/** Filters in an index worker: what they read of the store. */

import * as assert from 'uvu/assert';
import { CONTENT_KINDS } from '../../src/engine/content-kinds.js';
import { type Allowed, allowedLabels } from '../../src/engine/filter-run.js';
import type { IndexAsk, VectorFound } from '../../src/engine/index-asks.js';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { OwnedIndex } from '../../src/engine/owned-index.js';
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
  const around = { reads: counting, collection, seq, nextLabel, level: true, costs: typicalCosts(4), learn: () => undefined };
  const allowed = allowedLabels(content, { filter, labels: null }, around) as Allowed;
  assert.ok(allowed.labels !== null);
  const found = labelsOf(allowed.labels).map((label) => Number(reads.headByLabel(uid, label)?.id));
  assert.equal([...found].sort(), [1, 3, 4, 5]);
  assert.equal(calls, { headById: 5, deadBetween: 1 });
});

test('a facet never counts a part of a unit, and a search that sees one is of a position in front of it', async (t) => {
  const count = 3_000;
  const { reads, uid, spec, write } = writtenStore(t, 1, [{ path: 'tag', type: 'integer' }]);
  const put = (tag: number): void =>
    write({
      kind: 'upsert',
      collection: 'c',
      points: pointBlock(Array.from({ length: count }, (_, id) => ({ id, vector: [id + tag], payload: { tag } }))),
    });
  put(0);
  const collection = { uid, labelGeneration: 0, spec, folder: t.folder() };
  const owned = new OwnedIndex(reads, CONTENT_KINDS.vector, collection, 1, () => undefined);
  await owned.open();
  while (owned.advance(50) === 0) {
    // Until level.
  }
  put(1);
  const { seq } = reads.state();
  const filter: Filter = { must: [{ kind: 'match_value', key: 'tag', value: 1 }] };
  const vector = { kind: 'vector', query: Float32Array.of(0), wanted: count, ef: 10, exact: true, filter, labels: null } as const;
  do {
    const { values, takesRows } = answerOf(owned, { kind: 'facet', path: 'tag', filter: null, limit: 10 }) as {
      values?: readonly { count: number }[];
      takesRows?: true;
    };
    if (takesRows !== true)
      assert.equal(
        values?.map((value) => value.count),
        [count],
      );
    const found = answerOf(owned, vector) as VectorFound;
    if (found.labels.length > 0 && found.labels.length < count) assert.ok(found.seq < seq);
  } while (owned.advance(0) === 0);
  await owned.discard();
});

function answerOf(owned: OwnedIndex, ask: IndexAsk): unknown {
  const { run, end } = owned.ask(ask);
  let answer = run.advance(50);
  while (answer === null) answer = run.advance(50);
  end();
  return answer;
}

test('a few rows are read where the index is, unless they are long', (t) => {
  const { reads, uid, spec, write } = writtenStore(t, 1);
  const put = (ids: readonly number[], length: number): void => {
    const payload = { a: 'x'.repeat(length) };
    write({ kind: 'upsert', collection: 'c', points: pointBlock(ids.map((id) => ({ id, vector: [id], payload }))) });
  };
  const collection = { uid, labelGeneration: 0, spec, folder: '' };
  const content = VectorContent.create(reads, collection);
  t.after(() => content.close());
  const upkeep = new IndexUpkeep(reads, uid, content, 0, 0, 0);
  const narrowed = (): 'here' | 'elsewhere' => {
    while (upkeep.advance(50) === 0) {
      // Until level.
    }
    const { seq, nextLabel } = upkeep;
    const around = { reads, collection, seq, nextLabel, level: true, costs: typicalCosts(4), learn: () => undefined };
    const filter: Filter = { must: [{ kind: 'exists', key: 'a', exists: true }] };
    return 'narrow' in allowedLabels(content, { filter, labels: null }, around) ? 'elsewhere' : 'here';
  };
  put([1, 2, 3, 4, 5, 6, 7], 10);
  assert.is(narrowed(), 'here');
  put([1, 2, 3, 4, 5], 400_000);
  assert.is(narrowed(), 'elsewhere');
});

test.run();
