/** The route of searches by groups. */

import * as assert from 'uvu/assert';
import { floatBytes } from '../../src/codec/msgpack.js';
import { SkeinError } from '../../src/model/errors.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/routes/groups');
const GROUPS = '/v1/collections/c/points/search/groups';

async function withPoints(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const points = Array.from({ length: 20 }, (_, id) => ({ id, vector: [id, 0], payload: { kind: ['a', 7, true][id % 3], id } }));
  await http.ask('PUT', '/v1/collections/c/points', { points });
  return http;
}

test('groups come with their values and their best hits, in both forms', async (t) => {
  const { ask, askPacked } = await withPoints(t);
  const body = { group_by: 'kind', group_size: 2, limit: 2, with_payload: false, with_vector: true };
  const text = await ask('POST', GROUPS, { ...body, vector: [0.2, 0], explain: true });
  assert.equal(
    text.body.groups.map(({ value, hits }: { value: unknown; hits: { id: number }[] }) => [value, hits.map(({ id }) => id)]),
    [
      ['a', [0, 3]],
      [7, [1, 4]],
    ],
  );
  const [hit] = text.body.groups[0].hits;
  assert.equal(
    [Object.keys(hit), hit.vector],
    [
      ['id', 'score', 'version', 'vector'],
      [0, 0],
    ],
  );
  assert.equal(
    [text.body.complete, text.body.mode, text.body.degraded, text.body.took_ms, text.body.hits],
    [true, 'exact', false, 0.25, undefined],
  );
  assert.is(text.headers.get('x-skein-position'), text.body.position);
  assert.is(text.body.explain.plan, 'flat');
  const packed = await askPacked('POST', GROUPS, { group_by: 'kind', vector: floatBytes(Float32Array.of(0.2, 0)) });
  assert.equal(
    packed.body.groups.map(({ value, hits }: { value: unknown; hits: unknown[] }) => [value, hits.length]),
    [
      ['a', 3],
      [7, 3],
      [true, 3],
    ],
  );
});

test('all fields of a search reach the engine, with the defaults of groups', async (t) => {
  const { ask, engine } = await withPoints(t);
  assert.is((await ask('POST', GROUPS, { group_by: 'a.b', id: 3 })).status, 200);
  const usual = {
    fusion: { method: 'rrf', rrfK: 60, weights: { vector: 1, text: 1 } },
    cache: true,
    exact: false,
    explain: false,
  };
  const wanted = { ...usual, withPayload: true, withVector: false };
  assert.equal(engine.groupSearches, [{ ...wanted, id: 3, groupBy: 'a.b', groupSize: 3, limit: 10 }]);
  const filter = { must: [{ key: 'id', range: { lt: 5 } }] };
  await ask('POST', GROUPS, {
    group_by: 'kind',
    vector: [0, 0],
    filter,
    score_threshold: 3,
    ef_search: 9,
    timeout_ms: 50,
    exact: true,
  });
  const { vector: _, filter: parsed, ...rest } = engine.groupSearches[1] ?? {};
  assert.equal(parsed, { must: [{ kind: 'range', key: 'id', time: false, bounds: { lt: 5 } }] });
  assert.equal(rest, {
    ...wanted,
    exact: true,
    groupBy: 'kind',
    groupSize: 3,
    limit: 10,
    timeoutMs: 50,
    efSearch: 9,
    scoreThreshold: 3,
  });
});

test('requests that make no sense are refused by their place', async (t) => {
  const { ask } = await withPoints(t);
  const vector = [0, 0];
  for (const [body, path] of [
    [{ vector }, 'group_by'],
    [{ vector, group_by: '' }, 'group_by'],
    [{ vector, group_by: null }, 'group_by'],
    [{ vector, group_by: 'a..b' }, 'group_by'],
    [{ vector, group_by: 'x'.repeat(513) }, 'group_by'],
    [{ vector, group_by: 'a', group_size: 0 }, 'group_size'],
    [{ vector, group_by: 'a', group_size: 101 }, 'group_size'],
    [{ vector, group_by: 'a', limit: 0 }, 'limit'],
    [{ vector, group_by: 'a', limit: 101, group_size: 100 }, 'limit'],
    [{ vector, group_by: 'a', offset: 1 }, 'offset'],
    [{ group_by: 'a' }, ''],
    [{ vector, id: 1, group_by: 'a' }, ''],
    [{ vector, group_by: 'a', fusion: {} }, 'fusion'],
    [{ text: 'x', group_by: 'a' }, 'text'],
    [{ vector, group_by: 'a', with: 1 }, 'with'],
  ] as const) {
    const { status, body: answer } = await ask('POST', GROUPS, body);
    // The fake engine refuses a text the way the real one does: groups of a collection without text fields.
    assert.equal(
      [status, answer.error.type, answer.error.details.issues[0].path],
      [400, 'InvalidRequest', path],
      JSON.stringify(body),
    );
  }
  const place = async (body: object): Promise<unknown> => {
    const { body: answer } = await ask('POST', GROUPS, { group_by: 'a', ...body });
    return [answer.error.type, answer.error.details.path];
  };
  assert.equal(await place({ vector: [1] }), ['DimensionMismatch', 'vector']);
  assert.equal(await place({ id: 'none' }), ['PointNotFound', 'id']);
  assert.equal(await place({ vector, filter: [] }), ['InvalidFilter', '']);
  assert.equal(await place({ vector, filter: { must: [{ key: 'a' }] } }), ['InvalidFilter', 'must[0]']);
});

test('groups that are not full say so', async (t) => {
  const { ask, engine } = await withPoints(t);
  engine.searchGroups = async () => ({
    groups: [],
    complete: false,
    incompleteReason: 'time was over',
    mode: 'hybrid',
    degraded: true,
    tookMs: 1,
    position: engine.position(),
  });
  const { body } = await ask('POST', GROUPS, { group_by: 'a', vector: [0, 0] });
  assert.equal(
    [body.groups, body.complete, body.incomplete_reason, body.mode, body.degraded],
    [[], false, 'time was over', 'hybrid', true],
  );
});

test('what the engine refuses is told as it is', async (t) => {
  const { ask, engine } = await withPoints(t);
  engine.failNext('searchGroups', new SkeinError('SearchUnavailable', 'no engine', { failed: [] }));
  assert.is((await ask('POST', GROUPS, { group_by: 'a', vector: [0, 0] })).status, 503);
});

test.run();
