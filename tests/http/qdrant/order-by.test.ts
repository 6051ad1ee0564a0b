/** The order of a field, asked of a scroll and of a query: one meaning, and what is told can be handed back. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/order-by');
const TIMES = [
  '2026-01-03T00:00:00.000001Z',
  '2026-01-01T00:00:00Z',
  '2026-01-02T12:00:00.123456+02:00',
  '1969-12-31T23:59:59.999999Z',
  '2026-01-02T12:00:00.123457+02:00',
];

interface Ordered {
  readonly id: number;
  readonly order_value: number;
}

async function started(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  const payload_indexes = [
    { path: 'n', type: 'integer' },
    { path: 'at', type: 'datetime' },
    { path: 'list.at', type: 'datetime' },
  ];
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot', payload_indexes });
  const points = TIMES.map((at, id) => ({ id, vector: [1, 1], payload: { n: id * 10, at, list: [{ at }, { at: TIMES[1] }] } }));
  assert.is((await http.ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return http;
}

/** Of both routes, which must say the same. @returns what they found, or the status they refused with */
async function ordered({ ask }: TestHttp, order_by: unknown): Promise<Ordered[] | number> {
  const scroll = await ask('POST', '/collections/c/points/scroll', { order_by, with_payload: false });
  const query = await ask('POST', '/collections/c/points/query', { query: { order_by } });
  assert.is(query.status, scroll.status, `${JSON.stringify(order_by)}: ${JSON.stringify([scroll.body, query.body])}`);
  if (scroll.status !== 200) return scroll.status;
  const found = (scroll.body.result.points as Ordered[]).map(({ id, order_value }) => ({ id, order_value }));
  assert.equal(
    (query.body.result.points as Ordered[]).map(({ id, order_value }) => ({ id, order_value })),
    found,
  );
  return found;
}

const idsOf = (found: Ordered[] | number): unknown => (typeof found === 'number' ? found : found.map(({ id }) => id));

test('times are told in whole microseconds, and begin where a told one is handed back', async (t) => {
  const http = await started(t);
  const all = await ordered(http, 'at');
  if (typeof all === 'number') throw new Error(`refused with ${all}`);
  assert.equal(idsOf(all), [3, 1, 2, 4, 0]);
  assert.equal(
    all.map(({ order_value }) => order_value),
    [-1, 1767225600000000, 1767348000123456, 1767348000123457, 1767398400000001],
  );
  for (const [place, { order_value: start_from }] of all.entries()) {
    assert.equal(await ordered(http, { key: 'at', start_from }), all.slice(place));
    assert.equal(await ordered(http, { key: 'at', direction: 'desc', start_from }), all.slice(0, place + 1).reverse());
  }
});

test('a time may be a text, and what is no time is refused', async (t) => {
  const http = await started(t);
  assert.equal(idsOf(await ordered(http, { key: 'at', start_from: '2026-01-02T10:00:00.123457Z' })), [4, 0]);
  assert.equal(idsOf(await ordered(http, { key: 'at', start_from: '2026-01-03', direction: 'desc' })), [4, 2, 1, 3]);
  for (const start_from of [1.5, 'soon', 2 ** 60, true, {}]) assert.is(await ordered(http, { key: 'at', start_from }), 400);
});

test('numbers begin at a number, and not at a text', async (t) => {
  const http = await started(t);
  assert.equal(idsOf(await ordered(http, { key: 'n', start_from: 19.5 })), [2, 3, 4]);
  assert.equal(idsOf(await ordered(http, { key: 'n', start_from: null, direction: null })), [0, 1, 2, 3, 4]);
  for (const start_from of ['2026-01-01T00:00:00Z', '7']) assert.is(await ordered(http, { key: 'n', start_from }), 400);
  for (const bad of ['none', { key: 'n', direction: 'up' }, { key: 'n', more: 1 }, { direction: 'asc' }, 7, 'n[', ''])
    assert.is(await ordered(http, bad), 400, JSON.stringify(bad));
});

test('a path goes through lists where it says so, to all elements or to one', async (t) => {
  const http = await started(t);
  assert.equal(idsOf(await ordered(http, 'list[].at')), [3, 0, 1, 2, 4]);
  assert.equal(idsOf(await ordered(http, 'list[0].at')), [3, 1, 2, 4, 0]);
  assert.equal(await ordered(http, 'list.at'), [], 'nothing is there without the places');
});

test.run();
