/** What an index knew of a filter some writes ago, together with the rows, gives what the rows alone give. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { runCompare } from '../../src/engine/compare.js';
import { applyCorrection } from '../../src/engine/correct.js';
import { countFromIndex, type IndexedMatches, matching, type RowFilter } from '../../src/engine/matching-rows.js';
import { labelFilterOf } from '../../src/model/label-filter.js';
import type { Operation } from '../../src/model/operation.js';
import type { PointId } from '../../src/model/point.js';
import { loadDriver } from '../../src/storage/driver.js';
import { pointBlock } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';
import { type WrittenStore, writtenStore } from '../support/written-store.js';

const test = suite('engine/matching-rows');
const IDS_MAX = 40;
const VALUES = 4;
const WANTED: RowFilter['filter'] = { must: [{ kind: 'match_value', key: 'value', value: 1 }] };

const ids = fc.uniqueArray(fc.nat(IDS_MAX), { minLength: 1, maxLength: 12 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ ids, value: fc.nat(VALUES) }).map(({ ids, value }) => ({
    kind: 'upsert' as const,
    collection: 'c',
    points: pointBlock(ids.map((id) => ({ id, vector: [id, 1], payload: { value: (value + id) % VALUES } }))),
  })),
  fc.record({ ids, value: fc.nat(VALUES) }).map(({ ids, value }) => ({
    kind: 'patch' as const,
    collection: 'c',
    patches: ids.map((id) => ({ id, payload: Buffer.from(JSON.stringify({ value: (value + id) % VALUES })) })),
  })),
  ids.map((some) => ({ kind: 'delete' as const, collection: 'c', ids: some })),
);

/** Patches of points that are not there are left out: they would be refused. */
function write({ write: run, reads, uid }: WrittenStore, operations: readonly Operation[]): void {
  for (const each of operations) {
    if (each.kind !== 'patch') {
      run(each);
      continue;
    }
    const patches = each.patches.filter(({ id }) => reads.headById(uid, id) !== undefined);
    if (patches.length > 0) run({ ...each, patches });
  }
}

/** What an exact index at the state of the store would answer. */
function indexed({ reads, uid, spec }: WrittenStore): IndexedMatches {
  const rows = [...matching(reads, uid, { filter: WANTED, spec, among: null }, null)];
  const labels = labelFilterOf(Uint32Array.from(rows.map(({ label }) => label).sort((a, b) => a - b)));
  return { labels, exact: true, seq: reads.state().seq, nextLabel: reads.collection(uid)?.nextLabel ?? 0 };
}

test('random writes behind an index: pages and counts by its answer are those of all rows', (t) => {
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 1, maxLength: 15 }),
      fc.array(operation, { maxLength: 3 }),
      fc.array(operation, { maxLength: 15 }),
      fc.record({ exact: fc.boolean(), after: fc.option(fc.nat(IDS_MAX)), wanted: fc.constantFrom(1, 5, 1_000) }),
      (before, ahead, since, { exact, after, wanted }) => {
        const store = writtenStore(t, 2);
        const { reads, uid, spec } = store;
        write(store, before);
        const { seq } = reads.state();
        // It may have some of what is later than its seq.
        write(store, ahead);
        const among = { ...indexed(store), exact, seq };
        write(store, since);
        const idsOf = (filter: RowFilter): PointId[] => [...matching(reads, uid, filter, after, wanted)].map(({ id }) => id);
        const helped = { filter: WANTED, spec, among };
        assert.equal(idsOf(helped), idsOf({ ...helped, among: null }));
        const count = [...matching(reads, uid, { ...helped, among: null }, null)].length;
        const counted = countFromIndex(reads, uid, helped, 10_000);
        assert.equal(counted, exact ? { count, seq: reads.state().seq } : null);
        // With little room it gives up, and never gives less.
        const narrow = countFromIndex(reads, uid, helped, 2);
        assert.ok(narrow === null || narrow.count === count);
      },
    ),
    { seed: t.seed(), numRuns: t.rounds(25, 300) },
  );
});

test('many points, few of them changed: few rows are read for a count and a page', (t) => {
  const store = writtenStore(t, 2);
  const { reads, uid, spec } = store;
  const all = Array.from({ length: 2_000 }, (_, id) => ({ id, vector: [id, 1], payload: { value: id % VALUES } }));
  store.write({ kind: 'upsert', collection: 'c', points: pointBlock(all) });
  const among = indexed(store);
  store.write({ kind: 'delete', collection: 'c', ids: [1, 2, 5] });
  store.write({ kind: 'patch', collection: 'c', patches: [{ id: 4, payload: Buffer.from('{"value":1}') }] });
  store.write({ kind: 'upsert', collection: 'c', points: pointBlock([{ id: 9, vector: [1, 1], payload: { value: 3 } }]) });
  let read = 0;
  const counting = {
    ...reads,
    pointByLabel: (...args: Parameters<typeof reads.pointByLabel>) => {
      read += 1;
      return reads.pointByLabel(...args);
    },
  };
  const filter = { filter: WANTED, spec, among };
  assert.is(countFromIndex(counting, uid, filter, 100)?.count, 500 - 2 + 1 - 1);
  assert.is(read, 2, 'what changed and lives');
});

test('a damaged row that changed behind an index is no row that does not match', (t) => {
  const store = writtenStore(t, 2);
  const { path, reads, uid, spec } = store;
  const all = Array.from({ length: 20 }, (_, id) => ({ id, vector: [id, 1], payload: { value: id % VALUES } }));
  store.write({ kind: 'upsert', collection: 'c', points: pointBlock(all) });
  const among = indexed(store);
  store.write({ kind: 'patch', collection: 'c', patches: [{ id: 4, payload: Buffer.from('{"value":1}') }] });
  const db = new (loadDriver())(path);
  db.exec(`UPDATE points SET payload = x'7b7d' WHERE key % ${2 ** 31} = 4`);
  db.close();
  const filter = { filter: WANTED, spec, among };
  assert.throws(() => countFromIndex(reads, uid, filter, 100), /fails its checksum/);
  assert.throws(() => [...matching(reads, uid, filter, null, 1)], /fails its checksum/);
});

/** Puts points again as a repair does: under new labels, at the same seq. */
function correct({ store, units, reads, uid }: WrittenStore, wanting: readonly PointId[]): void {
  const { seq, digest } = reads.state();
  const { values } = runCompare<'values'>(reads, { kind: 'values', uid, ids: wanting, throughSeq: seq });
  store.begin();
  const collections = [{ uid, values: [values], surplus: [] }];
  applyCorrection(store, units.state, { seq, digest, throughSeq: seq, collections });
  units.state.flush();
  store.commit();
}

test('points that are corrected between the answer of an index and the look at the rows are not missed', (t) => {
  const store = writtenStore(t, 2);
  const { reads, uid, spec } = store;
  const all = Array.from({ length: 100 }, (_, id) => ({ id, vector: [id, 1], payload: { value: id < 5 ? 1 : 0 } }));
  store.write({ kind: 'upsert', collection: 'c', points: pointBlock(all) });
  const among = indexed(store);
  correct(store, [2, 3, 50]);
  assert.is(reads.state().seq, among.seq);
  for (const exact of [true, false]) {
    const found = [...matching(reads, uid, { filter: WANTED, spec, among: { ...among, exact } }, null)];
    assert.equal(
      found.map(({ id }) => id),
      [0, 1, 2, 3, 4],
    );
  }
});

test.run();
