/** The engine as a whole: writes become durable, visible and searchable in order; restarts lose nothing; growth, churn and rebuilds
 *  keep answers right. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FIXED } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { loadDriver } from '../../src/storage/driver.js';
import { openReader } from '../../src/storage/open-store.js';
import { openTestEngine, pointBlock, SEARCH, type TestEngine, type TestPoint, WAIT } from '../support/open-test-engine.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/engine', { deadlineMs: 60_000 });

function grid(count: number, dimension: number, from = 0): TestPoint[] {
  return Array.from({ length: count }, (_, i) => ({
    id: from + i,
    vector: Array.from({ length: dimension }, (_, d) => Math.sin((from + i + 1) * (d + 1))),
    payload: { i: from + i },
  }));
}

async function open(
  t: { after(cleanup: () => unknown): void; folder(): string },
  folder = t.folder(),
): Promise<TestEngine & { folder: string }> {
  const opened = await openTestEngine(folder);
  t.after(() => opened.engine.stop());
  t.after(() => assert.equal(opened.fatal, []));
  return { ...opened, folder };
}

test('what is written is found by the next search, by id, by scroll and in the count', async (t) => {
  const { engine, create, put, nearest } = await open(t);
  await create('c', 3);
  const receipt = await put('c', [
    { id: 1, vector: [1, 2, 3], payload: { a: 1 } },
    { id: 'x', vector: [9, 9, 9] },
  ]);
  assert.equal(receipt.results, [{ kind: 'upsert', upserted: 2 }]);
  assert.equal(await nearest('c', [1, 2, 3], 5), [
    { id: 1, score: 0 },
    { id: 'x', score: Math.sqrt(64 + 49 + 36) },
  ]);
  const { points, missing, position } = await engine.get('c', ['x', 2, 1], { withPayload: true, withVector: true });
  assert.equal(missing, [2]);
  assert.equal(
    points.map(({ id, version }) => [id, version]),
    [
      ['x', receipt.seq],
      [1, receipt.seq],
    ],
  );
  assert.equal([...(points[1]?.vector ?? [])], [1, 2, 3]);
  assert.is(Buffer.from(points[1]?.payload ?? []).toString(), '{"a":1}');
  assert.is(position.seq, receipt.seq);
  const page = await engine.scroll('c', { limit: 1, after: null, withPayload: false, withVector: false });
  assert.equal([page.points.map(({ id }) => id), page.next], [[1], 1]);
  const rest = await engine.scroll('c', { limit: 1, after: page.next, withPayload: false, withVector: false });
  assert.equal([rest.points.map(({ id }) => id), rest.next], [['x'], null]);
  assert.is((await engine.count('c')).count, 2);
});

test('index files of a collection that was dropped while the process ended are gone after the next start', async (t) => {
  const folder = t.folder();
  const first = await openTestEngine(folder);
  await first.create('c', 2);
  const { uid } = first.engine.collection('c');
  await first.engine.stop();
  const checkpoints = join(folder, 'store-1', 'checkpoints');
  for (const name of [uid, uid + 1]) {
    mkdirSync(join(checkpoints, String(name), 'default'), { recursive: true });
    writeFileSync(join(checkpoints, String(name), 'default', '5.hnsw'), 'left');
  }
  const second = await openTestEngine(folder);
  await second.engine.stop();
  assert.equal(readdirSync(checkpoints, { recursive: true }).sort(), [String(uid), join(String(uid), 'default')]);
});

test('a replaced point is found under its new vector only, a deleted one not at all, a patched one keeps its place', async (t) => {
  const { engine, create, put, remove, nearest } = await open(t);
  await create('c', 2);
  await put('c', [
    { id: 1, vector: [0, 0] },
    { id: 2, vector: [5, 5] },
  ]);
  await put('c', [{ id: 1, vector: [9, 9] }]);
  assert.equal(
    (await nearest('c', [0, 0], 5)).map(({ id }) => id),
    [2, 1],
  );
  await engine.write([{ kind: 'patch', collection: 'c', patches: [{ id: 1, payload: Buffer.from('{"k":1}') }] }], WAIT);
  await remove('c', [2]);
  assert.equal(await nearest('c', [9, 9], 5), [{ id: 1, score: 0 }]);
});

test('a batch over collections happens as a whole or not at all', async (t) => {
  const { engine, create } = await open(t);
  await create('a', 2);
  const upsert = (collection: string, dimension: number): Operation => ({
    kind: 'upsert',
    collection,
    points: pointBlock([{ id: 1, vector: new Float32Array(dimension).fill(1) }]),
  });
  try {
    await engine.write([upsert('a', 2), upsert('absent', 2)], WAIT);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'CollectionNotFound');
  }
  assert.is((await engine.count('a')).count, 0);
});

test('a collection grows from flat to graph, and a clean restart and a restart without checkpoints give the same answers', async (t) => {
  const first = await open(t);
  await first.create('c', 8, 'cosine');
  const points = grid(3_000, 8);
  for (let i = 0; i < points.length; i += 500) await first.put('c', points.slice(i, i + 500));
  const query = points[1_234]?.vector as number[];
  const exact = await first.nearest('c', query, 10, true);
  const graph = await first.nearest('c', query, 10);
  assert.equal(graph, exact);
  assert.is(first.engine.collection('c').status, 'ready');
  const before = first.engine.position();
  await first.engine.stop();
  const second = await open(t, first.folder);
  assert.equal(second.engine.position(), before);
  assert.equal(await second.nearest('c', query, 10), exact);
  const reader = openReader(second.storePath, TEST_CACHE);
  t.after(() => reader.close());
  checkDigests(reader);
});

test('very short, very long and many equal vectors are found as an exact search finds them, and the answer says how', async (t) => {
  const { engine, create, put, nearest } = await open(t);
  const plans = { 1e-6: 'graph', 1e15: 'scan' } as const;
  for (const size of [1e-6, 1e15] as const) {
    await create(`dot${size}`, 8, 'dot');
    // One vector in three is the same.
    const points = grid(2_400, 8).map(({ id, vector }) => ({
      id,
      vector: Array.from(vector, (value, d) => ((id as number) % 3 === 0 ? d / 8 : value) * size),
    }));
    for (let i = 0; i < points.length; i += 600) await put(`dot${size}`, points.slice(i, i + 600));
    let [found, wanted] = [0, 0];
    for (const { vector } of points.slice(1_000, 1_030)) {
      const scores = async (exact: boolean): Promise<number[]> =>
        (await nearest(`dot${size}`, vector, 10, exact)).map(({ score }) => score);
      const [graph, exact] = [await scores(false), await scores(true)];
      found += graph.filter((score) => score >= (exact[9] as number)).length;
      wanted += exact.length;
    }
    assert.ok(found >= wanted * 0.98, `recall ${found} of ${wanted} at ${size}`);
    const vector = Float32Array.from(points[1_000]?.vector ?? []);
    await waitUntil(() => engine.status().index.waitingBytes === 0, { what: 'the graph to have all points' });
    const { explain } = await engine.search(`dot${size}`, { ...SEARCH, vector, limit: 3, explain: true });
    assert.is(explain?.plan, plans[size]);
    assert.is(explain?.advice.length, size === 1e15 ? 1 : 0);
  }
});

test('many writers at once share commits and every answer is true', async (t) => {
  const { engine, create, put } = await open(t);
  await create('c', 4);
  const commitsBefore = engine.status().commits.count;
  const seqs = await Promise.all(
    Array.from({ length: 200 }, (_, i) => put('c', [{ id: i, vector: [i, 0, 0, 1] }]).then(({ seq }) => seq)),
  );
  assert.is(new Set(seqs).size, 200);
  assert.is((await engine.count('c')).count, 200);
  assert.ok(engine.status().commits.count - commitsBefore < 100, 'commits were shared');
});

test('searches during heavy replacement see every point exactly once', async (t) => {
  const { create, put, nearest } = await open(t);
  const points = grid(1_500, 4);
  await create('c', 4);
  await put('c', points);
  let done = false;
  const churn = (async () => {
    for (let round = 1; round <= 6; round++) {
      for (let i = 0; i < points.length; i += 250) {
        await put(
          'c',
          points
            .slice(i, i + 250)
            .map((point) => ({ ...point, vector: [...(point.vector as number[])].map((x) => x + round * 1e-3) })),
        );
      }
    }
    done = true;
  })();
  let searches = 0;
  while (!done) {
    const hits = await nearest('c', [0, 0, 0, 0], 1_500);
    assert.is(new Set(hits.map(({ id }) => id)).size, 1_500);
    searches += 1;
  }
  await churn;
  assert.ok(searches > 0);
});

test('tombstones are rebuilt away in the background while searches go on', async (t) => {
  const { engine, create, put, nearest } = await open(t);
  const points = grid(2_000, 4);
  await create('c', 4);
  await put('c', points);
  for (let round = 1; round <= 2; round++) {
    await put(
      'c',
      points.map((point) => ({ ...point, vector: [...(point.vector as number[])].map((x) => x * (1 + round)) })),
    );
  }
  await waitUntil(
    () =>
      engine.status().index.rebuilds > 0 &&
      engine.collection('c').status === 'ready' &&
      engine.collection('c').tombstoneRatio < 0.5,
    {
      deadlineMs: 30_000,
      what: 'the rebuild',
    },
  );
  const query = [...((points[7] as TestPoint).vector as number[])].map((x) => x * 3);
  assert.equal(await nearest('c', query, 20), await nearest('c', query, 20, true));
});

test('a rebuilt graph takes over, and waits end, while every point is replaced without a pause', async (t) => {
  const { engine, create, put } = await open(t);
  const points = grid(1_050, 4);
  await create('c', 4);
  await put('c', points);
  let done = false;
  const load = (async () => {
    for (let round = 1; !done; round++) {
      const moved = points.map((point) => ({ ...point, vector: [...(point.vector as number[])].map((x) => x + round * 1e-3) }));
      await engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(moved) }], {
        wait: 'durable',
        timeoutMs: 20_000,
      });
    }
  })();
  t.after(() => load);
  t.after(() => {
    done = true;
  });
  // Taken over, not only built: a second one begins when the first one serves.
  await waitUntil(() => engine.status().index.rebuilds >= 2, { deadlineMs: 40_000, what: 'two rebuilds under load' });
  const { seq } = await put('c', [{ id: 'watched', vector: [1, 2, 3, 4] }]);
  assert.ok(seq > 0);
});

test('delete by filter removes what matches and tells how many', async (t) => {
  const { engine, create, put } = await open(t);
  await create('c', 2);
  await put('c', grid(300, 2));
  const filter = { must: [{ kind: 'range', key: 'i', time: false, bounds: { lt: 100 } }] } as const;
  const receipt = await engine.deleteByFilter('c', filter, WAIT);
  assert.equal(receipt.results, [{ kind: 'delete', deleted: 100, units: 1 }]);
  assert.is((await engine.count('c')).count, 200);
  assert.is((await engine.count('c', filter)).count, 0);
});

test('a delete by filter that is repeated under its key answers as the first did and touches nothing that matches since', async (t) => {
  const { engine, create, put } = await open(t);
  await create('c', 2);
  const matching = FIXED.deleteByFilterUnitPoints + 12;
  await put('c', grid(matching + 8, 2));
  const filter = { must: [{ kind: 'range', key: 'i', time: false, bounds: { lt: matching } }] } as const;
  const options = { ...WAIT, idempotency: { scope: new Uint8Array(32).fill(1), body: new Uint8Array(32).fill(2) } };
  const first = await engine.deleteByFilter('c', filter, options);
  assert.equal(first.results, [{ kind: 'delete', deleted: matching, units: 2 }]);
  // More than one unit's worth: the key comes with the last unit only, so it must be asked for before the first.
  const since = grid(FIXED.deleteByFilterUnitPoints + 5, 2).map((point) => ({ ...point, payload: { i: 1 } }));
  await engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(since) }], { ...WAIT, wait: 'durable' });
  const { seq } = engine.position();
  assert.equal(await engine.deleteByFilter('c', filter, options), { ...first, repeated: true });
  assert.is((await engine.count('c', filter)).count, since.length);
  assert.is(engine.position().seq, seq);
});

test('a dropped collection is gone at once and its name is free', async (t) => {
  const { engine, create, put, nearest } = await open(t);
  await create('c', 2);
  await put('c', grid(50, 2));
  await engine.write([{ kind: 'delete_collection', collection: 'c' }], WAIT);
  assert.throws(() => engine.collection('c'), /not found/);
  await create('c', 3);
  assert.equal(await nearest('c', [1, 2, 3], 3), []);
  await put('c', [{ id: 1, vector: [1, 2, 3] }]);
  assert.equal(await nearest('c', [1, 2, 3], 3), [{ id: 1, score: 0 }]);
});

test('a damaged row is never served, is named by a scrub of its page, and leaves the others alone', async (t) => {
  const { engine, storePath, create, put } = await open(t);
  await create('c', 3);
  await put('c', grid(40, 3));
  const place = { table: 'points', uid: 1, fromLabel: 0 } as const;
  assert.equal((await engine.care.scrub(place)).damage, []);
  const other = new (loadDriver())(storePath);
  other.exec(`UPDATE vectors SET crc = crc + 1 WHERE key % ${2 ** 31} = 17`);
  other.close();
  const { rows, damage, next } = await engine.care.scrub(place);
  assert.equal([rows, damage.map(({ kind, label, id }) => [kind, label, id]), next], [40, [['vectors', 17, 17]], null]);
  const read = (id: number) => engine.get('c', [id], { withPayload: true, withVector: true });
  assert.is((await read(16)).points.length, 1);
  const heard: unknown[] = [];
  engine.care.onDamage(({ table, label }) => heard.push([table, label]));
  try {
    await read(17);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'CorruptData');
  }
  assert.equal(heard, [['points', 17]], 'who looks after damage hears of it');
});

test('who asks for no payload reads none: not even a damaged one stands in the way, and whoever asks for it is refused', async (t) => {
  const { engine, storePath, create, put } = await open(t);
  await create('c', 3);
  await put('c', grid(4, 3));
  const other = new (loadDriver())(storePath);
  other.exec(`UPDATE points SET payload = x'7b7d' WHERE key % ${2 ** 31} = 2`);
  other.close();
  const search = { ...SEARCH, vector: Float32Array.of(1, 1, 1), limit: 4 };
  for (const withPayload of [false, true]) {
    const selection = { withPayload, withVector: false };
    for (const read of [
      async () => (await engine.get('c', [0, 1, 2, 3], selection)).points,
      async () => (await engine.scroll('c', { limit: 10, after: null, ...selection })).points,
      async () => (await engine.search('c', { ...search, ...selection })).hits,
    ]) {
      const found = await read().catch((error: Error) => error.name);
      const seen = typeof found === 'string' ? found : found.map(({ id, payload }) => [id, payload]).sort();
      assert.equal(seen, withPayload ? 'CorruptData' : [0, 1, 2, 3].map((id) => [id, null]));
    }
  }
});

test.run();
