/** A replica against its master without a network: exactly the points that differ are found, and after a repair nothing differs, whatever
 *  the master has written meanwhile. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { decodeEntry } from '../../src/codec/entry.js';
import type { RunningEngine } from '../../src/engine/engine.js';
import { SkeinError } from '../../src/model/errors.js';
import { comparePointIds, type PointId } from '../../src/model/point.js';
import { type Ask, answerComparison } from '../../src/replication/comparison-asks.js';
import { type Verified, verifyReplica } from '../../src/replication/verify-replica.js';
import { openReader } from '../../src/storage/open-store.js';
import type { LogRow } from '../../src/storage/storage.js';
import { makeDroppingReplica } from '../support/dropping-replica.js';
import { batchOf, follow, logOf, refusal } from '../support/follow-log.js';
import { openTestEngine, type TestEngine, type TestPoint } from '../support/open-test-engine.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('replication/verify-replica', { deadlineMs: 120_000 });

type Row = { readonly id: PointId; readonly hash: string };

function hashesOf(storePath: string, name: string): Map<PointId, string> {
  const reads = openReader(storePath, TEST_CACHE);
  try {
    const uid = reads.collections().find((row) => row.name === name)?.uid ?? -1;
    const rows: Row[] = reads
      .headsAfter(uid, null, 1_000_000)
      .map(({ id, contentHash }) => ({ id, hash: Buffer.from(contentHash).toString('hex') }));
    return new Map(rows.map(({ id, hash }) => [id, hash]));
  } finally {
    reads.close();
  }
}

function touchedBy(rows: readonly LogRow[]): Set<PointId> {
  const ids = new Set<PointId>();
  for (const { entry } of rows) {
    const { effect } = decodeEntry(entry);
    if (effect.kind === 'put_points') for (const { id } of effect.points) ids.add(id);
    if (effect.kind === 'delete_points') for (const id of effect.ids) ids.add(id);
  }
  return ids;
}

function verify(replica: RunningEngine, master: RunningEngine, repair: boolean, ask?: Ask): Promise<Verified> {
  const direct: Ask = (method, parameters) => answerComparison(master, method, JSON.parse(JSON.stringify(parameters)));
  return verifyReplica({ engine: replica, ask: ask ?? direct, standStill: () => {} }, repair);
}

const sorted = (ids: Iterable<PointId>): string[] => [...ids].map((id) => JSON.stringify(id)).sort();
const id = fc.oneof(fc.nat(30), fc.constantFrom('x', '7', 'zé'));
const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 5 }),
      value: fc.nat(5),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('remove' as const),
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 5 }),
      value: fc.constant(0),
    }),
  },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function pointsOf({ ids, value }: Change): TestPoint[] {
  return ids.map((one) => ({ id: one, vector: [value, 1], payload: { value } }));
}

async function write(master: TestEngine, changes: readonly Change[]): Promise<void> {
  for (const each of changes) {
    if (each.kind === 'put') await master.put('a', pointsOf(each));
    else await master.remove('a', each.ids);
  }
}

/** Points of one score stand in the order of their labels, and a repair gives labels of its own. */
function inOrder(hits: readonly { readonly id: PointId; readonly score: number }[]): unknown {
  return [...hits].sort((a, b) => a.score - b.score || comparePointIds(a.id, b.id));
}

