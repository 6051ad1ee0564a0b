/** A replica against its master: whatever is written on one engine, its log applied on another leaves the same rows, labels, digests,
 *  remembered keys, lineage, voters, aliases and access keys, however the log is cut into batches and wherever the replica is started anew. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { KeyOperation, RunningEngine } from '../../src/engine/engine.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Operation } from '../../src/model/operation.js';
import type { PointId } from '../../src/model/point.js';
import { openReader } from '../../src/storage/open-store.js';
import { anyAccessKey } from '../support/any-access-key.js';
import { assertSameContent, follow, logOf } from '../support/follow-log.js';
import { openTestEngine, pointBlock } from '../support/open-test-engine.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/replica-model', { deadlineMs: 120_000 });
const OPTIONS = { wait: 'durable', timeoutMs: 20_000 } as const;

/** A collection's name, or an alias. */
const collection = fc.constantFrom('a', 'b', 'c', 'a', 'b', 'c', 'now');
const alias = fc.constantFrom('now', 'now', 'then', 'c');
const ids = fc.uniqueArray(fc.oneof(fc.nat(9), fc.constantFrom('x', 'y', '7', 'zé')), { minLength: 1, maxLength: 6 });
const payload = fc.record({ p: fc.nat(3), q: fc.constantFrom('a', 'ü') }, { requiredKeys: [], noNullPrototype: true });
/** Most never expire; some have when they are written. */
const expiresAt = fc.oneof({ weight: 5, arbitrary: fc.constant(Number.NaN) }, fc.constantFrom(1, 4e12));

function upsert(name: string, points: readonly PointId[], value: number, data: object, expires: number): Operation {
  const block = pointBlock(points.map((id) => ({ id, vector: [value, 1], payload: data })));
  return { kind: 'upsert', collection: name, points: { ...block, expiresAt: new Float64Array(points.length).fill(expires) } };
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(collection, fc.constantFrom(null, null, 1)).map(
      ([name, ttlMs]): Operation => ({
        kind: 'create_collection',
        collection: name,
        spec: { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs },
      }),
    ),
  },
  { weight: 1, arbitrary: collection.map((name): Operation => ({ kind: 'delete_collection', collection: name })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(alias, collection)
      .map(([each, name]): Operation => ({ kind: 'put_alias', alias: each, collection: name })),
  },
  { weight: 1, arbitrary: alias.map((each): Operation => ({ kind: 'delete_alias', alias: each })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(collection, fc.integer({ min: 1, max: 99 }))
      .map(([name, efSearch]): Operation => ({ kind: 'update_collection', collection: name, change: { efSearch } })),
  },
  { weight: 9, arbitrary: fc.tuple(collection, ids, fc.nat(3), payload, expiresAt).map((given) => upsert(...given)) },
  {
    weight: 3,
    arbitrary: fc.tuple(collection, ids, fc.option(fc.nat(3)), payload).map(
      ([name, points, value, data]): Operation => ({
        kind: 'patch',
        collection: name,
        patches: points.map((id) => ({
          id,
          payload: Buffer.from(JSON.stringify(data)),
          ...(value === null ? {} : { vector: Float32Array.of(value, 2) }),
        })),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(collection, ids).map(([name, points]): Operation => ({ kind: 'delete', collection: name, ids: points })),
  },
);

const keyId = fc.constantFrom('a'.repeat(16), 'b'.repeat(16));
const keyOperation: fc.Arbitrary<KeyOperation> = fc.oneof(
  fc
    .tuple(anyAccessKey, keyId)
    .map(([key, own]): KeyOperation => ({ kind: 'create_key', key: { ...key, id: own }, keepsAdmin: false })),
  keyId.map((own): KeyOperation => ({ kind: 'rotate_key', id: own, hash: new Uint8Array(32), graceMs: 5 })),
  keyId.map((own): KeyOperation => ({ kind: 'delete_key', id: own, keepsAdmin: false })),
);

const hexId = fc.nat(4).map((digit) => String(digit).repeat(32));
type Step =
  | { readonly kind: 'unit'; readonly operations: readonly Operation[]; readonly key: number | null }
  | { readonly kind: 'by_filter'; readonly collection: string }
  | { readonly kind: 'voters'; readonly nodeIds: readonly string[]; readonly port: number }
  | { readonly kind: 'remove_voter'; readonly nodeId: string }
  | { readonly kind: 'history'; readonly digit: number }
  | { readonly kind: 'key'; readonly operation: KeyOperation };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('unit' as const),
      operations: fc.array(operation, { minLength: 1, maxLength: 3 }),
      key: fc.option(fc.nat(5)),
    }),
  },
  fc.record({ kind: fc.constant('by_filter' as const), collection }),
  fc.record({
    kind: fc.constant('voters' as const),
    nodeIds: fc.array(hexId, { minLength: 1, maxLength: 3 }),
    port: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ kind: fc.constant('remove_voter' as const), nodeId: hexId }),
  fc.record({ kind: fc.constant('history' as const), digit: fc.nat(9) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('key' as const), operation: keyOperation }) },
);

