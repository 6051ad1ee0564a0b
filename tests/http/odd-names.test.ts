/** Vectors, and a collection, under names that every object of JavaScript has: declared, written, read, found, changed and taken away as any other, in
 *  both forms of bodies, through the client and the dialect, and after a restart. */

import * as assert from 'uvu/assert';
import { floatBytes } from '../../src/codec/msgpack.js';
import { SkeinClient } from '../../src/sdk/index.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/odd-names', { deadlineMs: 60_000 });
const DENSE = ['constructor', 'toString', 'hasOwnProperty'];
const SPARSE = ['valueOf', 'isPrototypeOf'];
const NAME = 'constructor';
const COLLECTION = `/v1/collections/${NAME}`;
const POINTS = `${COLLECTION}/points`;

const named = <Value>(names: readonly string[], value: (name: string, place: number) => Value): Record<string, Value> =>
  Object.fromEntries(names.map((name, place) => [name, value(name, place)]));
const VECTORS = {
  ...named(DENSE, (_, place) => [place + 1, 1]),
  ...named(SPARSE, (_, place) => ({ indices: [place], values: [2] })),
};

/** Objects with such keys cannot be held against each other themselves. */
const pairs = (vectors: object): unknown => Object.entries(vectors).sort(([a], [b]) => (a < b ? -1 : 1));

async function served(t: TestContext, folder: string): Promise<TestHttp & { stop(): Promise<void> }> {
  const { engine } = await openTestEngine(folder);
  t.after(() => engine.stop());
  await waitUntil(() => engine.collections().every(({ status }) => status === 'ready'), { what: 'the indexes' });
  return { ...(await startHttp(t, { engine })), stop: () => engine.stop() };
}

async function mustHave({ ask, askPacked }: TestHttp, ids: readonly number[]): Promise<void> {
  const { vectors, sparse_vectors: sparse } = (await ask('GET', COLLECTION)).body;
  const counts = (shown: Record<string, { points_count: number }>) => Object.values(shown).map((one) => one.points_count);
  assert.equal([Object.keys(vectors).sort(), Object.keys(sparse).sort()], [[...DENSE].sort(), [...SPARSE].sort()]);
  assert.equal([...counts(vectors), ...counts(sparse)], Array(5).fill(ids.length));
  for (const id of ids) assert.equal(pairs((await ask('GET', `${POINTS}/${id}`)).body.vectors), pairs(VECTORS));
  for (const using of [...DENSE, ...SPARSE]) {
    const vector = DENSE.includes(using) ? [1, 1] : { indices: [0, 1], values: [1, 1] };
    const found = await ask('POST', `${POINTS}/search`, { using, vector, with_vector: [using] });
    assert.equal(
      found.body.hits.map((hit: { id: number; vectors: object }) => [hit.id, pairs(hit.vectors)]),
      ids.map((id) => [id, [[using, (VECTORS as Record<string, unknown>)[using]]]]),
      using,
    );
    assert.equal((await askPacked('POST', `${POINTS}/search`, { using, vector })).body.hits.length, ids.length, using);
    const queried = await ask('POST', `/collections/${NAME}/points/query`, { using, query: vector, with_vector: [using] });
    assert.equal(
      queried.body.result.points.map((point: { vector: object }) => Object.keys(point.vector)),
      ids.map(() => [using]),
      using,
    );
  }
}