test('random lost changes: exactly those that the log does not bring are named, and a repair leaves what the master has', async (t) => {
  const seen = { differing: 0, tolerant: 0, touched: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 5, maxLength: 40 }),
      fc.array(change, { maxLength: 15 }),
      fc.infiniteStream(fc.nat(9)),
      async (before, behind, lots) => {
        const master = await openTestEngine(t.folder());
        await master.create('a', 2);
        await master.create('quiet', 2);
        await write(master, before);
        const { seq } = master.engine.log.state();
        const whole = t.folder();
        makeDroppingReplica(whole, logOf(master.storePath), () => false);
        await write(master, behind);
        const log = logOf(master.storePath);
        const folder = t.folder();
        makeDroppingReplica(folder, log.slice(0, seq), () => lots.next().value < 2);
        const replica = await openTestEngine(folder, {}, 'replica');

        const touched = touchedBy(log.slice(seq));
        const [expected, own] = [hashesOf(`${whole}/store-1/skein.db`, 'a'), hashesOf(replica.storePath, 'a')];
        const apart = [...new Set([...expected.keys(), ...own.keys()])].filter((one) => expected.get(one) !== own.get(one));
        const named = apart.filter((one) => !touched.has(one));
        const { digest } = replica.engine.log.state();

        const found = await verify(replica.engine, master.engine, false);
        assert.is(found.equal, apart.length === 0);
        assert.equal(sorted(found.differing.flatMap(({ points }) => points)), sorted(named));
        assert.equal(replica.engine.log.state().digest, digest, 'a verification changes nothing');

        const repaired = await verify(replica.engine, master.engine, true);
        assert.is(repaired.repaired, named.length);
        assert.equal(repaired.differing, found.differing);
        assert.is(replica.engine.log.state().seq, seq, 'a repair takes no seq');
        await follow(replica.engine, log.slice(seq), [3]);
        assert.equal(replica.engine.log.state().digest, master.engine.log.state().digest);
        assert.equal(hashesOf(replica.storePath, 'a'), hashesOf(master.storePath, 'a'));
        assert.is((await verify(replica.engine, master.engine, true)).equal, true, 'nothing is left');
        await replica.engine.waitFor(replica.engine.position(), 'indexed', 'a', 10_000);
        for (const exact of [false, true]) {
          const nearest = async (node: typeof master): Promise<unknown> => inOrder(await node.nearest('a', [1, 1], 50, exact));
          assert.equal(await nearest(replica), await nearest(master));
        }
        const reads = openReader(replica.storePath, TEST_CACHE);
        checkDigests(reads);
        reads.close();
        await master.engine.stop();
        await replica.engine.stop();
        seen.differing += named.length;
        seen.touched += apart.length - named.length;
        if (apart.length > named.length) seen.tolerant += 1;
      },
    ),
    // A run takes a second: nobody waits for smaller examples, and the seed repeats it.
    { numRuns: t.rounds(4, 10), seed: t.seed(), endOnFailure: true },
  );
  assert.ok(seen.differing > 0 && seen.touched > 0 && seen.tolerant > 0, JSON.stringify(seen));
});

/** A master with points 1 … count in 'a', and a replica that lost the changes numbered in `lost` (from 1). */
async function apart(
  t: TestContext,
  count: number,
  lost: readonly number[],
  idOf: (number: number) => PointId = (number) => number,
): Promise<{ master: TestEngine; replica: TestEngine; folder: string }> {
  const master = await openTestEngine(t.folder());
  t.after(() => master.engine.stop());
  await master.create('a', 2);
  for (let first = 1; first <= count; first += 1_000) {
    const points = Array.from({ length: Math.min(1_000, count - first + 1) }, (_, i) => ({
      id: idOf(first + i),
      vector: [first + i, 1],
      payload: {},
    }));
    await master.put('a', points);
  }
  const folder = t.folder();
  let number = 0;
  makeDroppingReplica(folder, logOf(master.storePath), () => lost.includes(++number));
  const replica = await openTestEngine(folder, {}, 'replica');
  t.after(() => replica.engine.stop());
  return { master, replica, folder };
}

test('a search shows a repaired point as soon as the repair is answered, and a removed one no more', async (t) => {
  const { master, replica } = await apart(t, 3, []);
  await master.remove('a', [3]);
  await master.put('a', [
    { id: 2, vector: [50, 1], payload: {} },
    { id: 4, vector: [90, 1], payload: {} },
  ]);
  const folder = t.folder();
  let number = 0;
  makeDroppingReplica(folder, logOf(master.storePath), () => ++number > 3);
  await replica.engine.stop();
  const late = await openTestEngine(folder, {}, 'replica');
  t.after(() => late.engine.stop());
  assert.equal(
    (await late.nearest('a', [90, 1], 9)).map((hit) => hit.id),
    [3, 2, 1],
  );
  const { differing } = await verify(late.engine, master.engine, true);
  assert.equal(sorted(differing[0]?.points ?? []), ['2', '3', '4']);
  assert.equal(
    (await late.nearest('a', [90, 1], 9)).map((hit) => hit.id),
    [4, 2, 1],
  );
});

test('a payload that was mended under right vectors stands under a new label, where every index looks', async (t) => {
  const master = await openTestEngine(t.folder());
  t.after(() => master.engine.stop());
  await master.create('a', 2);
  for (const payload of [{}, { late: true }]) await master.put('a', [{ id: 1, vector: [1, 1], payload }]);
  const folder = t.folder();
  let number = 0;
  makeDroppingReplica(folder, logOf(master.storePath), () => ++number === 2);
  const replica = await openTestEngine(folder, {}, 'replica');
  t.after(() => replica.engine.stop());
  const reads = openReader(replica.storePath, TEST_CACHE);
  t.after(() => reads.close());
  assert.is(reads.headById(1, 1)?.label, 0);
  assert.is((await verify(replica.engine, master.engine, true)).repaired, 1);
  const { label, version, labelSeq, prevLabel } = reads.headById(1, 1) ?? {};
  assert.equal([label, version, labelSeq, prevLabel], [1, 3, 3, 0]);
  assert.equal(reads.changedBetween(1, 0, 9, 9, 1e9).rows, [], 'it is no change of a label that is known');
  assert.equal(await replica.nearest('a', [1, 1], 9), [{ id: 1, score: 0 }]);
  checkDigests(reads);
});