/** What chance seldom brings about: an alias that is there is deleted. */
const RARE: readonly Step[] = [
  {
    kind: 'create_collection' as const,
    collection: 'rare',
    spec: { dimension: 2, distance: 'euclid' as const, hnsw: DEFAULT_HNSW, ttlMs: null },
  },
  { kind: 'put_alias' as const, alias: 'seldom', collection: 'rare' },
  { kind: 'delete_alias' as const, alias: 'seldom' },
].map((one) => ({ kind: 'unit', key: null, operations: [one] }));

async function run(engine: RunningEngine, given: Step): Promise<unknown> {
  const { log } = engine;
  switch (given.kind) {
    case 'unit': {
      const { key, operations } = given;
      const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
      const idempotency = key === null ? {} : { idempotency: { scope: hash(key), body: hash(key % 2) } };
      return engine.write(operations, { ...OPTIONS, ...idempotency });
    }
    case 'by_filter':
      return engine.deleteByFilter(given.collection, { must: [{ kind: 'match_value', key: 'q', value: 'ü' }] }, OPTIONS);
    case 'voters':
      return log.registerVoters(given.nodeIds.map((nodeId) => ({ nodeId, host: `host-${nodeId[0]}`, port: given.port })));
    case 'remove_voter':
      return log.removeVoter(given.nodeId);
    case 'history': {
      const { epoch, nodeId } = log.state();
      return log.beginHistory({ historyId: `${given.digit}a`.repeat(16), epoch: epoch + 1 + given.digit, nodeId });
    }
    case 'key':
      return engine.keys.write(given.operation);
  }
}

test('the log of random writes, in random cuts and over restarts, leaves what its master has', async (t) => {
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(99), { maxLength: 2 }),
      async (steps, cuts, restarts) => {
        const master = await openTestEngine(t.folder());
        for (const each of [...steps, ...RARE]) {
          try {
            await run(master.engine, each);
          } catch (error) {
            if (!(error instanceof SkeinError)) throw error;
          }
        }
        await master.engine.stop();
        const rows = logOf(master.storePath);
        const folder = t.folder();
        const ends = restarts.map((percent) => Math.floor((rows.length * percent) / 100)).sort((a, b) => a - b);
        for (const end of [...ends, rows.length]) {
          const replica = await openTestEngine(folder, {}, 'replica');
          const { seq } = replica.engine.log.state();
          // Where it is stopped in the middle of a unit, it goes on at the unit's start.
          await follow(replica.engine, rows.slice(seq, end), cuts);
          if (end === rows.length) assert.is(replica.engine.log.state().seq, rows.length);
          await replica.engine.stop();
          if (end === rows.length) assertSameContent(master.storePath, replica.storePath);
          const reads = openReader(replica.storePath, TEST_CACHE);
          checkDigests(reads);
          reads.close();
        }
        for (const { entry } of rows) kinds.add(String(entry[1]));
      },
    ),
    { numRuns: t.rounds(4, 12), seed: t.seed(), endOnFailure: true },
  );
  assert.equal(
    ['2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14'].filter((kind) => !kinds.has(kind)),
    [],
    'every kind of entry was seen',
  );
});

test('points expire on the master only; its deletes take them from the replica', async (t) => {
  const master = await openTestEngine(t.folder());
  t.after(() => master.engine.stop());
  const replica = await openTestEngine(t.folder(), {}, 'replica');
  t.after(() => replica.engine.stop());
  await master.create('a', 2);
  const written = await master.engine.write([upsert('a', [1, 2, 3], 1, {}, Date.now() + 300)], OPTIONS);
  await follow(replica.engine, logOf(master.storePath).slice(0, written.seq), [1]);
  await waitUntil(() => master.engine.log.state().seq > written.seq, { what: 'the sweep on the master' });
  assert.is((await replica.engine.count('a')).count, 3);
  await follow(replica.engine, logOf(master.storePath).slice(written.seq), [1]);
  assert.is((await replica.engine.count('a')).count, 0);
});

test.run();
