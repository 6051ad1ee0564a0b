/** Collections as HTTP_API.md §3 promises them, tried from outside. */
import * as assert from 'uvu/assert';
import { COLLECTIONS, invalidAt, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/collections');
const SMALL = { dimension: 3, distance: 'cosine' };

interface Info {
  readonly name: string;
  readonly hnsw: object;
  readonly ttl_ms: number | null;
  readonly points_count: number;
  readonly position: string;
}

interface Declared {
  readonly text_fields: string[];
  readonly text: object | null;
  readonly payload_indexes: object[];
  readonly quantization: object | null;
}

function declarationsOf({ text_fields, text, payload_indexes, quantization }: Declared): Declared {
  return { text_fields, text, payload_indexes, quantization };
}

test('creation answers 201 with every field of the info, and reading gives the same', async () => {
  const made = await call<Info>('PUT', `${COLLECTIONS}/all`, SMALL);
  assert.is(made.status, 201);
  assert.equal(Object.keys(made.body).sort(), [
    ...[
      'created_at',
      'dimension',
      'disk_bytes',
      'distance',
      'embedding',
      'hnsw',
      'index_health',
      'memory_bytes',
      'name',
      'payload_indexes',
    ],
    ...['points_count', 'position', 'progress', 'quantization', 'status', 'text', 'text_fields', 'tombstone_ratio'],
    'ttl_ms',
  ]);
  const { created_at, ...rest } = made.body as Info & { created_at: string };
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(rest, {
    ...{ name: 'all', ...SMALL, hnsw: { m: 16, ef_construct: 200, ef_search: 64 }, points_count: 0, status: 'ready' },
    ...{ progress: 1, memory_bytes: 0, disk_bytes: 0, tombstone_ratio: 0, text_fields: [], text: null, payload_indexes: [] },
    ...{ index_health: null, ttl_ms: null, embedding: null, quantization: null, position: made.headers['x-skein-position'] },
  });
  assert.equal((await call('GET', `${COLLECTIONS}/all`)).body, made.body);
  const listed = await call<{ collections: Info[] }>('GET', COLLECTIONS);
  assert.ok(listed.body.collections.some(({ name }) => name === 'all'));
  assert.ok(listed.headers['x-skein-position']);
  refused(await call('PUT', `${COLLECTIONS}/all`, SMALL), 409, 'CollectionAlreadyExists', { collection: 'all' });
});

test('MessagePack creates, reads, changes and deletes a collection', async () => {
  const at = `${COLLECTIONS}/packed`;
  assert.is((await pack<Info>('PUT', at, { ...SMALL, hnsw: { m: 8 } })).status, 201);
  assert.equal((await pack<Info>('PATCH', at, { hnsw: { ef_search: 77 } })).body.hnsw, {
    m: 8,
    ef_construct: 200,
    ef_search: 77,
  });
  assert.is((await pack<Info>('GET', at)).body.name, 'packed');
  assert.is((await pack<{ deleted: boolean }>('DELETE', at)).body.deleted, true);
  refused(await pack('GET', at), 404, 'CollectionNotFound', { collection: 'packed' });
});

test('every field of creation is checked and the place is named', async () => {
  for (const [body, path] of [
    [{ ...SMALL, dimension: 0 }, 'dimension'],
    [{ ...SMALL, dimension: 65_536 }, 'dimension'],
    [{ ...SMALL, dimension: 1.5 }, 'dimension'],
    [{ ...SMALL, dimension: '3' }, 'dimension'],
    [{ distance: 'dot' }, 'dimension'],
    [{ dimension: 3 }, 'distance'],
    [{ ...SMALL, distance: 'l2' }, 'distance'],
    [{ ...SMALL, colour: 'red' }, 'colour'],
    [{ ...SMALL, hnsw: { m: 0 } }, 'hnsw.m'],
    [{ ...SMALL, hnsw: { M: 16 } }, 'hnsw.M'],
    [{ ...SMALL, hnsw: { ef_search: 10_001 } }, 'hnsw.ef_search'],
    [{ ...SMALL, text_fields: ['a..b'] }, 'text_fields[0]'],
    [{ ...SMALL, text: { language: 'german' } }, 'text'],
    [{ ...SMALL, text_fields: ['a'], text: { language: 'German' } }, 'text.language'],
    [{ ...SMALL, payload_indexes: [{ path: 'a', type: 'string' }] }, 'payload_indexes[0].type'],
    [{ ...SMALL, quantization: { type: 'scalar' } }, 'quantization.type'],
    [{ ...SMALL, ttl_ms: 0 }, 'ttl_ms'],
    [{ ...SMALL, ttl_ms: 1e300 }, 'ttl_ms'],
    [[], ''],
    [null, ''],
    ['"text"', ''],
  ] as const) {
    invalidAt(await call('PUT', `${COLLECTIONS}/refused`, body), path, JSON.stringify(body));
  }
  refused(await call('GET', `${COLLECTIONS}/refused`), 404, 'CollectionNotFound');
  assert.is((await call('PUT', `${COLLECTIONS}/widest`, { dimension: 65_535, distance: 'dot' })).status, 201);
});

test('an embedding is refused by name, at creation and at change', async () => {
  await call('PUT', `${COLLECTIONS}/plain`, SMALL);
  const embedding = { provider: 'x', model: 'y' };
  invalidAt(await call('PUT', `${COLLECTIONS}/later`, { ...SMALL, embedding }), 'embedding');
  invalidAt(await call('PATCH', `${COLLECTIONS}/plain`, { embedding }), 'embedding');
});

test('text fields, payload indexes and quantization are declared, shown and changed', async () => {
  const at = `${COLLECTIONS}/declared`;
  const declared = { text_fields: ['title'], payload_indexes: [{ path: 'a.b', type: 'keyword' }] };
  const made = await pack<Declared>('PUT', at, { ...SMALL, ...declared, quantization: { type: 'int8' } });
  const whole = {
    ...declared,
    text: { language: 'english', stop_words: 'default', k1: 1.2, b: 0.75 },
    quantization: { type: 'int8', rescore: true, oversampling: 3 },
  };
  assert.equal([made.status, declarationsOf(made.body)], [201, whole]);
  assert.equal(declarationsOf((await call<Declared>('GET', at)).body), whole);
  const text = { language: 'german', stop_words: ['und'], k1: 0.9, b: 0 };
  const change = { text_fields: ['t', 'u'], text, payload_indexes: [], quantization: { rescore: false, oversampling: 1 } };
  const changed = { ...change, quantization: { type: 'int8', ...change.quantization } };
  assert.equal(declarationsOf((await call<Declared>('PATCH', at, change)).body), changed);
  assert.equal(declarationsOf((await call<Declared>('GET', at)).body), changed);
  assert.is((await call<Declared>('PATCH', at, { text_fields: [] })).body.text, null);
  invalidAt(await call('PATCH', at, { quantization: { type: 'float16' } }), 'quantization.type');
  invalidAt(await call('PATCH', at, { text: { k1: 1 } }), 'text');
});

test('a change takes ef_search and ttl_ms and nothing that would change what is stored', async () => {
  const at = `${COLLECTIONS}/changed`;
  await call('PUT', at, SMALL);
  const changed = await call<Info>('PATCH', at, { hnsw: { ef_search: 100 }, ttl_ms: 5_000 });
  assert.equal(
    [changed.status, changed.body.hnsw, changed.body.ttl_ms],
    [200, { m: 16, ef_construct: 200, ef_search: 100 }, 5_000],
  );
  assert.is((await call<Info>('PATCH', at, { ttl_ms: null })).body.ttl_ms, null);
  for (const [body, path] of [
    [{ dimension: 4 }, 'dimension'],
    [{ distance: 'dot' }, 'distance'],
    [{ hnsw: { m: 8 } }, 'hnsw.m'],
    [{ hnsw: { ef_search: 0 } }, 'hnsw.ef_search'],
    [{ ef_search: 3 }, 'ef_search'],
  ] as const) {
    invalidAt(await call('PATCH', at, body), path);
  }
  refused(await call('PATCH', `${COLLECTIONS}/nowhere`, { ttl_ms: 1 }), 404, 'CollectionNotFound');
});

test('deletion says so once, and a new collection of the name is empty', async () => {
  const at = `${COLLECTIONS}/gone`;
  await call('PUT', at, SMALL);
  await call('PUT', `${at}/points`, { points: [{ id: 1, vector: [1, 2, 3] }] });
  const gone = await call<{ deleted: boolean; position: string }>('DELETE', at);
  assert.equal([gone.status, gone.body.deleted, gone.body.position], [200, true, gone.headers['x-skein-position']]);
  const again = await call('DELETE', at);
  refused(again, 404, 'CollectionNotFound', { collection: 'gone' });
  assert.ok(Array.isArray(again.body.error.details['available_collections']));
  assert.is((await call<Info>('PUT', at, { dimension: 2, distance: 'dot' })).body.points_count, 0);
  refused(await call('GET', `${at}/points/1`), 404, 'PointNotFound', { id: 1 });
});

test('names are 1 to 128 of A-Za-z0-9_.- without a leading dot, and a bad one is refused as such on every method and route', async () => {
  for (const name of ['a', 'A-_.z', '0', 'a..b', 'x'.repeat(128), '__proto__', 'constructor', '%61bc']) {
    assert.is((await call('PUT', `${COLLECTIONS}/${name}`, SMALL)).status, 201, name);
  }
  const bad = [
    '.hidden',
    '..',
    '%2e%2e',
    'a%2Fb',
    '..%2f..%2fetc',
    'a%00b',
    'a%20b',
    'a+b',
    'a:b',
    '%C3%A9',
    '%E2%80%AEx',
    '%ff',
    '%',
    '%zz',
  ];
  for (const name of [...bad, 'a%0a', 'x'.repeat(129), 'x'.repeat(5_000)]) {
    for (const method of ['PUT', 'GET', 'PATCH', 'DELETE', 'POST']) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : SMALL;
      refused(
        await call(method, `${COLLECTIONS}/${name}`, body),
        400,
        'InvalidCollectionName',
        {},
        `${method} ${name.slice(0, 20)}`,
      );
    }
  }
  for (const tail of ['points', 'points/1', 'points/search', 'points/search/batch', 'points/import', 'points/delete']) {
    for (const method of ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']) {
      refused(await call(method, `${COLLECTIONS}/a%2Fb/${tail}`), 400, 'InvalidCollectionName', {}, `${method} ${tail}`);
    }
  }
});

test.run();