test('a lost alias is found, names no point, and is mended by no repair of points', async (t) => {
  const master = await openTestEngine(t.folder());
  t.after(() => master.engine.stop());
  await master.create('a', 2);
  await master.engine.write([{ kind: 'put_alias', alias: 'now', collection: 'a' }], { wait: 'durable', timeoutMs: 9_000 });
  const folder = t.folder();
  makeDroppingReplica(folder, logOf(master.storePath), () => true);
  const replica = await openTestEngine(folder, {}, 'replica');
  t.after(() => replica.engine.stop());
  const found = await verify(replica.engine, master.engine, false);
  assert.equal([found.equal, found.differing], [false, []]);
  const refused = await rejectionOf(verify(replica.engine, master.engine, true));
  assert.equal([refused.type, refused.details], ['NotRepairable', { reason: 'digest' }]);
});

test('what a repair wrote is there after a restart, also for an index that is read from a checkpoint', async (t) => {
  const { master, replica, folder } = await apart(t, 6_000, [17, 4_000]);
  await verify(replica.engine, master.engine, true);
  const expected = await master.nearest('a', [17, 1], 3, true);
  assert.equal(await replica.nearest('a', [17, 1], 3, true), expected);
  await replica.engine.stop();
  const again = await openTestEngine(folder, {}, 'replica');
  t.after(() => again.engine.stop());
  assert.equal(await again.nearest('a', [17, 1], 3), expected);
  assert.equal(again.engine.log.state().digest, master.engine.log.state().digest);
});

test('many pages of heads, values and candidates are asked for in asks that fit a frame', async (t) => {
  const lost = Array.from({ length: 4_000 }, (_, i) => i + 1);
  // Long ids fill pages soon.
  const { master, replica } = await apart(t, 4_100, lost, (number) => String(number).padStart(250, 'x'));
  let largest = 0;
  const asked = new Map<string, number>();
  const ask: Ask = (method, parameters) => {
    largest = Math.max(largest, JSON.stringify(parameters).length);
    asked.set(method, (asked.get(method) ?? 0) + 1);
    return answerComparison(master.engine, method, parameters);
  };
  const { differing, repaired } = await verify(replica.engine, master.engine, true, ask);
  assert.is(repaired, lost.length);
  await waitUntil(() => replica.engine.status().index.lagBytes === 0, { what: 'the index to say that it has all' });
  assert.is(differing[0]?.points.length, 1_000, 'names are bounded');
  assert.ok(largest < 512 * 1024, `${largest} bytes`);
  assert.ok((asked.get('compare_heads') ?? 0) >= 3 && (asked.get('compare_values') ?? 0) >= 3, JSON.stringify([...asked]));
  assert.equal(replica.engine.log.state().digest, master.engine.log.state().digest);
});

test('large points are fetched in several answers', async (t) => {
  const { master, replica } = await apart(t, 1, []);
  const text = 'x'.repeat(50_000);
  await master.put(
    'a',
    Array.from({ length: 100 }, (_, i) => ({ id: 10 + i, vector: [i, 1], payload: { text } })),
  );
  const folder = t.folder();
  let number = 0;
  makeDroppingReplica(folder, logOf(master.storePath), () => ++number > 1);
  await replica.engine.stop();
  const late = await openTestEngine(folder, {}, 'replica');
  t.after(() => late.engine.stop());
  const sizes: number[] = [];
  const ask: Ask = async (method, parameters) => {
    const answer = await answerComparison(master.engine, method, parameters);
    if (method === 'compare_values') sizes.push(JSON.stringify(answer).length);
    return answer;
  };
  assert.is((await verify(late.engine, master.engine, true, ask)).repaired, 100);
  assert.ok(sizes.length >= 3 && Math.max(...sizes) < 3.5 * 2 ** 20, JSON.stringify(sizes));
  assert.equal(late.engine.log.state().digest, master.engine.log.state().digest);
});

test('equal data is known by one question', async (t) => {
  const { master, replica } = await apart(t, 10, []);
  const asked: string[] = [];
  const ask: Ask = (method, parameters) => {
    asked.push(method);
    return answerComparison(master.engine, method, parameters);
  };
  await master.put('a', [{ id: 1, vector: [0, 0], payload: {} }]);
  const found = await verify(replica.engine, master.engine, true, ask);
  assert.is(found.equal, true);
  assert.is(found.position.seq, replica.engine.log.state().seq);
  assert.equal(asked, ['compare_digest']);
});

