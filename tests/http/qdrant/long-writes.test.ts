/** Writes by filter that take longer than a request may: they go on while somebody waits, or say how far they came. */

import * as assert from 'uvu/assert';
import type { WriteOptions } from '../../../src/engine/engine.js';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine, pointBlock, WAIT } from '../../support/open-test-engine.js';
import { suite } from '../../support/suite.js';
import { waitUntil } from '../../support/wait-until.js';

const test = suite('http/qdrant/long-writes', { deadlineMs: 60_000 });

const POINTS = 30_000;
const PATH = '/collections/c/points';
const ALL = { must: [{ key: 'kind', match: { value: 'a' } }] };
const REQUEST_MS = 50;
/** A request that waits for itself may answer so much later. */
const GRACE_MS = 1_000;

test('without a timeout the time of a request does not end a write by filter, and with one it does', async (t) => {
  const { ask, engine } = await startHttp(t, { requestTimeoutMs: REQUEST_MS });
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const given: WriteOptions[] = [];
  const write = engine.deleteByFilter.bind(engine);
  engine.deleteByFilter = async (name, filter, options) => {
    given.push(options);
    const startMs = performance.now();
    const untilMs = options.eachUnitAnew === true ? REQUEST_MS + GRACE_MS + 100 : 0;
    await waitUntil(() => performance.now() - startMs > untilMs, { what: 'the time of a request' });
    return write(name, filter, options);
  };
  const waited = await ask('POST', `${PATH}/delete`, { filter: ALL });
  assert.equal([waited.status, waited.body.result?.status], [200, 'acknowledged'], JSON.stringify(waited.body));
  const inRow = await ask('POST', `${PATH}/batch`, { operations: [{ delete: { filter: ALL } }, { delete: { points: [1] } }] });
  assert.is(inRow.status, 200, JSON.stringify(inRow.body));
  assert.is((await ask('POST', `${PATH}/delete?timeout=20`, { filter: ALL })).status, 200);
  assert.equal(
    given.map(({ eachUnitAnew = false, timeoutMs }) => [eachUnitAnew, timeoutMs <= 20_000]),
    [
      [true, false],
      [true, false],
      [false, true],
    ],
  );
});

test('a write to 30,000 points ends whole, or says how far it came until asking again has done the rest', async (t) => {
  const { engine, create } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('c', 2);
  for (let from = 0; from < POINTS; from += 10_000) {
    const points = Array.from({ length: 10_000 }, (_, i) => ({ id: from + i, vector: [i, 1], payload: { kind: 'a' } }));
    await engine.write([{ kind: 'upsert', collection: 'c', points: pointBlock(points) }], { ...WAIT, wait: 'durable' });
  }
  const { ask } = await startHttp(t, { engine, requestTimeoutMs: 300 });
  // Counting reads every row, and has no part in the time that is measured.
  const counter = await startHttp(t, { engine });
  const count = async (filter: object): Promise<number> =>
    (await counter.ask('POST', `${PATH}/count`, { filter })).body.result.count;
  const before = engine.position().seq;
  const patched = await ask('POST', `${PATH}/payload`, { payload: { seen: true }, filter: ALL });
  assert.equal([patched.status, patched.body.result?.operation_id], [200, engine.position().seq], JSON.stringify(patched.body));
  assert.is(engine.position().seq - before, POINTS / 1_000);
  assert.is(await count({ must: { key: 'seen', match: { value: true } } }), POINTS);
  for (let asked = 1; ; asked++) {
    const left = await count(ALL);
    const deleted = await ask('POST', `${PATH}/delete?timeout=1`, { filter: ALL });
    if (deleted.status === 200) break;
    assert.is(deleted.status, 408);
    const points = Number(/(\d+) points in \d+ units? before it are done/.exec(deleted.body.status.error)?.[1] ?? 0);
    // What was queued when the time was over may have come through.
    assert.ok((await count(ALL)) <= left - points, deleted.body.status.error);
    assert.ok(asked < 30, 'it never ends');
  }
  assert.is(await count(ALL), 0);
});

test.run();
