/** Aliases on a running engine: they work wherever a name does, switch at once, go with their collection, and come back after a restart. */

import * as assert from 'uvu/assert';
import { resolveAlias } from '../../src/engine/alias-operations.js';
import type { RunningEngine, WriteReceipt } from '../../src/engine/engine.js';
import type { CollectionState, WriterState } from '../../src/engine/writer-state.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { FIXED } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openReader } from '../../src/storage/open-store.js';
import { openTestEngine, pointBlock, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { refusalOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/alias-operations', { deadlineMs: 60_000 });

async function open(t: TestContext, folder = t.folder()): Promise<TestEngine> {
  const opened = await openTestEngine(folder);
  t.after(() => opened.engine.stop());
  return opened;
}

const put = (alias: string, collection: string): Operation => ({ kind: 'put_alias', alias, collection });
const upsert = (collection: string, id: number, vector: readonly number[]): Operation => ({
  kind: 'upsert',
  collection,
  points: pointBlock([{ id, vector, payload: { id } }]),
});
const create = (collection: string): Operation => ({
  kind: 'create_collection',
  collection,
  spec: { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null },
});

function write(engine: RunningEngine, ...operations: readonly Operation[]): Promise<WriteReceipt> {
  return engine.write(operations, WAIT);
}

const refused = (engine: RunningEngine, ...operations: readonly Operation[]): Promise<unknown> =>
  write(engine, ...operations).then(
    () => null,
    (error: { type: string; details: unknown }) => [error.type, error.details],
  );

test('every read and every write takes an alias for its collection', async (t) => {
  const { engine, nearest } = await open(t);
  await write(engine, create('films-1'), upsert('films-1', 1, [1, 1]), put('films', 'films-1'));
  const own = engine.collection('films');
  assert.equal([own.name, own.pointsCount], ['films-1', 1]);
  assert.is(engine.findCollection('films')?.uid, own.uid);
  assert.equal(
    engine.collections().map(({ name }) => name),
    ['films-1'],
  );
  await write(engine, upsert('films', 2, [2, 2]));
  assert.equal(await nearest('films', [2, 2], 1), [{ id: 2, score: 0 }]);
  await write(engine, { kind: 'patch', collection: 'films', patches: [{ id: 1, payload: Buffer.from('{"seen":true}') }] });
  const { points } = await engine.get('films', [1], { withPayload: true, withVector: false });
  assert.is(Buffer.from(points[0]?.payload ?? []).toString(), '{"id":1,"seen":true}');
  assert.is((await engine.count('films')).count, 2);
  const page = await engine.scroll('films', { limit: 9, after: null, withPayload: false, withVector: false });
  assert.equal(
    page.points.map(({ id }) => id),
    [1, 2],
  );
  await engine.waitFor(engine.position(), 'indexed', 'films', 1_000);
  const changed = await write(engine, { kind: 'update_collection', collection: 'films', change: { efSearch: 9 } });
  assert.equal(
    changed.results.map((result) => result.kind === 'update_collection' && result.collection.name),
    ['films-1'],
  );
  const gone = await engine.deleteByFilter('films', { must: [{ kind: 'match_value', key: 'id', value: 2 }] }, WAIT);
  assert.equal(gone.results, [{ kind: 'delete', deleted: 1, units: 1 }]);
  await write(engine, { kind: 'delete', collection: 'films', ids: [1] });
  assert.is(engine.collection('films-1').pointsCount, 0);
});

test('a switch is atomic: readers see the old collection or the new one, whole, and a unit sees its own switch', async (t) => {
  const { engine } = await open(t);
  const all = (from: number): Operation => ({
    kind: 'upsert',
    collection: from === 0 ? 'old' : 'new',
    points: pointBlock(Array.from({ length: 50 }, (_, i) => ({ id: from + i, vector: [i, 1] }))),
  });
  await write(engine, create('old'), all(0), put('now', 'old'));
  await write(engine, create('new'), all(100));
  const seen = new Set<string>();
  let switched = false;
  const reader = async (): Promise<void> => {
    while (!switched || seen.size < 2) {
      const { points } = await engine.scroll('now', { limit: 100, after: null, withPayload: false, withVector: false });
      const ids = points.map(({ id }) => Number(id));
      seen.add(`${ids[0]} to ${ids.at(-1)}, ${ids.length}`);
      // A read of few rows is done at once; the commit's message must come in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const reading = reader();
  const receipt = await write(engine, upsert('now', 50, [9, 9]), put('now', 'new'), upsert('now', 150, [9, 9]));
  switched = true;
  await reading;
  assert.equal(receipt.results[1], { kind: 'put_alias', collection: 'new', previous: 'old' });
  assert.equal([...seen].sort(), ['0 to 49, 50', '100 to 150, 51'], 'never anything in between');
  assert.equal([engine.collection('old').pointsCount, engine.collection('new').pointsCount], [51, 51]);
  const { hits } = await engine.search('old', { ...SEARCH, vector: Float32Array.of(9, 9), limit: 1 });
  assert.is(hits[0]?.id, 50, 'the write before the switch waited for the index of the old collection');
});

test('who reads by an alias never meets the drop of what it stood for before', async (t) => {
  const { engine } = await open(t);
  const points = (name: string, from: number): Operation => ({
    kind: 'upsert',
    collection: name,
    points: pointBlock(Array.from({ length: 200 }, (_, i) => ({ id: from + i, vector: [i, 1] }))),
  });
  await write(engine, create('c0'), points('c0', 0), put('now', 'c0'));
  let ended = false;
  const seen = { rounds: 0, wrong: [] as unknown[] };
  const own = { withPayload: false, withVector: false };
  const filter = { must: [{ kind: 'exists', key: 'a', exists: false }] } as const;
  const reads: readonly (() => Promise<number>)[] = [
    async () => (await engine.search('now', { ...SEARCH, cache: false, vector: Float32Array.of(1, 1), limit: 200 })).hits.length,
    async () => (await engine.scroll('now', { limit: 200, after: null, ...own })).points.length,
    async () => (await engine.scroll('now', { limit: 200, after: null, ...own, filter })).points.length,
    async () => (await engine.count('now', filter)).count,
    async () => (await engine.count('now')).count,
  ];
  const reader = async (read: () => Promise<number>): Promise<void> => {
    while (!ended) {
      const found = await read().catch((error: Error) => error.message);
      if (found !== 200) seen.wrong.push([seen.rounds, found]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const reading = reads.map(reader);
  for (; seen.rounds < 12; seen.rounds++) {
    const [old, next] = [`c${seen.rounds}`, `c${seen.rounds + 1}`];
    await write(engine, create(next), points(next, 1_000 * (seen.rounds + 1)));
    await write(engine, put('now', next), { kind: 'delete_collection', collection: old });
  }
  ended = true;
  await Promise.all(reading);
  assert.equal(seen.wrong, []);
});

test('an alias of an alias is one of the collection that stands behind it then', async (t) => {
  const { engine } = await open(t);
  await write(engine, create('one'), create('two'), put('a', 'one'), put('b', 'a'));
  await write(engine, put('a', 'two'));
  assert.equal(engine.aliases(), [
    { alias: 'a', collection: 'two' },
    { alias: 'b', collection: 'one' },
  ]);
  const before = engine.position();
  const same = await write(engine, put('a', 'a'));
  assert.equal(same.results, [{ kind: 'put_alias', collection: 'two', previous: 'two' }]);
  assert.equal(engine.position(), before, 'what stands for it already is no change');
});

test('a name is a collection or an alias; what cannot be changes nothing', async (t) => {
  const { engine } = await open(t);
  await write(engine, create('c'), create('d'), put('a', 'c'));
  const before = engine.position();
  assert.equal(await refused(engine, create('a')), ['CollectionAlreadyExists', { collection: 'a', alias_of: 'c' }]);
  assert.equal(await refused(engine, put('d', 'c')), ['CollectionAlreadyExists', { collection: 'd' }]);
  assert.equal(await refused(engine, put('c', 'c')), ['CollectionAlreadyExists', { collection: 'c' }]);
  assert.equal(await refused(engine, put('x', 'absent')), [
    'CollectionNotFound',
    { collection: 'absent', available_collections: ['c', 'd'] },
  ]);
  assert.equal(await refused(engine, put('x', 'c'), { kind: 'delete_alias', alias: 'y' }), [
    'AliasNotFound',
    { alias: 'y', available_aliases: ['a', 'x'] },
  ]);
  assert.equal(await refused(engine, { kind: 'delete_alias', alias: 'c' }), [
    'AliasNotFound',
    { alias: 'c', available_aliases: ['a'] },
  ]);
  assert.equal(engine.position(), before);
  assert.equal(engine.aliases(), [{ alias: 'a', collection: 'c' }]);
  assert.throws(() => engine.collection('x'), /Collection 'x' not found/);
});

test('aliases go with their collection, and a name moves from a collection to an alias and back within one unit', async (t) => {
  const { engine, storePath } = await open(t);
  await write(engine, create('one'), create('two'), put('a', 'one'), put('b', 'one'), put('c', 'two'));
  await write(engine, { kind: 'delete_collection', collection: 'a' });
  assert.equal(engine.aliases(), [{ alias: 'c', collection: 'two' }]);
  assert.is(engine.findCollection('one'), null);
  await write(engine, create('a'), { kind: 'delete_collection', collection: 'two' }, put('two', 'a'));
  assert.equal(engine.aliases(), [{ alias: 'two', collection: 'a' }]);
  await write(engine, { kind: 'delete_alias', alias: 'two' }, create('two'), put('b', 'two'));
  assert.equal(engine.aliases(), [{ alias: 'b', collection: 'two' }]);
  const reads = openReader(storePath, TEST_CACHE);
  t.after(() => reads.close());
  checkDigests(reads);
});

test('a repeat under the same key answers as the first did, whatever the alias stands for since', async (t) => {
  const { engine } = await open(t);
  await write(engine, create('one'), create('two'));
  const idempotency = { scope: new Uint8Array(32).fill(1), body: new Uint8Array(32).fill(2) };
  const first = await engine.write([put('a', 'one')], { ...WAIT, idempotency });
  await write(engine, put('a', 'two'));
  const again = await engine.write([put('a', 'one')], { ...WAIT, idempotency });
  assert.equal([again.results, again.seq, again.repeated], [first.results, first.seq, true]);
  assert.equal(engine.aliases(), [{ alias: 'a', collection: 'two' }]);
});

test('aliases are there after a restart', async (t) => {
  const folder = t.folder();
  const first = await openTestEngine(folder);
  await write(first.engine, create('one'), upsert('one', 1, [1, 1]), put('a', 'one'), put('b', 'one'));
  await write(first.engine, { kind: 'delete_alias', alias: 'b' });
  await first.engine.stop();
  const { engine, nearest } = await open(t, folder);
  assert.equal(engine.aliases(), [{ alias: 'a', collection: 'one' }]);
  assert.equal(await nearest('a', [1, 1], 1), [{ id: 1, score: 0 }]);
  await write(engine, create('two'), put('a', 'two'));
  assert.is(engine.collection('a').name, 'two');
});

test('there are at most so many; a full house still switches and removes', () => {
  const collection = { uid: 1, name: 'c' } as CollectionState;
  const state: Pick<WriterState, 'aliases' | 'byName' | 'byUid' | 'resolve' | 'collectionNames'> = {
    aliases: new Map(Array.from({ length: FIXED.aliasesMax }, (_, i) => [`alias-${i}`, 2])),
    byName: () => undefined,
    byUid: () => collection,
    resolve: () => collection,
    collectionNames: () => ['c'],
  };
  const resolve = (operation: Extract<Operation, { alias: string }>) => resolveAlias(operation, state);
  const refusal = refusalOf(() => resolve({ kind: 'put_alias', alias: 'one-more', collection: 'c' }));
  assert.equal([refusal.type, refusal.details], ['Overloaded', { reason: 'aliases_max', limit: FIXED.aliasesMax }]);
  const { effects } = resolve({ kind: 'put_alias', alias: 'alias-5', collection: 'c' });
  assert.equal(effects, [{ kind: 'put_alias', name: 'alias-5', uid: 1 }]);
  assert.is(resolve({ kind: 'delete_alias', alias: 'alias-5' }).effects.length, 1);
});

test.run();
