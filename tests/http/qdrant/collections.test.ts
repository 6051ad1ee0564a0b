/** Collections, aliases and indexes of fields through the dialect. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/collections');

async function started(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  return startHttp(t, { engine });
}

test('a collection is made once, shown, changed and dropped', async (t) => {
  const { ask } = await started(t);
  const body = {
    vectors: { size: 4, distance: 'Dot', on_disk: true, hnsw_config: { m: 24 } },
    hnsw_config: { m: 8, ef_construct: 50 },
    quantization_config: { scalar: { type: 'int8', quantile: 0.99, always_ram: true } },
    strict_mode_config: { enabled: true, max_query_limit: 50 },
    optimizers_config: { default_segment_number: 2 },
    wal_config: null,
    shard_number: 2,
    replication_factor: 2,
  };
  const made = await ask('PUT', '/collections/c?timeout=10', body);
  assert.equal([made.status, made.body.result], [200, true]);
  const again = await ask('PUT', '/collections/c', { vectors: { size: 4, distance: 'Dot' } });
  assert.equal([again.status, again.body.status.error], [409, 'Wrong input: Collection `c` already exists!']);
  const { result } = (await ask('GET', '/collections/c')).body;
  assert.is(result.status, 'green');
  assert.is(result.points_count, 0);
  assert.equal(result.config.params.vectors, {
    size: 4,
    distance: 'Dot',
    hnsw_config: { m: 24, ef_construct: 50 },
    quantization_config: { scalar: { type: 'int8' } },
  });
  assert.is(result.config.strict_mode_config.max_query_limit, 50);
  assert.equal(result.payload_schema, {});
  const native = (await ask('GET', '/v1/collections/c')).body;
  assert.equal([native.dimension, native.distance, native.hnsw.m, native.quantization.type], [4, 'dot', 24, 'int8']);

  assert.is((await ask('PATCH', '/collections/c', { strict_mode_config: { max_query_limit: 60 } })).body.result, true);
  assert.is((await ask('PATCH', '/collections/c', { optimizers_config: { indexing_threshold: 1 } })).body.result, true);
  assert.is((await ask('GET', '/collections/c')).body.result.config.strict_mode_config.max_query_limit, 60);
  const rebuilt = await ask('PATCH', '/collections/c', { hnsw_config: { m: 32 } });
  assert.equal([rebuilt.status, /^Wrong input: hnsw_config: /.test(rebuilt.body.status.error)], [400, true]);
  assert.is((await ask('GET', '/collections/none')).status, 404);
});

test('what is not to be had is refused by its name, and what is malformed as such', async (t) => {
  const { ask } = await started(t);
  const vectors = { size: 4, distance: 'Dot' };
  const cases: readonly [object, number, RegExp][] = [
    [{ vectors: { size: 4, distance: 'Manhattan' } }, 400, /^Wrong input: vectors\.distance: /],
    [
      { vectors: { ...vectors, multivector_config: { comparator: 'max_sim' } } },
      400,
      /^Wrong input: vectors\.multivector_config: /,
    ],
    [{ vectors: { ...vectors, datatype: 'uint8' } }, 400, /^Wrong input: vectors\.datatype: /],
    [{ vectors: { ...vectors, size: 0 } }, 422, /^Validation error in JSON body: \[vectors\.size: /],
    [{ vectors: { ...vectors, size: '4' } }, 400, /./],
    [{ vectors: { ...vectors, distance: 'Far' } }, 400, /^Format error in JSON body: vectors\.distance: /],
    [{ vectors, quantization_config: { product: { compression: 'x4' } } }, 400, /^Wrong input: vectors\.quantization_config: /],
    [{ vectors, hnsw_config: { m: 0 } }, 400, /^Wrong input: vectors\.hnsw_config\.m: /],
    [{ vectors, sharding_method: 'custom' }, 400, /^Wrong input: sharding_method: /],
    [{ vectors, write_consistency_factor: 2 }, 400, /^Wrong input: write_consistency_factor: /],
    [{ vectors, metadata: { a: 1 } }, 400, /^Wrong input: metadata: /],
    [{ vectors, init_from: { collection: 'x' } }, 400, /^Format error in JSON body: init_from: unknown field/],
  ];
  for (const [body, status, message] of cases) {
    const answer = await ask('PUT', '/collections/c', body);
    assert.is(answer.status, status, JSON.stringify(body));
    assert.match(answer.body.status.error, message);
  }
  assert.equal((await ask('GET', '/collections')).body.result.collections, []);
});

test('fields are indexed one by one, also at once, and no more', async (t) => {
  const { ask } = await started(t);
  await ask('PUT', '/collections/c', { vectors: { size: 1, distance: 'Dot' } });
  await ask('PUT', '/collections/c/points?wait=true', {
    points: [1, 2, 3].map((id) => ({ id, vector: [id], payload: id < 3 ? { city: 'x', note: 'some words' } : {} })),
  });
  const index = (field_name: string, field_schema: unknown) =>
    ask('PUT', '/collections/c/index?wait=true', { field_name, field_schema });
  const answers = await Promise.all([
    index('city', 'keyword'),
    index('a.b', { type: 'integer', lookup: true, range: false, is_principal: null }),
    index('list[].id', { type: 'uuid', is_tenant: true, on_disk: true }),
    index('note', { type: 'text', tokenizer: 'word', lowercase: true }),
    index('at', 'datetime'),
  ]);
  for (const { status, body } of answers) assert.equal([status, body.result.status], [200, 'completed']);
  const schema = async () => (await ask('GET', '/collections/c')).body.result.payload_schema;
  assert.equal(await schema(), {
    city: { data_type: 'keyword', points: 2 },
    'a.b': { data_type: 'integer', points: 0 },
    'list.id': { data_type: 'keyword', points: 0 },
    at: { data_type: 'datetime', points: 0 },
    note: { data_type: 'text', points: 2, params: { type: 'text', tokenizer: 'word', lowercase: true } },
  });
  await index('city', 'integer');
  assert.is((await ask('DELETE', '/collections/c/index/note?wait=true')).body.result.status, 'completed');
  assert.is((await ask('DELETE', '/collections/c/index/none')).body.result.status, 'acknowledged');
  const { city, note } = await schema();
  assert.equal([city.data_type, note], ['integer', undefined]);
  for (const bad of ['nothing', { type: 'keyword', other: 1 }, { type: 'text', tokenizer: 'prefix' }, undefined])
    assert.is((await index('x', bad)).status, 400, JSON.stringify(bad));
});

test('actions on aliases take effect together, or none does', async (t) => {
  const { ask } = await started(t);
  for (const name of ['a', 'b']) await ask('PUT', `/collections/${name}`, { vectors: { size: 1, distance: 'Dot' } });
  const act = (...actions: object[]) => ask('POST', '/collections/aliases', { actions });
  const create = (collection_name: string, alias_name: string) => ({ create_alias: { collection_name, alias_name } });
  assert.is((await act(create('a', 'now'), create('b', 'next'))).body.result, true);
  const aliases = async (path: string): Promise<unknown> => (await ask('GET', path)).body.result.aliases;
  assert.equal(await aliases('/aliases'), [
    { alias_name: 'next', collection_name: 'b' },
    { alias_name: 'now', collection_name: 'a' },
  ]);
  const renamed = { rename_alias: { old_alias_name: 'now', new_alias_name: 'old' } };
  const failed = await act(renamed, { rename_alias: { old_alias_name: 'none', new_alias_name: 'other' } });
  assert.equal(
    [failed.status, (await aliases('/collections/a/aliases')) as object],
    [404, [{ alias_name: 'now', collection_name: 'a' }]],
  );
  assert.is((await act(renamed, create('b', 'now'), { delete_alias: { alias_name: 'next' } })).body.result, true);
  assert.equal(await aliases('/collections/a/aliases'), [{ alias_name: 'old', collection_name: 'a' }]);
  assert.equal((await ask('GET', '/collections/now')).status, 200);
  assert.is((await act({ create_alias: { alias_name: 'x' } })).status, 400);
  const first = await act({ delete_alias: { alias_name: 'none' } }, create('a', 'none'));
  assert.equal([first.status, first.body.result], [200, true], 'a switch on a first deployment');
});

test('an alias is no collection to drop: what it stands for stays', async (t) => {
  const { ask } = await started(t);
  await ask('PUT', '/collections/a', { vectors: { size: 1, distance: 'Dot' } });
  await ask('POST', '/collections/aliases', { actions: [{ create_alias: { collection_name: 'a', alias_name: 'prod' } }] });
  for (const path of ['/collections/prod', '/collections/prod/']) {
    const { status, body } = await ask('DELETE', path);
    assert.equal([status, body.result], [200, false], path);
  }
  assert.is((await ask('GET', '/collections/a/exists')).body.result.exists, true);
  assert.is((await ask('DELETE', '/collections/a')).body.result, true);
});

test.run();
