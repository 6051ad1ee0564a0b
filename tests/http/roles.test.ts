/** Only the master changes data: which routes say so, and what a replica answers to them. */

import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import type { Room } from '../../src/http/room.js';
import { allRoutes } from '../../src/http/routes/all.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Role } from '../../src/model/replication.js';
import { FakeEngine } from '../support/fake-engine.js';
import { fakeReplication } from '../support/fake-replication.js';
import { ALONE, startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/roles');
const MASTER = 'http://10.0.0.1:7171';
const replica = fakeReplication({ role: () => 'replica', masterUrl: () => MASTER });
const orphan = fakeReplication({ role: () => 'replica', masterUrl: () => null });
const WRITE = { dimension: 2, distance: 'dot' };

/** They change no data, although their method could. */
const READS = [
  'getPoints',
  'scrollPoints',
  'countPoints',
  'facetPoints',
  'searchPoints',
  'searchPointsBatch',
  'searchPointsGroups',
  'recommendPoints',
  'measureRecall',
];
/** They are about the node that is asked. */
const ADMINISTRATION = [
  ...['promote', 'follow', 'resync', 'verifyReplicas', 'forgetReplica'],
  ...['setLogLevel', 'setSlowQueryThreshold'],
  ...['createBackup', 'removeBackup', 'restoreBackup', 'verifyBackup'],
];

test('every route that could change data says that it needs the master, or is on a list of those that do not', () => {
  const unsafe = allRoutes({ limits: {} } as Room, { lastUsed: () => null, recheck: () => undefined }).filter(
    ({ method }) => method !== 'GET',
  );
  const free = unsafe.filter(({ master }) => master !== true).map(({ operationId }) => operationId);
  assert.equal(free.sort(), [...READS, ...ADMINISTRATION].sort());
  assert.equal(
    allRoutes({ limits: {} } as Room, { lastUsed: () => null, recheck: () => undefined }).filter(
      ({ method, master }) => method === 'GET' && master === true,
    ),
    [],
  );
});

test('a replica sends every write to the same path of its master, and does nothing', async (t) => {
  const { ask, url, engine } = await startHttp(t, { service: { replication: replica } });
  const points = '/v1/collections/c/points';
  const writes = [
    ['PUT', '/v1/collections/c?w=1&wait=durable'],
    ['PATCH', '/v1/collections/c'],
    ['DELETE', '/v1/collections/c'],
    ['PUT', points],
    ['PATCH', points],
    ['POST', `${points}/delete`],
    ['POST', `${points}/import?w=2`],
    ['PUT', '/v1/aliases/a?w=1'],
    ['DELETE', '/v1/aliases/a'],
    ['POST', '/v1/batch'],
  ] as const;
  for (const [method, path] of writes) {
    const answer = await ask(method, path, method === 'DELETE' ? undefined : WRITE);
    assert.equal([answer.status, answer.body.error.type], [307, 'NotMaster'], path);
    assert.equal(answer.body.error.details, { master_url: MASTER });
    assert.is(answer.headers.get('location'), `${MASTER}${path}`);
    assert.is(answer.body.error.retryable, true);
  }
  assert.equal(engine.writes, []);
  assert.not.equal(url, MASTER);
});

test('without a known master a write is 503 NoMaster, with a time to come back', async (t) => {
  const { ask } = await startHttp(t, { service: { replication: orphan } });
  const answer = await ask('PUT', '/v1/collections/c', WRITE);
  assert.equal([answer.status, answer.body.error.type], [503, 'NoMaster']);
  assert.is(answer.headers.get('retry-after'), '1');
  assert.is(answer.headers.get('location'), null);
});

test('a replica reads, and is administered', async (t) => {
  const engine = new FakeEngine();
  const spec = { dimension: 2, distance: 'dot', hnsw: { m: 2, efConstruct: 2, efSearch: 2 }, ttlMs: null } as const;
  await engine.write([{ kind: 'create_collection', collection: 'c', spec }], { wait: 'durable', timeoutMs: 1 });
  const { ask } = await startHttp(t, { engine, service: { replication: replica } });
  const points = '/v1/collections/c/points';
  for (const [path, body] of [
    ['get', { ids: [1] }],
    ['scroll', {}],
    ['count', {}],
    ['search', { vector: [1, 2] }],
    ['search/batch', { searches: [{ vector: [1, 2] }] }],
  ] as const) {
    assert.is((await ask('POST', `${points}/${path}`, body)).status, 200, path);
  }
  assert.is((await ask('GET', '/v1/aliases')).status, 200);
  assert.is((await ask('POST', '/replication/promote')).status, 200);
});

test('the key comes before the role, and the role before the body', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'the-key-of-this-test', service: { replication: replica } });
  assert.is((await ask('PUT', '/v1/collections/c', WRITE)).status, 401);
  const headers = { 'api-key': 'the-key-of-this-test' };
  assert.is((await ask('PUT', '/v1/collections/c', WRITE, headers)).status, 307);
  // A body that could never be read, and a name that could never be right: the master says so, not the replica.
  assert.is((await ask('PUT', '/v1/collections/c', 'no object', headers)).status, 307);
});

