/** Writes with an idempotency key: a repeat is answered as the first was, whatever has become of the collections since. */

import * as assert from 'uvu/assert';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/writes');

const [ONE, OTHER] = [{ points: [{ id: 1, vector: [1, 2] }] }, { points: [{ id: 1, vector: [2, 1] }] }];
const LARGE = { points: [{ id: 1, vector: [1, 2], payload: { text: 'x'.repeat(300_000) } }] };
type Call = readonly [method: string, path: string, body?: object, other?: object];

/** Writes to a collection of two dimensions through `name`. */
function writesTo(name: string): readonly Call[] {
  const path = `/v1/collections/${name}/points`;
  const batch = (points: object[]): object => ({ operations: [{ upsert: { collection: name, points } }] });
  return [
    ['PUT', path, ONE, OTHER],
    ['PUT', path, LARGE, { points: [] }],
    ['PATCH', path, ONE, OTHER],
    ['POST', '/v1/batch', batch(ONE.points), batch(OTHER.points)],
    ['POST', `${path}/delete`, { filter: { must: [{ has_id: [1] }] } }, { filter: {} }],
    ['POST', `${path}/delete`, { ids: [1] }, { ids: [2] }],
    ['PATCH', `/v1/collections/${name}`, { ttl_ms: 1_000_000 }, { ttl_ms: 2_000_000 }],
  ];
}

async function overEngine(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  return startHttp(t, { engine });
}

/** Sends the calls now and gives the function that sends them again. */
async function sent({ ask }: TestHttp, calls: readonly Call[]): Promise<() => Promise<void>> {
  const keyed = (place: number): Record<string, string> => ({ 'idempotency-key': `key ${place}` });
  const first: Answer[] = [];
  for (const [i, [method, path, body]] of calls.entries()) first.push(await ask(method, path, body, keyed(i)));
  assert.equal(
    first.map(({ status }) => status),
    calls.map(() => 200),
    JSON.stringify(first.map(({ body }) => body)),
  );
  return async () => {
    for (const [i, [method, path, body, other]] of calls.entries()) {
      const again = await ask(method, path, body, keyed(i));
      assert.equal([again.status, lasting(again)], [200, lasting(first[i])], `${method} ${path} again`);
      if (other === undefined) continue;
      const conflict = await ask(method, path, other, keyed(i));
      assert.equal(
        [conflict.status, conflict.body.error?.type],
        [409, 'IdempotencyConflict'],
        `${method} ${path} with another body`,
      );
    }
  };
}

/** How much memory an index has is today's in every answer. */
function lasting(answer: Answer | undefined): object {
  return { ...answer?.body, memory_bytes: 0 };
}

const refusal = ({ status, body }: Answer): unknown => [status, body.error?.type, body.error?.details.path];
const fresh = { 'idempotency-key': 'never used' };

test('a repeat gets the first answer after its collection was dropped', async (t) => {
  const http = await overEngine(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'cosine' });
  const again = await sent(http, [...writesTo('c'), ['DELETE', '/v1/collections/c']]);
  await again();
  const first = await http.ask('PUT', '/v1/collections/c/points', ONE, fresh);
  assert.equal(refusal(first), [404, 'CollectionNotFound', undefined]);
  assert.equal(first.body.error.details, { collection: 'c', available_collections: [] });
});

test('a repeat gets the first answer after its alias was switched to a collection that would refuse it', async (t) => {
  const http = await overEngine(t);
  const { ask } = http;
  await ask('PUT', '/v1/collections/two', { dimension: 2, distance: 'dot' });
  await ask('PUT', '/v1/collections/three', { dimension: 3, distance: 'dot' });
  await ask('PUT', '/v1/collections/cosine', { dimension: 2, distance: 'cosine' });
  await ask('PUT', '/v1/aliases/c', { collection: 'two' });
  const zero = { points: [{ id: 2, vector: [0, 0] }] };
  const calls: Call[] = [
    ...writesTo('c'),
    ['PUT', '/v1/collections/c/points', zero, OTHER],
    ['PATCH', '/v1/collections/c/points', zero],
  ];
  // The patch needs its point.
  const again = await sent(http, [...calls, ['PUT', '/v1/aliases/c', { collection: 'three' }]]);
  await again();
  const wide = await ask('PUT', '/v1/collections/c/points', ONE, fresh);
  assert.equal(refusal(wide), [400, 'DimensionMismatch', 'points[0].vector']);
  const mixed = { points: [...OTHER.points, { id: 2, vector: [1, 2, 3] }] };
  assert.equal(refusal(await ask('PUT', '/v1/collections/c/points', mixed, fresh)), [
    400,
    'DimensionMismatch',
    'points[0].vector',
  ]);
  await ask('PUT', '/v1/aliases/c', { collection: 'cosine' });
  await again();
  assert.equal(refusal(await ask('PUT', '/v1/collections/c/points', zero, fresh)), [400, 'ZeroVector', 'points[0].vector']);
});

test('a payload with its keys in another order is the same request', async (t) => {
  const http = await overEngine(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const path = '/v1/collections/c/points';
  const point = (payload: object): object => ({ id: 1, vector: [1, 2], payload });
  const [asked, turned, other] = [
    { a: 1, b: { c: 2, d: [{ e: 3, f: 4 }] } },
    { b: { d: [{ f: 4, e: 3 }], c: 2 }, a: 1 },
    { a: 1 },
  ];
  const batch = (payload: object): object => ({ operations: [{ upsert: { collection: 'c', points: [point(payload)] } }] });
  for (const [method, to, bodyOf] of [
    ['PUT', path, (payload: object) => ({ points: [point(payload)] })],
    ['PATCH', path, (payload: object) => ({ points: [point(payload)] })],
    ['POST', '/v1/batch', batch],
  ] as const) {
    const key = { 'idempotency-key': method };
    const first = await http.ask(method, to, bodyOf(asked), key);
    assert.is(first.status, 200);
    assert.equal((await http.ask(method, to, bodyOf(turned), key)).body, first.body, method);
    assert.is((await http.ask(method, to, bodyOf(other), key)).body.error?.type, 'IdempotencyConflict', method);
  }
  const load = async (payload: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': 'load' };
    return (await http.send('POST', `${path}/import`, JSON.stringify(point(payload)), headers)).body;
  };
  const first = await load(asked);
  assert.match(String(first), '"imported":1');
  assert.equal(await load(turned), first);
  assert.match(JSON.stringify(await load(other)), 'IdempotencyConflict');
});

test.run();
