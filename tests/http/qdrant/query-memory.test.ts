/** What a request of queries holds at once has one bound, whatever it is made of: kinds of queries, prefetches, groups, examples, many at once. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/query-memory', { deadlineMs: 60_000 });

const POINTS = 40;
/** Of a payload, and of a vector: so all points have about 40 × 8 KiB. */
const POINT_BYTES = 4_096;
const DIMENSION = POINT_BYTES / 4;
/** All payloads, or all vectors, and not twice of them. */
const BOUND = POINTS * POINT_BYTES * 1.5;
const QUERY = '/collections/c/points/query';

const vectorOf = (seed: number): number[] => Array.from({ length: DIMENSION }, (_, i) => ((i * 7 + seed * 13) % 101) - 50.5);
const NEAR = vectorOf(1);
const PAIR = { positive: 2, negative: 3 };
/** One of each kind, all of which find all. */
const KINDS: readonly (readonly [string, object])[] = [
  ['ids', {}],
  ['nearest', { query: NEAR }],
  ['order_by', { query: { order_by: 'n' } }],
  ['sample', { query: { sample: 'random' } }],
  ['best_score', { query: { recommend: { positive: [NEAR], strategy: 'best_score' } } }],
  ['discover', { query: { discover: { target: NEAR, context: [PAIR] } } }],
  ['context', { query: { context: [PAIR] } }],
  ['fusion', { query: { fusion: 'rrf' }, prefetch: [{ query: NEAR, limit: POINTS }] }],
];

async function filled(t: TestContext, over: { readonly answerBytesMax?: number } = {}): Promise<TestHttp['ask']> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask } = await startHttp(t, { engine, limits: { answerBytesMax: BOUND, ...over } });
  const declared = { dimension: DIMENSION, distance: 'dot', payload_indexes: [{ path: 'n', type: 'integer' }] };
  assert.is((await ask('PUT', '/v1/collections/c', declared)).status, 201);
  const text = 'x'.repeat(POINT_BYTES - 40);
  const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: vectorOf(id), payload: { n: id, of: id % 4, text } }));
  assert.is((await ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return ask;
}

function mustRefuse(what: string, { status, body }: Awaited<ReturnType<TestHttp['ask']>>): void {
  assert.is(status, 413, `${what}: ${JSON.stringify(body).slice(0, 200)}`);
  assert.match(body.status.error, `more than ${BOUND} bytes: ask for fewer`);
}

test('what fits once is refused twice in one request, whatever its kind', async (t) => {
  const ask = await filled(t);
  for (const [name, kind] of KINDS) {
    const shown = { ...kind, limit: POINTS, with_payload: true };
    const one = await ask('POST', QUERY, shown);
    assert.is(one.status, 200, `${name}: ${JSON.stringify(one.body).slice(0, 200)}`);
    assert.ok(one.body.result.points.length >= POINTS - 2, name);
    assert.is((await ask('POST', `${QUERY}/batch`, { searches: [shown] })).status, 200, name);
    mustRefuse(name, await ask('POST', `${QUERY}/batch`, { searches: [shown, shown] }));
    const bare = { ...shown, with_payload: false };
    assert.is((await ask('POST', `${QUERY}/batch`, { searches: [bare, bare] })).status, 200, name);
    assert.is((await ask('POST', QUERY, shown)).status, 200, `${name}: the next request has the whole of it`);
  }
  const of = { limit: POINTS, with_payload: true };
  const older = {
    search: { vector: NEAR, ...of },
    recommend: { positive: [1], strategy: 'best_score', ...of },
    discover: { target: NEAR, context: [PAIR], ...of },
  };
  for (const [path, body] of Object.entries(older)) {
    const one = await ask('POST', `/collections/c/points/${path}`, body);
    assert.is(one.status, 200, `${path}: ${JSON.stringify(one.body).slice(0, 200)}`);
    mustRefuse(path, await ask('POST', `/collections/c/points/${path}/batch`, { searches: [body, body] }));
  }
});

test('the points of groups and what is looked up for them count together', async (t) => {
  const ask = await filled(t);
  const groups = { group_by: 'of', limit: 4, group_size: 10, with_payload: true };
  const lookup = { with_lookup: { collection: 'c', with_payload: true, with_vectors: true } };
  for (const query of [NEAR, { order_by: 'n' }]) {
    const found = await ask('POST', `${QUERY}/groups`, { ...groups, query });
    assert.is(found.status, 200, JSON.stringify(found.body).slice(0, 200));
    assert.is(found.body.result.groups.length, 4);
    const few = await ask('POST', `${QUERY}/groups`, { ...groups, ...lookup, query });
    assert.is(few.status, 200, 'four more');
  }
  // A group for each point: all of them are looked up, with their vectors.
  const each = { ...groups, group_by: 'n', limit: POINTS, group_size: 1 };
  for (const query of [NEAR, { order_by: 'n' }]) {
    assert.is((await ask('POST', `${QUERY}/groups`, { ...each, query })).status, 200);
    mustRefuse('lookup', await ask('POST', `${QUERY}/groups`, { ...each, ...lookup, query }));
  }
  // Two groups of ten are full in the second round alone, which reads again what the first one has read.
  const rounds = { ...groups, query: { order_by: 'n' }, limit: 2 };
  const full = await ask('POST', `${QUERY}/groups`, rounds);
  assert.equal([full.status, full.body.result?.groups.map((group: { hits: unknown[] }) => group.hits.length)], [200, [10, 10]]);
});

test('vectors that examples stand for, and those that are looked at for their variety, count while they are needed', async (t) => {
  const ask = await filled(t);
  const examples = Array.from({ length: POINTS }, (_, id) => id);
  const like = { query: { recommend: { positive: examples, strategy: 'best_score' } }, limit: 1 };
  assert.is((await ask('POST', QUERY, like)).status, 200);
  mustRefuse('examples', await ask('POST', `${QUERY}/batch`, { searches: [like, like] }));
  const varied = { query: { nearest: NEAR, mmr: { diversity: 0.5, candidates_limit: POINTS } }, limit: 3, with_payload: true };
  const both = await ask('POST', `${QUERY}/batch`, { searches: [varied] });
  assert.is(both.status, 200);
  assert.is(both.body.result[0].points.length, 3);
});

test('a matrix holds the vectors of what it draws within the bound', async (t) => {
  const ask = await filled(t, { answerBytesMax: (POINTS * POINT_BYTES) / 2 });
  const path = '/collections/c/points/search/matrix/pairs';
  assert.is((await ask('POST', path, { sample: 5, limit: 2 })).status, 200);
  const refused = await ask('POST', path, { sample: POINTS, limit: 2 });
  assert.is(refused.status, 413);
});

test.run();