test('a position that the log of the master no longer has is refused', async (t) => {
  const { master, replica } = await apart(t, 10, [3]);
  const ask: Ask = async (method, parameters) =>
    method === 'compare_digest' ? { digest: null } : answerComparison(master.engine, method, parameters);
  const refused = await rejectionOf(verify(replica.engine, master.engine, true, ask));
  assert.is(refused.type, 'ReplicaBehind');
});

test('a repair that does not give the digest of the master changes nothing', async (t) => {
  const { master, replica } = await apart(t, 10, [3, 7]);
  const before = replica.engine.log.state().digest;
  // Of two points one is kept back.
  const ask: Ask = async (method, parameters) => {
    if (method !== 'compare_values') return answerComparison(master.engine, method, parameters);
    return { ...(await answerComparison(master.engine, method, { ...parameters, ids: [3] })), done: 2 };
  };
  const refused = await rejectionOf(verify(replica.engine, master.engine, true, ask));
  assert.is(refused.type, 'NotRepairable');
  assert.equal(refused.details['reason'], 'digest');
  assert.equal(replica.engine.log.state().digest, before);
  assert.is((await replica.engine.count('a')).count, 8);
  assert.is((await verify(replica.engine, master.engine, true)).repaired, 2);
});

test('a link that ends before the repair leaves all as it was', async (t) => {
  const { master, replica } = await apart(t, 10, [3]);
  const before = replica.engine.log.state().digest;
  for (const last of ['compare_catalogue', 'compare_buckets', 'compare_heads', 'compare_values']) {
    const ask: Ask = async (method, parameters) => {
      if (method === last) throw new Error('the link ended');
      return answerComparison(master.engine, method, parameters);
    };
    await verify(replica.engine, master.engine, true, ask).then(
      () => assert.unreachable(last),
      (error: Error) => assert.is(error.message, 'the link ended'),
    );
    assert.equal(replica.engine.log.state().digest, before);
  }
});

test('a master refuses to be corrected, and a replica at another seq', async (t) => {
  const { master, replica } = await apart(t, 10, [3]);
  const { seq, digest } = master.engine.log.state();
  const correction = { seq, digest, throughSeq: seq, collections: [] };
  for (const [engine, given, reason] of [
    [master, correction, 'role'],
    [replica, { ...correction, seq: seq - 1 }, 'moved'],
    [replica, correction, 'digest'],
    [replica, { ...correction, collections: [{ uid: 1, values: [new Uint8Array(9)], surplus: [] }] }, 'values'],
    [replica, { ...correction, collections: [{ uid: 99, values: [], surplus: [] }] }, 'catalogue'],
  ] as const) {
    const refused = await rejectionOf(engine.engine.correct(given));
    assert.is(refused.type, 'NotRepairable');
    assert.is(refused.details['reason'], reason);
  }
});

test('behind a tolerant stretch digests are compared again', async (t) => {
  const { master, replica } = await apart(t, 10, [3]);
  const { seq } = master.engine.log.state();
  await master.put('a', [{ id: 20, vector: [0, 0], payload: {} }]);
  await master.put('a', [{ id: 21, vector: [0, 0], payload: {} }]);
  const rows = logOf(master.storePath).slice(seq);
  await replica.engine.correct({ seq, digest: new Uint8Array(16), throughSeq: seq + 2, collections: [] });
  assert.equal(await refusal(replica.engine, batchOf(rows)).then(({ reason, seq: at }) => ({ reason, at })), {
    reason: 'digest',
    at: seq + 2,
  });
});

test('asks that no replica makes are refused', async (t) => {
  const { master } = await apart(t, 1, []);
  const bad: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['compare_nothing', {}],
    ['toString', {}],
    ['compare_digest', { seq: -1 }],
    ['compare_buckets', { uid: '1' }],
    ['compare_heads', { uid: 1, buckets: 7, after: null }],
    ['compare_heads', { uid: 1, buckets: '', after: {} }],
    ['compare_values', { uid: 1, ids: Array.from({ length: 1_001 }, (_, i) => i), throughSeq: 1 }],
    ['compare_deleted', { uid: 1, ids: [-1], afterSeq: 0 }],
  ];
  for (const [method, parameters] of bad) {
    const refused = await answerComparison(master.engine, method, parameters).then(
      () => null,
      (error: Error) => error,
    );
    assert.ok(
      refused instanceof RangeError || (refused instanceof SkeinError && refused.type === 'InvalidRequest'),
      `${method} ${refused}`,
    );
  }
});

test.run();