test('a body on its way to a replica is dropped, and the connection goes on', async (t) => {
  const { url } = await startHttp(t, { service: { replication: replica } });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  const body = 'x'.repeat(200_000);
  const head = `PUT /v1/collections/c/points HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(head + body.slice(0, 100));
  await waitUntil(() => text.includes('307 Temporary Redirect'), { what: 'the redirect' });
  socket.write(`${body.slice(100)}GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await waitUntil(() => text.includes('HTTP/1.1 200 OK'), { what: 'the next answer' });
});

test('a write that meets the end of mastership inside is told where the master is', async (t) => {
  let role: Role = 'master';
  const replication = fakeReplication({ role: () => role, masterUrl: () => MASTER });
  const admit = async (): Promise<void> => {
    role = 'replica';
  };
  const { ask, engine } = await startHttp(t, { service: { replication, writeConcern: { ...ALONE, admit } } });
  engine.failNext('write', new SkeinError('NotMaster', 'the writer takes no writes any more'));
  const answer = await ask('PUT', '/v1/collections/c', WRITE);
  assert.is(answer.status, 307);
  assert.is(answer.headers.get('location'), `${MASTER}/v1/collections/c`);
});

test('a master that is handing over sends nobody to itself', async (t) => {
  const { ask, engine } = await startHttp(t, { service: { replication: fakeReplication({ masterUrl: () => MASTER }) } });
  engine.failNext('write', new SkeinError('NotMaster', 'the writer takes no writes any more'));
  const answer = await ask('PUT', '/v1/collections/c', WRITE);
  assert.equal([answer.status, answer.body.error.type, answer.headers.get('location')], [503, 'NoMaster', null]);
  assert.is(answer.headers.get('retry-after'), '1');
});

test('a replica that may not forget another sends the caller to the master', async (t) => {
  const forget = () => Promise.reject(new SkeinError('NotMaster', 'only the master forgets a voter'));
  const replication = fakeReplication({ role: () => 'replica', masterUrl: () => MASTER, forget });
  const { ask } = await startHttp(t, { service: { replication } });
  const answer = await ask('DELETE', '/replication/replicas/a%20b');
  assert.equal([answer.status, answer.headers.get('location')], [307, `${MASTER}/replication/replicas/a%20b`]);
});

test('a write that too few replicas could take is refused before its body is read', async (t) => {
  const admit = () => Promise.reject(new SkeinError('Overloaded', 'too few', { reason: 'min_replicas' }));
  const writeConcern = { ...ALONE, admit };
  const { ask, engine } = await startHttp(t, { service: { writeConcern } });
  const answer = await ask('PUT', '/v1/collections/c', WRITE);
  assert.equal([answer.status, answer.body.error.details], [503, { reason: 'min_replicas' }]);
  assert.equal(engine.writes, []);
});

test.run();
