/** Points whose ids the own API was given in other spellings than the dialect's: whatever looks for one by its id finds it. */

import * as assert from 'uvu/assert';
import { FIXED } from '../../../src/model/limits.js';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/point-id');
const POINTS = '/collections/c/points';
const CANONICAL = '5c56c793-69f3-4fbf-87e6-c4bf54c28c26';
const UPPER = CANONICAL.toUpperCase();
const SIMPLE = CANONICAL.replaceAll('-', '');
const DIGITS = '12345';

async function started(t: TestContext, ids: readonly (string | number)[]): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const points = ids.map((id, i) => ({ id, vector: [1, i], payload: { by: String(id) } }));
  assert.is((await http.ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return http;
}

async function asked({ ask }: TestHttp, method: string, path: string, body?: unknown): Promise<ReturnType<typeof JSON.parse>> {
  const answer = await ask(method, `${POINTS}${path}`, body);
  assert.is(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.result;
}

const idsOf = (points: readonly { readonly id: unknown }[]): unknown[] => points.map(({ id }) => id);

test('a UUID in another spelling is found by that spelling: read, looked for, counted, filtered by', async (t) => {
  const http = await started(t, [UPPER, 7]);
  assert.equal(idsOf(await asked(http, 'POST', '', { ids: [UPPER, 7] })), [UPPER, 7]);
  assert.is((await asked(http, 'GET', `/${UPPER}`)).payload.by, UPPER);
  const filter = { must: [{ has_id: [UPPER] }] };
  assert.equal(await asked(http, 'POST', '/count', { filter }), { count: 1 });
  assert.equal(idsOf((await asked(http, 'POST', '/scroll', { filter })).points), [UPPER]);
  assert.equal(
    idsOf((await asked(http, 'POST', '/query', { query: UPPER })).points),
    [7],
    'it stands for its vector and is no hit',
  );
  assert.equal(idsOf(await asked(http, 'POST', '/recommend', { positive: [UPPER], limit: 5 })), [7]);
});

test('its payload is changed, and it is deleted', async (t) => {
  const http = await started(t, [UPPER, SIMPLE]);
  await asked(http, 'POST', '/payload?wait=true', { payload: { seen: true }, points: [UPPER] });
  await asked(http, 'POST', '/batch?wait=true', { operations: [{ set_payload: { payload: { late: 1 }, points: [SIMPLE] } }] });
  assert.equal(
    (await asked(http, 'POST', '', { ids: [UPPER, SIMPLE] })).map(({ payload }: { payload: object }) => payload),
    [
      { by: UPPER, seen: true },
      { by: SIMPLE, late: 1 },
    ],
  );
  const gone = () => http.ask('POST', `${POINTS}/delete?wait=true`, { points: [UPPER] }, { 'idempotency-key': 'once' });
  const first = await gone();
  assert.equal((await gone()).body.result, first.body.result, 'the same request again, though nothing is spelled so any more');
  assert.equal(idsOf((await asked(http, 'POST', '/scroll', {})).points), [SIMPLE]);
});

test('where a point has the canonical spelling, every spelling means that one', async (t) => {
  const http = await started(t, [UPPER, CANONICAL]);
  assert.equal(idsOf(await asked(http, 'POST', '', { ids: [UPPER, SIMPLE] })), [CANONICAL]);
  await asked(http, 'POST', '/delete?wait=true', { points: [UPPER] });
  assert.equal(idsOf((await asked(http, 'POST', '/scroll', {})).points), [UPPER]);
});

test('a text of digits is read by a body, and a path names the integer', async (t) => {
  const http = await started(t, [DIGITS, Number(DIGITS)]);
  assert.equal(idsOf(await asked(http, 'POST', '', { ids: [DIGITS] })), [DIGITS]);
  assert.is((await asked(http, 'GET', `/${DIGITS}`)).id, Number(DIGITS));
  await asked(http, 'POST', '/delete?wait=true', { points: [Number(DIGITS)] });
  assert.is((await http.ask('GET', `${POINTS}/${DIGITS}`)).status, 404);
  assert.equal(idsOf((await asked(http, 'POST', '/scroll', { filter: { must: [{ has_id: [DIGITS] }] } })).points), [DIGITS]);
});

test('groups find the points that stand for them in any spelling and of any length', async (t) => {
  const longest = 'x'.repeat(FIXED.idBytesMax);
  const http = await started(t, [UPPER, 7, longest]);
  const points = [`${longest}x`, longest, UPPER, CANONICAL, '7', 7].map((doc, id) => ({ id, vector: [1, id], payload: { doc } }));
  await http.ask('PUT', '/v1/collections/parts', { dimension: 2, distance: 'dot' });
  await http.ask('PUT', '/v1/collections/parts/points', { points });
  const body = { query: [0, 1], group_by: 'doc', with_lookup: 'c' };
  const answer = await http.ask('POST', '/collections/parts/points/query/groups', body);
  const groups = answer.body.result.groups as { id: unknown; lookup?: { id: unknown } }[];
  assert.equal(
    groups.map(({ id, lookup }) => [id, lookup?.id]),
    [
      [7, 7],
      ['7', undefined],
      [CANONICAL, undefined],
      [UPPER, UPPER],
      [longest, longest],
      [`${longest}x`, undefined],
    ],
  );
});

test.run();
