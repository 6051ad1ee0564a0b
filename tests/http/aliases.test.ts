/** Routes of aliases. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/routes/aliases');

async function withTwo(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t);
  for (const name of ['one', 'two']) await http.ask('PUT', `/v1/collections/${name}`, { dimension: 2, distance: 'dot' });
  return http;
}

test('an alias is made, switched, listed and removed, and every answer says what was done', async (t) => {
  const { ask } = await withTwo(t);
  const made = await ask('PUT', '/v1/aliases/now', { collection: 'one' });
  const { seq, position, write_concern, ...rest } = made.body;
  assert.equal([made.status, rest], [200, { alias: 'now', collection: 'one', created: true, previous: null }]);
  assert.equal([seq, position, write_concern], [3, made.headers.get('x-skein-position'), { required: 1, acknowledged: 1 }]);
  const switched = await ask('PUT', '/v1/aliases/now?w=1&wait=durable', { collection: 'two' });
  const { alias, collection, created, previous } = switched.body;
  assert.equal([alias, collection, created, previous], ['now', 'two', false, 'one']);
  const listed = await ask('GET', '/v1/aliases');
  assert.equal([listed.status, listed.body], [200, { aliases: [{ alias: 'now', collection: 'two' }] }]);
  assert.is(listed.headers.get('x-skein-position'), switched.body.position);
  assert.is((await ask('GET', '/v1/collections/now')).body.name, 'two');
  const gone = await ask('DELETE', '/v1/aliases/now');
  assert.equal([gone.status, gone.body.deleted, gone.body.seq], [200, true, 5]);
  assert.is(gone.body.position, gone.headers.get('x-skein-position'));
  assert.equal((await ask('GET', '/v1/aliases')).body, { aliases: [] });
  const again = await ask('DELETE', '/v1/aliases/now');
  assert.equal([again.status, again.body.error.type], [404, 'AliasNotFound']);
});

test('bad names, bodies and parameters are refused, and nothing is written', async (t) => {
  const { ask, engine } = await withTwo(t);
  const before = engine.seq;
  const of = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await ask(method, path, body);
    return [answer.status, answer.body.error.type, answer.body.error.details.issues?.[0].path];
  };
  const target = { collection: 'one' };
  for (const name of ['.x', 'a%2Fb', 'a%20b', 'x'.repeat(129), '%zz', '']) {
    assert.equal(await of('PUT', `/v1/aliases/${name}`, target), [400, 'InvalidCollectionName', undefined], name);
    assert.equal(await of('DELETE', `/v1/aliases/${name}`), [400, 'InvalidCollectionName', undefined], name);
  }
  assert.equal(await of('PUT', '/v1/aliases/a', { collection: 'no/name' }), [400, 'InvalidCollectionName', undefined]);
  assert.equal(await of('PUT', '/v1/aliases/a', {}), [400, 'InvalidRequest', 'collection']);
  assert.equal(await of('PUT', '/v1/aliases/a', { collection: 7 }), [400, 'InvalidRequest', 'collection']);
  assert.equal(await of('PUT', '/v1/aliases/a', { ...target, alias: 'b' }), [400, 'InvalidRequest', 'alias']);
  assert.equal(await of('PUT', '/v1/aliases/a?what=1', target), [400, 'InvalidRequest', 'what']);
  assert.equal(await of('GET', '/v1/aliases?limit=1'), [400, 'InvalidRequest', 'limit']);
  assert.equal(await of('PUT', '/v1/aliases/a', { collection: 'none' }), [404, 'CollectionNotFound', undefined]);
  assert.equal(await of('PUT', '/v1/aliases/two', target), [409, 'CollectionAlreadyExists', undefined]);
  assert.is((await ask('GET', '/v1/aliases/a')).body.error.type, 'MethodNotAllowed');
  assert.is(engine.seq, before);
});

test('a key makes a repeat the first answer, and another body a conflict', async (t) => {
  const { ask, engine } = await withTwo(t);
  const key = { 'idempotency-key': 'once' };
  const first = await ask('PUT', '/v1/aliases/now', { collection: 'one' }, key);
  await ask('PUT', '/v1/aliases/now', { collection: 'two' });
  const before = engine.seq;
  assert.equal((await ask('PUT', '/v1/aliases/now', { collection: 'one' }, key)).body, first.body);
  const other = await ask('PUT', '/v1/aliases/now', { collection: 'two' }, key);
  assert.equal([other.status, other.body.error.type], [409, 'IdempotencyConflict']);
  assert.is(engine.seq, before);
  const elsewhere = await ask('PUT', '/v1/aliases/then', { collection: 'one' }, key);
  assert.is(elsewhere.status, 200, 'the path belongs to the key');
  assert.is((await ask('DELETE', '/v1/aliases/now', undefined, key)).status, 200, 'and so does the method');
  assert.is((await ask('DELETE', '/v1/aliases/now', undefined, key)).status, 200, 'the repeat of a delete is no 404');
});

test('MessagePack goes in and comes out', async (t) => {
  const { askPacked } = await withTwo(t);
  const { body } = await askPacked('PUT', '/v1/aliases/now', { collection: 'one' });
  assert.equal([body.alias, body.previous], ['now', null]);
  assert.equal((await askPacked('GET', '/v1/aliases')).body, { aliases: [{ alias: 'now', collection: 'one' }] });
});

test('with the real engine, every route of a collection takes its alias', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask, url } = await startHttp(t, { engine });
  const good = async (method: string, path: string, body?: unknown): Promise<Readonly<Record<string, never>>> => {
    const answer = await ask(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await good('PUT', '/v1/collections/own', { dimension: 2, distance: 'euclid' });
  await good('PUT', '/v1/aliases/now', { collection: 'own' });
  const points = '/v1/collections/now/points';
  assert.is((await good('PUT', points, { points: [{ id: 1, vector: [1, 0] }] }))['upserted'], 1);
  await good('PATCH', points, { points: [{ id: 1, payload: { a: 1 } }] });
  const mismatch = await ask('PUT', points, { points: [{ id: 2, vector: [1, 0, 0] }] });
  assert.is(mismatch.body.error.details.path, 'points[0].vector', 'the body is held against the collection');
  const line = JSON.stringify({ id: 2, vector: [2, 0] });
  const imported = await fetch(`${url}${points}/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: line,
  });
  assert.match(await imported.text(), '"imported":1');
  assert.equal((await good('GET', `${points}/1`))['payload'], { a: 1 });
  assert.is((await good('POST', `${points}/count`, {}))['count'], 2);
  assert.equal((await good('POST', `${points}/get`, { ids: [2, 3] }))['missing'], [3]);
  const scrolled: { id: number }[] = (await good('POST', `${points}/scroll`, {}))['points'] ?? [];
  assert.equal(
    scrolled.map(({ id }) => id),
    [1, 2],
  );
  const found: { id: number }[] = (await good('POST', `${points}/search`, { vector: [2, 0], limit: 1 }))['hits'] ?? [];
  assert.is(found[0]?.id, 2);
  const both: object[] = (await good('POST', `${points}/search/batch`, { searches: [{ id: 1 }, { id: 2 }] }))['results'] ?? [];
  assert.is(both.length, 2);
  assert.is((await good('PATCH', '/v1/collections/now', { hnsw: { ef_search: 9 } }))['name'], 'own');
  assert.is((await good('POST', `${points}/delete`, { filter: { must: [{ has_id: [1] }] } }))['deleted'], 1);
  assert.is((await good('POST', `${points}/delete`, { ids: [2] }))['deleted'], 1);
  assert.is((await good('GET', '/v1/collections/now'))['name'], 'own');
  assert.is((await good('DELETE', '/v1/collections/now'))['deleted'], true);
  assert.equal(await good('GET', '/v1/aliases'), { aliases: [] });
  assert.is((await ask('GET', '/v1/collections/own')).status, 404);
});

test('an import stays with the collection that its alias stood for when it began', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask, send } = await startHttp(t, { engine, limits: { importChunkPoints: 1 } });
  for (const name of ['old', 'new']) await ask('PUT', `/v1/collections/${name}`, { dimension: 1, distance: 'dot' });
  await ask('PUT', '/v1/aliases/now', { collection: 'old' });
  const line = (id: number): Buffer => Buffer.from(`${JSON.stringify({ id, vector: [id] })}\n`);
  async function* lines(): AsyncGenerator<Uint8Array> {
    yield line(1);
    await waitUntil(() => engine.collection('old').pointsCount === 1, { what: 'the first line is there' });
    await ask('PUT', '/v1/aliases/now', { collection: 'new' });
    yield line(2);
  }
  const body = ReadableStream.from(lines()) as unknown as Parameters<typeof send>[2];
  const answer = await send('POST', '/v1/collections/now/points/import', body, { 'content-type': 'application/x-ndjson' });
  assert.is(answer.status, 200);
  assert.equal([engine.collection('old').pointsCount, engine.collection('now').pointsCount], [2, 0]);
});

test.run();
