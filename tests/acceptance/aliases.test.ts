/** Aliases as HTTP_API.md §3 promises them, tried from outside. */
import * as assert from 'uvu/assert';
import { COLLECTIONS, invalidAt, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/aliases');
const SMALL = { dimension: 2, distance: 'euclid' };
const ALIASES = '/v1/aliases';

interface PutAlias {
  readonly alias: string;
  readonly collection: string;
  readonly created: boolean;
  readonly previous: string | null;
  readonly seq: number;
  readonly position: string;
  readonly write_concern: object;
}
interface Search {
  readonly hits: readonly { readonly id: number }[];
}

/** Collections of these names, each with as many points as its name is long. */
async function make(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    assert.is((await call('PUT', `${COLLECTIONS}/${name}`, SMALL)).status, 201);
    const points = Array.from({ length: name.length }, (_, id) => ({ id, vector: [id, name.length], payload: { of: name } }));
    assert.is((await call('PUT', `${COLLECTIONS}/${name}/points`, { points })).status, 200);
  }
}

async function aliases(): Promise<readonly { alias: string; collection: string }[]> {
  return (await call<{ aliases: { alias: string; collection: string }[] }>('GET', ALIASES)).body.aliases;
}

test('an alias works wherever a name does, and its collection keeps its own name', async () => {
  await make('films-v1');
  const made = await call<PutAlias>('PUT', `${ALIASES}/films`, { collection: 'films-v1' });
  const { seq, position, write_concern, ...said } = made.body;
  assert.equal([made.status, said], [200, { alias: 'films', collection: 'films-v1', created: true, previous: null }]);
  assert.ok(Number.isSafeInteger(seq));
  assert.equal([position, write_concern], [made.headers['x-skein-position'], { required: 1, acknowledged: 1 }]);
  const at = `${COLLECTIONS}/films`;
  assert.is((await call<{ name: string }>('GET', at)).body.name, 'films-v1');
  assert.is((await call('PUT', `${at}/points`, { points: [{ id: 100, vector: [50, 50] }] })).status, 200);
  const search = { vector: [50, 50], limit: 1, min_position: position };
  assert.is((await call<Search>('POST', `${at}/points/search`, search)).body.hits[0]?.id, 100);
  assert.is((await pack<Search>('POST', `${at}/points/search`, { vector: [50, 50] })).body.hits[0]?.id, 100);
  assert.equal((await call<{ count: number }>('POST', `${COLLECTIONS}/films-v1/points/count`, {})).body, { count: 9 });
  assert.is((await call('DELETE', `${ALIASES}/films`)).status, 200);
  refused(await call('GET', at), 404, 'CollectionNotFound', { collection: 'films' });
  assert.is((await call('GET', `${COLLECTIONS}/films-v1`)).status, 200, 'the collection stays');
});

test('a switch shows every search the old collection or the new one', async () => {
  await make('blue', 'green');
  await call('PUT', `${ALIASES}/live`, { collection: 'blue' });
  const counts = new Set<number>();
  let switched = false;
  const readers = Array.from({ length: 4 }, async () => {
    for (let after = 0; after < 3; ) {
      const { body } = await call<{ points: object[] }>('POST', `${COLLECTIONS}/live/points/scroll`, {});
      counts.add(body.points.length);
      if (switched) after += 1;
    }
  });
  const answer = await call<PutAlias>('PUT', `${ALIASES}/live`, { collection: 'green' });
  switched = true;
  await Promise.all(readers);
  assert.equal([answer.body.previous, answer.body.created], ['blue', false]);
  assert.equal([...counts].sort().at(-1), 5, 'the new one is seen');
  for (const count of counts) assert.ok(count === 4 || count === 5, `${count} points`);
});