test('vectors of any name are what they were given as, whoever writes and reads them', async (t) => {
  const folder = t.folder();
  const http = await served(t, folder);
  const { ask, askPacked } = http;
  const made = await ask('PUT', COLLECTION, {
    vectors: named(DENSE, () => ({ dimension: 2, distance: 'dot' })),
    sparse_vectors: named(SPARSE, () => ({})),
  });
  assert.is(made.status, 201, JSON.stringify(made.body));
  assert.equal(
    Object.values(made.body.vectors).map((one) => (one as { points_count: number }).points_count),
    [0, 0, 0],
  );
  assert.is((await ask('PUT', '/v1/aliases/toString', { collection: NAME })).status, 200);
  assert.is((await ask('PUT', POINTS, { points: [{ id: 1, vectors: VECTORS }] })).status, 200);
  const packed = Object.fromEntries(
    Object.entries(VECTORS).map(([name, value]) => [name, Array.isArray(value) ? floatBytes(Float32Array.from(value)) : value]),
  );
  assert.is((await askPacked('PUT', '/v1/collections/toString/points', { points: [{ id: 2, vectors: packed }] })).status, 200);
  const line = `${JSON.stringify({ id: 3, vectors: VECTORS })}\n`;
  const imported = await http.send('POST', `${POINTS}/import`, line, { 'content-type': 'application/x-ndjson' });
  assert.is(imported.status, 200, JSON.stringify(imported.body));
  const client = new SkeinClient({ url: http.url, retries: false });
  t.after(() => client.close());
  await client.upsert(NAME, [{ id: 4, vectors: VECTORS }]);
  const upserted = await ask('PUT', `/collections/${NAME}/points?wait=true`, { points: [{ id: 5, vector: VECTORS }] });
  assert.is(upserted.status, 200, JSON.stringify(upserted.body));
  const batch = { operations: [{ upsert: { collection: 'toString', points: [{ id: 6, vectors: VECTORS }] } }] };
  const batched = await ask('POST', '/v1/batch', batch);
  assert.is(batched.status, 200, JSON.stringify(batched.body));
  const ids = [1, 2, 3, 4, 5, 6];
  await mustHave(http, ids);
  const { vectors = {} } = await client.get(NAME, 4);
  assert.equal(Object.keys(vectors).sort(), Object.keys(VECTORS).sort());
  const info = await client.collection(NAME);
  assert.equal([info.vectors['toString']?.pointsCount, info.sparseVectors['valueOf']?.pointsCount], [6, 6]);
  const shown = (await ask('GET', `/collections/${NAME}`)).body.result.config.params;
  assert.equal(
    [Object.keys(shown.vectors).sort(), Object.keys(shown.sparse_vectors).sort()],
    [[...DENSE].sort(), [...SPARSE].sort()],
  );
  await http.stop();
  await http.close();
  const again = await served(t, folder);
  await mustHave(again, ids);
  await again.ask('PATCH', POINTS, {
    points: [{ id: 1, unset_vectors: ['constructor', 'valueOf'], vectors: { toString: [9, 9] } }],
  });
  const patched = (await again.ask('GET', `${POINTS}/1`)).body.vectors;
  assert.equal(Object.keys(patched).sort(), ['hasOwnProperty', 'isPrototypeOf', 'toString']);
  assert.equal(patched.toString, [9, 9]);
  assert.is((await again.ask('PATCH', COLLECTION, { vectors: { constructor: null } })).status, 200);
  const rest = (await again.ask('GET', COLLECTION)).body.vectors;
  assert.equal(Object.keys(rest).sort(), ['hasOwnProperty', 'toString']);
});

test('names that nobody declared are none, whatever objects have', async (t) => {
  const http = await served(t, t.folder());
  const { ask } = http;
  await ask('PUT', COLLECTION, { dimension: 2, distance: 'dot', sparse_vectors: { words: {} } });
  const point = (vectors: object) => ask('PUT', POINTS, { points: [{ id: 1, vector: [1, 1], vectors }] });
  for (const using of ['constructor', 'toString', '__proto__']) {
    const unknown = await ask('POST', `${POINTS}/search`, { using, vector: [1, 1] });
    assert.equal([unknown.status, unknown.body.error.details.issues?.[0]?.path], [400, 'using'], using);
    assert.is((await point(JSON.parse(`{"${using}":[1,1]}`))).status, 400, using);
  }
  // No body can have it as a key, so it is no name either.
  const declared = await ask('PUT', `/collections/${NAME}/vectors/__proto__`, { dense: { size: 2, distance: 'Dot' } });
  assert.is(declared.status, 400, JSON.stringify(declared.body));
  assert.equal((await ask('GET', COLLECTION)).body.vectors, undefined);
});

test.run();
