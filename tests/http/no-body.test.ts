/** Routes that change something and take no body: fields that somebody sends are refused, not passed over. From the route table, so that a route
 *  that is added is tried too. */

import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import type { Room } from '../../src/http/room.js';
import { allRoutes } from '../../src/http/routes/all.js';
import { FIXED } from '../../src/model/limits.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('http/no-body');
const TAKING_NONE = allRoutes({ limits: {} } as Room, { lastUsed: () => null, recheck: () => undefined }).filter(
  ({ method, body }) => method !== 'GET' && body === undefined,
);
const COLLECTION = '/v1/collections/c';
const SPEC = { dimension: 2, distance: 'dot' };
const JSON_TYPE = { 'content-type': 'application/json' };
const PACKED_TYPE = { 'content-type': 'application/msgpack' };

test('a route that changes something and takes no body refuses the fields of one', async (t) => {
  const { ask, engine } = await startHttp(t);
  await ask('PUT', COLLECTION, SPEC);
  const { seq } = engine;
  assert.ok(TAKING_NONE.some(({ operationId }) => operationId === 'deleteCollection'));
  for (const { method, path } of TAKING_NONE) {
    const place = path.replace(':collection', 'c').replaceAll(/:\w+/g, 'nothing-such');
    const { status, body } = await ask(method, place, { dry_run: true, why: 1 });
    const issues = ['dry_run', 'why'].map((name) => ({ path: name, message: 'unknown field' }));
    assert.equal([status, body.error?.type, body.error?.details.issues], [400, 'InvalidRequest', issues], `${method} ${path}`);
  }
  assert.is(engine.seq, seq, 'nothing was written');
  assert.is((await ask('GET', COLLECTION)).status, 200);
});

test('no body, an empty one and an empty object are the same', async (t) => {
  const { ask, send } = await startHttp(t);
  const ways: readonly [string | Buffer | undefined, Record<string, string>][] = [
    [undefined, {}],
    ['', JSON_TYPE],
    ['', PACKED_TYPE],
    [' {} ', JSON_TYPE],
    [Buffer.from(packMessage({})), PACKED_TYPE],
  ];
  for (const [body, headers] of ways) {
    await ask('PUT', COLLECTION, SPEC);
    const { status } = body === undefined ? await ask('DELETE', COLLECTION) : await send('DELETE', COLLECTION, body, headers);
    assert.is(status, 200, JSON.stringify([body, headers]));
  }
});

test('what is no object, no JSON, of another type or too large is refused as everywhere', async (t) => {
  const { ask, send } = await startHttp(t);
  await ask('PUT', COLLECTION, SPEC);
  const large = `{"why":"${'x'.repeat(FIXED.needlessBodyBytesMax)}"}`;
  for (const [body, headers, status, type] of [
    ['[]', JSON_TYPE, 400, 'InvalidRequest'],
    ['null', JSON_TYPE, 400, 'InvalidRequest'],
    ['{"dry_run":', JSON_TYPE, 400, 'InvalidJson'],
    ['dry_run=true', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'UnsupportedMediaType'],
    [large, JSON_TYPE, 413, 'PayloadTooLarge'],
  ] as const) {
    const answer = await send('DELETE', COLLECTION, body, headers);
    assert.equal([answer.status, answer.body.error?.type], [status, type], body.slice(0, 20));
  }
  assert.is((await ask('GET', COLLECTION)).status, 200);
});

test.run();
