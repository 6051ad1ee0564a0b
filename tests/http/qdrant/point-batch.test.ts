/** Rows of operations: nothing of a row of another form is done, and time that is over leaves none of it undone. */

import { QdrantClient } from '@qdrant/js-client-rest';
import * as assert from 'uvu/assert';
import type { Engine, WriteOptions } from '../../../src/engine/engine.js';
import { SkeinError } from '../../../src/model/errors.js';
import type { Operation } from '../../../src/model/operation.js';
import type { Position } from '../../../src/model/position.js';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/point-batch');
const POINTS = '/collections/c/points';

async function started(t: TestContext, as: (engine: Engine) => Engine = (engine) => engine): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine: as(engine) });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const points = [1, 2, 3].map((id) => ({ id, vector: [1, id], payload: { id } }));
  assert.is((await http.ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return http;
}

async function payloads({ ask }: TestHttp): Promise<Record<string, unknown>> {
  const { body } = await ask('POST', `${POINTS}/scroll`, { limit: 100 });
  const points = body.result.points as { id: number; payload: unknown }[];
  return Object.fromEntries(points.map(({ id, payload }) => [id, payload]));
}

const UNTOUCHED = { 1: { id: 1 }, 2: { id: 2 }, 3: { id: 3 } };
const ASKED_MS = 1_000;
const GONE = { delete: { points: [1] } };

test('a row with an operation of another form is refused by its place, and none of it is done', async (t) => {
  const http = await started(t);
  const cases: readonly [object, number, RegExp][] = [
    [{ set_payload: { payload: 7, points: [2] } }, 400, /operations\[1\]\.set_payload\.payload: /],
    [{ set_payload: { payload: {} } }, 400, /operations\[1\]\.set_payload: exactly one of points and filter/],
    [{ set_payload: { payload: {}, points: [2], key: 'a..b' } }, 400, /operations\[1\]\.set_payload\.key/],
    [{ delete: { filter: { mus: [] } } }, 400, /operations\[1\]\.delete\.filter\.mus/],
    [{ delete: { points: [-1] } }, 400, /operations\[1\]\.delete\.points\[0\]/],
    [{ delete_payload: { keys: ['a'], points: [2], shard_key: 'x' } }, 400, /operations\[1\]\.delete_payload\.shard_key/],
    [{ overwrite_payload: { payload: {}, points: [2], key: 'a' } }, 400, /operations\[1\]\.overwrite_payload\.key/],
    [{ upsert: { points: [{ id: 9, vector: [1, 1] }], update_mode: 'some' } }, 400, /operations\[1\]\.upsert\.update_mode/],
    [{ upsert: { points: [{ id: 9, vector: [1, 1] }], update_filter: 1 } }, 400, /operations\[1\]\.upsert\.update_filter/],
    [
      { update_vectors: { points: [{ id: 1, vector: [1, 1] }], shard_key: 1 } },
      400,
      /operations\[1\]\.update_vectors\.shard_key/,
    ],
    [{ delete_vectors: { vector: [], points: [1] } }, 422, /operations\[1\]\.delete_vectors\.vector/],
    [{ clear_payload: { points: Array.from({ length: 10_001 }, (_, id) => id) } }, 400, /operations\[1\]\.clear_payload\.points/],
  ];
  for (const [operation, status, message] of cases) {
    const answer = await http.ask('POST', `${POINTS}/batch?wait=true`, { operations: [GONE, operation, GONE] });
    assert.is(answer.status, status, JSON.stringify(answer.body));
    assert.match(answer.body.status.error, message);
    assert.equal(await payloads(http), UNTOUCHED, JSON.stringify(operation).slice(0, 200));
  }
});

test('what only its turn can tell ends the row, and the error says how far it came', async (t) => {
  const http = await started(t);
  const client = new QdrantClient({ url: http.url });
  const operations = [GONE, { set_payload: { payload: { x: 1 }, points: [7] } }, { delete: { points: [2] } }];
  const error = await client.batchUpdate('c', { operations, wait: true }).then(
    () => {
      throw new Error('it was not refused');
    },
    (thrown: unknown) => thrown as { status: number; data: { status: { error: string } } },
  );
  assert.is(error.status, 404);
  assert.match(
    error.data.status.error,
    /Point with id 7 does not exists! \(operations\[1\]: the 1 before it are done and stay, none was begun behind it\)$/,
  );
  assert.equal(await payloads(http), { 2: { id: 2 }, 3: { id: 3 } });
});

/** Its indexes are two writes behind, for as long as anybody waits. */
function lateIndexes(real: Engine): Engine {
  const notShown = (seq: number) => new SkeinError('Timeout', 'not shown', { state: 'durable', seq });
  const late: Pick<Engine, 'write' | 'waitFor'> = {
    write: async (operations: readonly Operation[], options: WriteOptions) => {
      const receipt = await real.write(operations, { ...options, wait: 'durable' });
      if (options.wait === 'indexed' && options.timeoutMs <= ASKED_MS) throw notShown(receipt.seq);
      return receipt;
    },
    waitFor: async (position: Position, level, collection, maxWaitMs) => {
      if (level === 'durable') return real.waitFor(position, level, collection, maxWaitMs);
      assert.ok(maxWaitMs <= ASKED_MS, 'no longer than the caller said');
      throw new SkeinError('IndexBehind', 'not shown', { requested: position.seq, applied: position.seq - 2 });
    },
  };
  return new Proxy(real, {
    get: (target, name) => {
      if (name === 'write' || name === 'waitFor') return late[name];
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

test('when the time of the caller is over all operations are durable, and each says whether searches show it', async (t) => {
  const http = await started(t, lateIndexes);
  const set = (id: number) => ({ set_payload: { payload: { set: true }, points: [id] } });
  const { status, body } = await http.ask('POST', `${POINTS}/batch?wait=true&timeout=1`, {
    operations: [set(1), set(2), { delete: { filter: { must: [{ key: 'id', match: { value: 3 } }] } } }],
  });
  assert.is(status, 200, JSON.stringify(body));
  assert.equal(
    body.result.map((one: { status: string }) => one.status),
    ['completed', 'wait_timeout', 'wait_timeout'],
  );
  assert.equal(await payloads(http), { 1: { id: 1, set: true }, 2: { id: 2, set: true } });
});

test('without wait every operation is acknowledged', async (t) => {
  const http = await started(t);
  const { body } = await http.ask('POST', `${POINTS}/batch`, { operations: [GONE, { delete: { points: [] } }] });
  assert.equal(
    body.result.map((one: { status: string }) => one.status),
    ['acknowledged', 'acknowledged'],
  );
  assert.equal((await http.ask('POST', `${POINTS}/batch?wait=true`, { operations: [] })).body.result, []);
});

test.run();
