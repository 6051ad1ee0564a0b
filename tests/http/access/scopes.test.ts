/** What a key with a scope sees and touches: lists, aliases, batches, errors. */

import * as assert from 'uvu/assert';
import { type KeyedHttp, startKeyed } from '../../support/keyed-http.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/access/scopes');
const SPEC = { dimension: 2, distance: 'dot' };
const REFUSED = { needed: 'write', key_role: 'write' };

/** Collections mine-1, mine-2 and other; aliases now (of mine-1), and secret and mine-trap (of other). */
async function world(t: TestContext): Promise<KeyedHttp & { readonly admin: { readonly authorization: string } }> {
  const http = await startKeyed(t);
  const admin = http.as('admin');
  for (const name of ['mine-1', 'mine-2', 'other']) await http.ask('PUT', `/v1/collections/${name}`, SPEC, admin);
  for (const [alias, collection] of [
    ['now', 'mine-1'],
    ['secret', 'other'],
    ['mine-trap', 'other'],
  ])
    assert.is((await http.ask('PUT', `/v1/aliases/${alias}`, { collection }, admin)).status, 200);
  return { ...http, admin };
}

const point = (id: number) => ({ points: [{ id, vector: [1, 2] }] });

test('lists show what is in the scope, and nothing else', async (t) => {
  const { ask, as } = await world(t);
  const mine = as('read', ['mine-*']);
  const { body } = await ask('GET', '/v1/collections', undefined, mine);
  assert.equal(
    body.collections.map(({ name }: { name: string }) => name),
    ['mine-1', 'mine-2'],
  );
  assert.equal((await ask('GET', '/v1/aliases', undefined, mine)).body.aliases, [{ alias: 'now', collection: 'mine-1' }]);
  assert.equal((await ask('GET', '/v1/collections', undefined, as('read', []))).body, { collections: [] });
});

test('an alias leads to what it stands for: its own name counts for nothing', async (t) => {
  const { ask, as, engine } = await world(t);
  const mine = as('write', ['mine-*']);
  assert.is((await ask('PUT', '/v1/collections/now/points', point(1), mine)).status, 200);
  assert.equal(
    engine.writes.at(-1)?.operations.map((operation) => 'collection' in operation && operation.collection),
    ['mine-1'],
  );
  for (const name of ['secret', 'mine-trap', 'other', 'not-there']) {
    const { status, body } = await ask('PUT', `/v1/collections/${name}/points`, point(1), mine);
    assert.equal([status, body.error.type, body.error.details], [403, 'Forbidden', { ...REFUSED, collection: name }]);
    assert.not(JSON.stringify(body).replaceAll(name, '').includes('other'));
  }
});

test('what is not found names what is in the scope, and nothing else', async (t) => {
  const { ask, as, admin } = await world(t);
  const { status, body } = await ask('GET', '/v1/collections/mine-3', undefined, as('read', ['mine-*']));
  assert.equal([status, body.error.details.available_collections], [404, ['mine-1', 'mine-2']]);
  const all = await ask('GET', '/v1/collections/mine-3', undefined, admin);
  assert.equal(all.body.error.details.available_collections, ['mine-1', 'mine-2', 'other']);
  const taken = await ask('DELETE', '/v1/aliases/mine-none', undefined, as('admin', ['mine-*']));
  assert.is(taken.status, 404);
  assert.not(JSON.stringify(taken.body).includes('secret'));
});

test('each operation of a batch is held against the key as its own route would', async (t) => {
  const { ask, as, engine } = await world(t);
  const mine = as('write', ['mine-*']);
  const before = engine.writes.length;
  const batch = (operations: unknown, header = mine) => ask('POST', '/v1/batch', { operations }, header);
  const upsert = (collection: string) => ({ upsert: { collection, ...point(7) } });
  assert.is((await batch([upsert('mine-1'), upsert('other')])).status, 403);
  assert.is((await batch([upsert('mine-1'), upsert('mine-trap')])).status, 403);
  const create = await batch([{ create_collection: { collection: 'mine-9', ...SPEC } }]);
  assert.equal([create.status, create.body.error.details], [403, { needed: 'admin', key_role: 'write' }]);
  assert.is((await batch([upsert('mine-1')], as('read'))).status, 403);
  assert.is(engine.writes.length, before, 'nothing was written');
  assert.is((await batch([upsert('mine-1'), upsert('now')])).status, 200);
  const manager = as('admin', ['mine-*']);
  assert.is((await batch([{ put_alias: { alias: 'mine-now', collection: 'other' } }], manager)).status, 403);
  const inside = [{ put_alias: { alias: 'mine-now', collection: 'mine-1' } }, upsert('mine-now')];
  assert.is((await batch(inside, manager)).status, 200);
  assert.equal(
    engine.writes.at(-1)?.operations.map((operation) => 'collection' in operation && operation.collection),
    ['mine-1', 'mine-1'],
  );
});

test('a batch tells nothing of what is out of the scope, whether it is there or not', async (t) => {
  const { ask, as } = await world(t);
  const mine = as('write', ['mine-*']);
  for (const points of [[{ id: 1, vector: [1, 2, 3] }], [{ id: 1, vector: [0, 0] }], [{ id: 1, vector: [1, 2], if_version: 7 }]])
    for (const kind of ['upsert', 'patch'])
      for (const collection of ['other', 'secret', 'mine-trap', 'not-there']) {
        const { status, body } = await ask('POST', '/v1/batch', { operations: [{ [kind]: { collection, points } }] }, mine);
        assert.equal([status, body.error.details], [403, { ...REFUSED, collection }], JSON.stringify([kind, points]));
      }
  const wrong = { operations: [{ upsert: { collection: 'mine-1', points: [{ id: 1, vector: [1, 2, 3] }] } }] };
  assert.is((await ask('POST', '/v1/batch', wrong, mine)).status, 400);
});

test('an alias is made, switched and removed within the scope only', async (t) => {
  const { ask, as } = await world(t);
  const mine = as('admin', ['mine-*']);
  const put = async (alias: string, collection: string) =>
    (await ask('PUT', `/v1/aliases/${alias}`, { collection }, mine)).status;
  assert.is(await put('mine-a', 'mine-1'), 200);
  assert.is(await put('mine-a', 'mine-2'), 200);
  assert.is(await put('mine-a', 'other'), 403, 'to a collection of others');
  assert.is(await put('theirs', 'mine-1'), 403, 'under a name of others');
  assert.is(await put('mine-trap', 'mine-1'), 403, 'away from a collection of others');
  assert.is((await ask('DELETE', '/v1/aliases/mine-trap', undefined, mine)).status, 403);
  assert.is((await ask('DELETE', '/v1/aliases/mine-a', undefined, mine)).status, 200);
});

test('an idempotency key is its caller’s own', async (t) => {
  const { ask, as } = await world(t);
  const [one, two] = [as('write'), as('write')];
  const again = { 'idempotency-key': 'k' };
  const first = await ask('PUT', '/v1/collections/other/points', point(1), { ...one, ...again });
  const repeat = await ask('PUT', '/v1/collections/other/points', point(1), { ...one, ...again });
  const another = await ask('PUT', '/v1/collections/other/points', point(2), { ...two, ...again });
  assert.equal([first.status, repeat.body.seq, another.status], [200, first.body.seq, 200]);
  assert.is.not(another.body.seq, first.body.seq);
});

test.run();
