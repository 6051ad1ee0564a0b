/** The write path against a plain model: random units over collections, with refusals and batches, on a real store.
 *  After every group the rows, counts, versions and digests equal the model; a refused unit leaves no trace and takes no seq;
 *  applying the log to an empty store gives the same digest. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { chainHash } from '../../src/codec/digest.js';
import { decodeEntry } from '../../src/codec/entry.js';
import { Applier } from '../../src/engine/applier.js';
import { Catalogue } from '../../src/engine/catalogue.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { WriterState } from '../../src/engine/writer-state.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { SkeinError } from '../../src/model/errors.js';
import { DEFAULT_LIMITS, FIXED } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import type { PointBlock, PointId } from '../../src/model/point.js';
import { loadDriver } from '../../src/storage/driver.js';
import { openWriter } from '../../src/storage/open-store.js';
import type { StoreReads, StoreWriter } from '../../src/storage/storage.js';
import { checkDigests, newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';

const test = suite('engine/unit-writer', { deadlineMs: 120_000 });
const NAMES = ['a', 'b', 'c'];
const DIGEST_PAGES = FIXED.digestBuckets / FIXED.digestBucketsPerPage;

interface Row {
  readonly id: PointId;
  readonly vector?: number;
  readonly payload?: object;
  readonly ifVersion?: number;
  readonly ttl?: number;
}

function block(rows: readonly Row[], dimension = 2): PointBlock {
  const payloads = rows.map(({ payload }) => Buffer.from(payload === undefined ? '' : JSON.stringify(payload)));
  let end = 0;
  return {
    ids: rows.map(({ id }) => id),
    dimension,
    vectors: new Float32Array(rows.flatMap(({ vector = 0 }) => Array.from({ length: dimension }, () => vector))),
    payloadBytes: Buffer.concat(payloads),
    payloadEnds: Uint32Array.from(payloads, ({ length }) => (end += length)),
    ifVersions: Float64Array.from(rows, ({ ifVersion }) => ifVersion ?? Number.NaN),
    expiresAt: Float64Array.from(rows, ({ ttl }) => ttl ?? Number.NaN),
  };
}

const create = (collection: string, ttlMs: number | null = null): Operation => ({
  kind: 'create_collection',
  collection,
  spec: { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs },
});

const id: fc.Arbitrary<PointId> = fc.oneof(fc.nat(7), fc.constantFrom('x', 'y', '7', 'zé'));
const name = fc.constantFrom(...NAMES);
/** The name of a collection too, at times; and where a collection is named, an alias may stand. */
const alias = fc.constantFrom('now', 'then', NAMES[0] as string);
const named = fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: alias });
const payload = fc.record({ p: fc.nat(3) }, { requiredKeys: [], noNullPrototype: true });
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 5 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: named.map((collection) => create(collection)) },
  { weight: 2, arbitrary: named.map((collection): Operation => ({ kind: 'delete_collection', collection })) },
  {
    weight: 4,
    arbitrary: fc.tuple(alias, named).map(([each, collection]): Operation => ({ kind: 'put_alias', alias: each, collection })),
  },
  { weight: 2, arbitrary: alias.map((each): Operation => ({ kind: 'delete_alias', alias: each })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(named, fc.nat(9))
      .map(([collection, efSearch]): Operation => ({ kind: 'update_collection', collection, change: { efSearch } })),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(named, ids, fc.nat(3), payload, fc.option(fc.nat(4)), fc.constantFrom(2, 2, 2, 2, 3)).map(
      ([collection, points, vector, data, ifVersion, dimension]): Operation => ({
        kind: 'upsert',
        collection,
        points: block(
          points.map((point) => ({ id: point, vector, payload: data, ...(ifVersion === null ? {} : { ifVersion }) })),
          dimension,
        ),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(named, ids, fc.option(fc.nat(3)), fc.option(payload)).map(
      ([collection, points, vector, data]): Operation => ({
        kind: 'patch',
        collection,
        patches: points.map((point) => ({
          id: point,
          ...(vector === null ? {} : { vector: new Float32Array([vector, vector]) }),
          ...(data === null ? {} : { payload: Buffer.from(JSON.stringify(data)) }),
        })),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(named, ids).map(([collection, points]): Operation => ({ kind: 'delete', collection, ids: points })),
  },
);

type Points = Map<string, { vector: number; payload: Record<string, unknown> }>;
interface Model {
  readonly collections: Map<string, Points>;
  readonly aliases: Map<string, string>;
}

/** What a unit should do: the new model, or null when it must be refused. */
function model(before: Model, operations: readonly Operation[]): Model | null {
  const collections = new Map([...before.collections].map(([key, points]) => [key, new Map(points)]));
  const aliases = new Map(before.aliases);
  for (const each of operations) {
    if (each.kind === 'delete_alias') {
      if (!aliases.delete(each.alias)) return null;
      continue;
    }
    const own = aliases.get(each.collection) ?? each.collection;
    const points = collections.get(own);
    if (each.kind === 'create_collection') {
      if (points !== undefined || aliases.has(each.collection)) return null;
      collections.set(own, new Map());
      continue;
    }
    if (points === undefined) return null;
    if (each.kind === 'put_alias') {
      if (collections.has(each.alias)) return null;
      aliases.set(each.alias, own);
    }
    if (each.kind === 'delete_collection') {
      collections.delete(own);
      for (const [key, to] of aliases) if (to === own) aliases.delete(key);
    }
    if (each.kind === 'delete') for (const point of each.ids) points.delete(JSON.stringify(point));
    if (each.kind === 'upsert') {
      if (each.points.dimension !== 2) return null;
      for (let i = 0; i < each.points.ids.length; i++) {
        const key = JSON.stringify(each.points.ids[i]);
        const wanted = each.points.ifVersions?.[i] ?? Number.NaN;
        // The model knows no versions: 0 means absent; any other small number never matches by accident below.
        if (!Number.isNaN(wanted) && (wanted === 0) === points.has(key)) return null;
        if (!Number.isNaN(wanted) && wanted !== 0) return null;
        const end = each.points.payloadEnds[i] as number;
        const start = i === 0 ? 0 : (each.points.payloadEnds[i - 1] as number);
        const text = Buffer.from(each.points.payloadBytes.subarray(start, end)).toString() || '{}';
        points.set(key, { vector: each.points.vectors[2 * i] as number, payload: JSON.parse(text) });
      }
    }
    if (each.kind === 'patch') {
      for (const patch of each.patches) {
        const key = JSON.stringify(patch.id);
        const point = points.get(key);
        if (point === undefined) return null;
        const change = patch.payload === undefined ? {} : JSON.parse(Buffer.from(patch.payload).toString());
        points.set(key, { vector: patch.vector?.[0] ?? point.vector, payload: { ...point.payload, ...change } });
      }
    }
  }
  return { collections, aliases };
}

function stored(reads: StoreReads): Model {
  const collections = new Map<string, Points>();
  const byUid = new Map<number, string>();
  for (const { uid, name: collection } of reads.collections()) {
    byUid.set(uid, collection);
    const points = new Map();
    for (const row of reads.pointsAfter(uid, null, 1_000, 1e9)) {
      const vectorSet = Buffer.from(reads.vectorSet(uid, row.label) as Uint8Array);
      points.set(JSON.stringify(row.id), {
        vector: vectorSet.readFloatLE(12),
        payload: JSON.parse(Buffer.from(row.payload).toString() || '{}'),
      });
    }
    collections.set(collection, points);
  }
  const aliases = new Map(reads.aliases().map((each) => [each.name, byUid.get(each.uid) ?? 'none']));
  return { collections, aliases };
}

const sorted = ({ collections, aliases }: Model): unknown => [
  [...collections].map(([key, points]) => [key, [...points].sort()]).sort(),
  [...aliases].sort(),
];

/** Versions in the thousands, so that a small if_version never matches one by accident. */
function skipSeqs(units: UnitWriter, store: StoreWriter): void {
  store.begin();
  for (let i = 0; i < 10; i++) {
    units.run({ operations: [create('skipped')] }, 1);
    units.run({ operations: [{ kind: 'delete_collection', collection: 'skipped' }] }, 1);
  }
  units.state.flush();
  store.commit();
}

function replayed(log: StoreReads, folder: string): { digest: string; chain: string } {
  const store = openWriter(newStorePath(folder), TEST_CACHE);
  const state = new WriterState(store);
  const applier = new Applier(store, state);
  store.begin();
  for (const { seq, entry } of log.logFrom(1, 1_000_000, 1e9)) {
    const { effect, epoch, timeMs, last, digest } = decodeEntry(entry);
    applier.apply(effect, { seq, epoch, timeMs });
    state.advance(seq, chainHash(state.state.chainHash, entry), entry.length);
    if (last)
      assert.is(
        state.digest.toBytes().toString('hex'),
        Buffer.from(digest as Uint8Array).toString('hex'),
        `the digest carried by unit end ${seq}`,
      );
  }
  state.flush();
  store.commit();
  checkDigests(store);
  const result = { digest: hex(store.state().digest), chain: hex(store.state().chainHash) };
  store.close();
  return result;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('random groups of units equal the model, refusals leave no trace, and the log replays to the same digest', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }), {
        maxLength: 20,
        size: 'max',
      }),
      (groups) => {
        const store = openWriter(newStorePath(t.folder()), TEST_CACHE);
        const units = new UnitWriter(store, DEFAULT_LIMITS);
        skipSeqs(units, store);
        const catalogue = new Catalogue();
        let expected: Model = { collections: new Map(), aliases: new Map() };
        for (const group of groups) {
          store.begin();
          for (const operations of group) {
            const next = model(expected, operations);
            const seqBefore = units.state.state.seq;
            try {
              units.run({ operations }, 1_000);
              assert.ok(next !== null, 'the model refuses what was accepted');
              expected = next as Model;
            } catch (error) {
              if (!(error instanceof SkeinError)) throw error;
              assert.ok(next === null, `the model accepts what was refused: ${error.message}`);
              assert.is(units.state.state.seq, seqBefore);
            }
          }
          for (const row of units.state.flush()) catalogue.take(row, 0);
          catalogue.takeAliases(units.state.takeAliases());
          store.commit();
          assert.equal(sorted(stored(store)), sorted(expected));
          const told = catalogue.aliases().map(({ alias: key, collection }): [string, string] => [key, collection]);
          assert.equal(told, [...expected.aliases].sort());
          checkDigests(store);
        }
        const here = { digest: hex(store.state().digest), chain: hex(store.state().chainHash) };
        assert.equal(replayed(store, t.folder()), here);
        store.close();
      },
    ),
    { numRuns: 25 },
  );
});

test('a key is remembered with the unit: a repeat answers as the first did, another body conflicts', (t) => {
  const store = openWriter(newStorePath(t.folder()), TEST_CACHE);
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  const idempotency = { scope: new Uint8Array(32).fill(1), body: new Uint8Array(32).fill(2) };
  const request = {
    operations: [create('a'), { kind: 'upsert', collection: 'a', points: block([{ id: 1 }]) } as const],
    idempotency,
  };
  store.begin();
  const first = units.run(request, 1_000);
  const repeat = units.run(request, 2_000);
  assert.equal({ ...repeat, uids: first.uids, repeated: false }, first);
  assert.ok(repeat.repeated);
  assert.throws(
    () => units.run({ ...request, idempotency: { ...idempotency, body: new Uint8Array(32) } }, 2_000),
    /another request/,
  );
  const empty = {
    operations: [{ kind: 'delete', collection: 'a', ids: ['absent'] } as const],
    idempotency: { ...idempotency, scope: new Uint8Array(32) },
  };
  const nothing = units.run(empty, 3_000);
  assert.is(nothing.seq, first.seq + 1, 'a write without effect is logged so that it is remembered');
  assert.is(units.run(empty, 3_000).seq, nothing.seq);
  units.state.flush();
  store.commit();
});

test('a payload-only change keeps the label, a changed vector takes a new one, and expiry deletes what is due', (t) => {
  const store = openWriter(newStorePath(t.folder()), TEST_CACHE);
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  store.begin();
  units.run({ operations: [create('a', 500)] }, 1_000);
  const put = (rows: Row[]): number =>
    units.run({ operations: [{ kind: 'upsert', collection: 'a', points: block(rows) }] }, 1_000).seq;
  put([{ id: 1, vector: 1 }]);
  const changed = put([{ id: 1, vector: 1, payload: { x: 1 } }]);
  assert.is(store.pointById(1, 1)?.label, 0);
  assert.is(store.pointById(1, 1)?.version, changed);
  put([{ id: 1, vector: 2 }]);
  assert.is(store.pointById(1, 1)?.label, 1);
  assert.is(store.pointById(1, 1)?.prevLabel, 0);
  put([{ id: 2, ttl: 9_000 }]);
  units.state.flush();
  store.commit();
  store.begin();
  assert.equal(units.sweepExpired(1_499), { deleted: 0, more: false, refused: [] });
  assert.equal(units.sweepExpired(1_500), { deleted: 1, more: false, refused: [] });
  assert.is(store.pointById(1, 1), undefined);
  assert.ok(store.pointById(1, 2));
  units.state.flush();
  store.commit();
  checkDigests(store);
});

for (const [what, damage] of [
  ['point row', 'UPDATE points SET label_seq = label_seq + 1 WHERE key % 2147483648 = 1'],
  ['payload', "UPDATE points SET payload = X'78' WHERE key % 2147483648 = 1"],
  ['vector row', 'UPDATE vectors SET crc = crc + 1 WHERE key % 2147483648 = 1'],
] as const) {
  test(`a damaged ${what} of a point whose time has come does not keep the others from expiring`, (t) => {
    const path = newStorePath(t.folder());
    const store = openWriter(path, TEST_CACHE);
    t.after(() => store.close());
    const units = new UnitWriter(store, DEFAULT_LIMITS);
    const points = block([1, 2, 3].map((id) => ({ id, ttl: id })));
    store.begin();
    units.run({ operations: [create('a'), { kind: 'upsert', collection: 'a', points }] }, 1);
    units.state.flush();
    store.commit();
    const other = new (loadDriver())(path);
    other.exec(damage);
    other.close();
    store.begin();
    assert.is(units.sweepExpired(10).deleted, 2);
    units.state.flush();
    store.commit();
    assert.equal([store.pointById(1, 1), store.pointById(1, 3)], [undefined, undefined]);
    assert.is(store.collection(1)?.pointsCount, 1);
  });
}

test('a damaged page of digests keeps the points of its own collection from expiring, and is told', (t) => {
  const path = newStorePath(t.folder());
  const store = openWriter(path, TEST_CACHE);
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  store.begin();
  for (const [i, collection] of NAMES.entries()) {
    const upsert = { kind: 'upsert', collection, points: block([{ id: 1, ttl: i + 1 }]) } as const;
    units.run({ operations: [create(collection), upsert] }, 1);
  }
  units.state.flush();
  store.commit();
  const other = new (loadDriver())(path);
  const { changes } = other.prepare(`UPDATE digest_pages SET crc = crc + 1 WHERE key / ${DIGEST_PAGES} IN (1, 3)`).run();
  other.close();
  assert.is(changes, 2);
  units.reload();
  store.begin();
  const { deleted, more, refused } = units.sweepExpired(10);
  assert.equal([deleted, more], [1, false]);
  assert.equal(
    refused.map(({ type, details }) => [type, details['table'], details['collection_uid']]),
    [1, 3].map((uid) => ['CorruptData', 'digest_pages', uid]),
  );
  units.state.flush();
  store.commit();
  assert.equal(
    [1, 2, 3].map((uid) => store.collection(uid)?.pointsCount),
    [1, 0, 1],
  );
});

test('a unit that changes much begins its transaction or leaves no trace; a refused beginner leaves none either', (t) => {
  const store = openWriter(newStorePath(t.folder()), TEST_CACHE);
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  const long = 'x'.repeat(1_000_000);
  const run = (operations: readonly Operation[], first: boolean): unknown => units.run({ operations }, 1_000, first).results;
  const put = (ids: readonly number[], ttl?: number): Operation => {
    const rows = ids.map((id): Row => ({ id, payload: { long }, ...(ttl === undefined ? {} : { ttl }) }));
    return { kind: 'upsert', collection: 'a', points: block(rows) };
  };
  const ids = Array.from({ length: 40 }, (_, i) => i);
  const remove: Operation = { kind: 'delete', collection: 'a', ids };
  const isTooMuch = (error: Error): boolean => error.name === 'TooMuchToUndo';
  store.begin();
  run([create('a')], true);
  run([put(ids)], false);
  units.state.flush();
  store.commit();
  store.begin();
  assert.throws(
    () => run([put([1]), { ...remove, collection: 'absent' }], true),
    (error: Error) => error.name === 'CollectionNotFound',
  );
  run([put([100])], true);
  const { seq } = units.state.state;
  assert.throws(() => run([remove], false), isTooMuch);
  assert.throws(() => run([put(ids)], false), isTooMuch);
  assert.is(units.state.state.seq, seq);
  units.state.flush();
  store.commit();
  checkDigests(store);
  assert.is(store.state().seq, seq);
  store.begin();
  assert.equal(run([remove], true), [{ kind: 'delete', deleted: 40 }]);
  run([create('b')], false);
  units.state.flush();
  store.commit();
  checkDigests(store);
  assert.is(store.pointById(1, 1), undefined);
});

test.run();