test('blue and green in one batch: make, fill, switch, drop', async () => {
  await make('day-1');
  await call('PUT', `${ALIASES}/day`, { collection: 'day-1' });
  const operations = [
    { create_collection: { collection: 'day-2', ...SMALL } },
    { upsert: { collection: 'day-2', points: [{ id: 1, vector: [1, 1] }] } },
    { put_alias: { alias: 'day', collection: 'day-2' } },
    { patch: { collection: 'day', points: [{ id: 1, payload: { by: 'alias' } }] } },
    { delete_collection: { collection: 'day-1' } },
  ];
  const { status, body } = await call<{ results: object[] }>('POST', '/v1/batch', { operations });
  assert.is(status, 200, JSON.stringify(body));
  assert.equal(body.results.slice(2), [
    { alias: 'day', collection: 'day-2', created: false, previous: 'day-1' },
    { patched: 1 },
    { deleted: true },
  ]);
  const point = await call<{ payload: object }>('GET', `${COLLECTIONS}/day/points/1`);
  assert.equal(point.body.payload, { by: 'alias' });
  const failing = [{ delete_alias: { alias: 'day' } }, { delete_collection: { collection: 'day' } }];
  refused(await call('POST', '/v1/batch', { operations: failing }), 404, 'CollectionNotFound', { collection: 'day' });
  assert.ok(
    (await aliases()).some(({ alias }) => alias === 'day'),
    'nothing of a refused batch stays',
  );
});

test('a name is a collection or an alias, never both; dropping a collection drops its aliases', async () => {
  await make('own');
  await call('PUT', `${ALIASES}/second`, { collection: 'own' });
  await call('PUT', `${ALIASES}/third`, { collection: 'second' });
  refused(await call('PUT', `${COLLECTIONS}/second`, SMALL), 409, 'CollectionAlreadyExists', { alias_of: 'own' });
  refused(await call('PUT', `${ALIASES}/own`, { collection: 'second' }), 409, 'CollectionAlreadyExists', { collection: 'own' });
  const listed = (await aliases()).filter(({ collection }) => collection === 'own');
  assert.equal(
    listed.map(({ alias }) => alias),
    ['second', 'third'],
    'an alias of an alias is one of the collection',
  );
  assert.is((await call('DELETE', `${COLLECTIONS}/third`)).status, 200);
  assert.not.ok((await aliases()).some(({ collection }) => collection === 'own'));
  refused(await call('GET', `${COLLECTIONS}/own`), 404, 'CollectionNotFound');
  assert.is((await call('PUT', `${COLLECTIONS}/second`, SMALL)).status, 201, 'the name is free again');
});

test('what cannot be is refused by name', async () => {
  await make('there');
  refused(await call('DELETE', `${ALIASES}/absent`), 404, 'AliasNotFound', { alias: 'absent' });
  refused(await call('PUT', `${ALIASES}/x`, { collection: 'absent' }), 404, 'CollectionNotFound', { collection: 'absent' });
  for (const name of ['.x', 'a%2Fb', 'a%20b', 'x'.repeat(129)]) {
    refused(await call('PUT', `${ALIASES}/${name}`, { collection: 'there' }), 400, 'InvalidCollectionName', {}, name);
    refused(await call('DELETE', `${ALIASES}/${name}`), 400, 'InvalidCollectionName', {}, name);
  }
  invalidAt(await call('PUT', `${ALIASES}/x`, {}), 'collection');
  invalidAt(await call('PUT', `${ALIASES}/x`, { collection: 'there', weight: 1 }), 'weight');
  refused(await call('PUT', `${ALIASES}/x?w=5`, { collection: 'there' }), 400, 'WriteConcernImpossible');
  const key = { 'idempotency-key': 'alias-once' };
  const first = await call<PutAlias>('PUT', `${ALIASES}/x`, { collection: 'there' }, key);
  assert.equal((await call<PutAlias>('PUT', `${ALIASES}/x`, { collection: 'there' }, key)).body, first.body);
  refused(await call('PUT', `${ALIASES}/x`, { collection: 'x' }, key), 409, 'IdempotencyConflict');
});

test.run();
