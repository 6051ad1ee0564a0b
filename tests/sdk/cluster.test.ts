/** A client of several nodes: who is asked, what becomes of a call when a node fails, stands still, or another takes over. */

import * as assert from 'uvu/assert';
import { type ClientSettings, SkeinApiError, SkeinClient } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { apiError, type Reply, type StubServer, stubServer } from './stub-server.js';
import { UnhurriedTransport } from './unhurried-transport.js';

const test = suite('sdk/cluster');
const written = { upserted: 1, seq: 7, position: 'p', write_concern: { required: 2, acknowledged: 2 } };
const imported = (lines: Buffer): object => ({
  ...{ imported: lines.toString().split('\n').length - 1, failed: [], failed_count: 0, position: 'p' },
  write_concern: { required: 1, acknowledged: 1 },
});
const point = { id: 1, vector: new Float32Array([1]) };
const quick = { attempts: 6, firstDelayMs: 1, delayMsMax: 8 };

interface Node extends StubServer {
  role: 'master' | 'replica';
  epoch: number;
  /** Of a replica: whom it names. */
  masterUrl: string | null;
  /** What it answers to every call; null: as its role says. */
  instead: (() => Reply | 'nothing' | 'cut') | null;
  /** Calls, without looks at what it is. */
  calls(): string[];
}

async function node(t: TestContext): Promise<Node> {
  const made: Pick<Node, 'role' | 'epoch' | 'masterUrl' | 'instead'> = {
    role: 'replica',
    epoch: 1,
    masterUrl: null,
    instead: null,
  };
  const stub = await stubServer(t, ({ path, method, bytes }, response) => {
    const instead = state.instead?.() ?? null;
    if (instead === 'nothing') return null;
    if (instead === 'cut') {
      response.destroy();
      return null;
    }
    if (instead !== null) return instead;
    if (path === '/health/ready') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ status: 'healthy', state: 'ready', role: state.role, epoch: state.epoch }));
      return null;
    }
    if (path.endsWith('/import') && state.role === 'master')
      return { body: `${JSON.stringify(imported(bytes))}\n`, headers: { 'content-type': 'application/x-ndjson' } };
    if (method === 'POST' && !path.endsWith('/import')) return { body: { count: 1 } };
    if (state.role === 'master') return { body: written };
    const named = state.masterUrl === null ? {} : { location: `${state.masterUrl}${path}` };
    return { ...apiError(307, 'NotMaster', { retryable: true }), headers: { 'content-type': 'application/msgpack', ...named } };
  });
  const calls = (): string[] => stub.received.filter(({ path }) => path !== '/health/ready').map(({ method }) => method);
  const state: Node = Object.assign(made, { ...stub, calls });
  return state;
}

async function three(t: TestContext, settings: Partial<ClientSettings> = {}) {
  const [a, b, c] = [await node(t), await node(t), await node(t)];
  a.role = 'master';
  for (const replica of [b, c]) replica.masterUrl = a.url;
  const transport = new UnhurriedTransport();
  const client = new SkeinClient({ nodes: [c.url, b.url, a.url], retries: quick, transport, ...settings });
  t.after(() => client.close());
  return { a, b, c, client };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([call]);
  assert.is(outcome.status, 'rejected');
  return outcome.status === 'rejected' ? outcome.reason : null;
}

async function refusedBy(call: Promise<unknown>): Promise<SkeinApiError> {
  const error = await failureOf(call);
  assert.instance(error, SkeinApiError);
  return error as SkeinApiError;
}

const keysOf = ({ received }: Node): unknown[] =>
  received.map(({ headers }) => headers['idempotency-key']).filter((key) => key !== undefined);

test('writes go to the master at once, whichever node comes first', async (t) => {
  const { a, b, c, client } = await three(t);
  for (let i = 0; i < 5; i++) await client.upsert('c', [point]);
  assert.equal(
    [a, b, c].map((one) => one.calls().length),
    [5, 0, 0],
  );
  assert.equal(
    new Set(client.nodes.map(({ url, role }) => `${url} ${role}`)),
    new Set([`${a.url} master`, `${b.url} replica`, `${c.url} replica`]),
  );
});

test('reads go where they are wanted, and to another node when that one cannot serve', async (t) => {
  const { a, b, c, client } = await three(t, { readPreference: 'replica' });
  for (let i = 0; i < 5; i++) await client.count('c');
  assert.is(a.calls().length, 0);
  assert.is(b.calls().length + c.calls().length, 5);
  for (const replica of [b, c]) replica.instead = () => apiError(503, 'ReplicaBehind', { retryable: true });
  assert.is(await client.count('c'), 1);
  assert.is(a.calls().length, 1);
  a.instead = () => apiError(404, 'CollectionNotFound');
  const error = await refusedBy(client.count('c'));
  assert.is(error.type, 'CollectionNotFound', 'what no node will ever serve is said by the first that knows');
});

test('reads of the master go to nobody else', async (t) => {
  const { a, b, c, client } = await three(t, { readPreference: 'master', retries: { ...quick, attempts: 2 } });
  await client.count('c');
  a.instead = () => 'cut';
  await failureOf(client.count('c'));
  assert.equal([b.calls(), c.calls()], [[], []]);
});

test('when another node takes over, a write that is under way goes there, with its key', async (t) => {
  const { a, b, c, client } = await three(t, { retries: { ...quick, attempts: 60 } });
  await client.upsert('c', [point]);
  a.instead = () => 'cut';
  const writing = client.upsert('c', [point]);
  await waitUntil(() => b.calls().length + c.calls().length >= 2, { what: 'the replicas to be asked' });
  Object.assign(b, { role: 'master', epoch: 2 });
  c.masterUrl = b.url;
  assert.is((await writing).upserted, 1);
  const keys = new Set([...keysOf(a).slice(1), ...keysOf(b), ...keysOf(c)]);
  assert.is(keys.size, 1, 'one write, one key');
  a.instead = null;
  await client.upsert('c', [point]);
  const before = b.calls().length;
  for (let i = 0; i < 5; i++) await client.upsert('c', [point]);
  assert.is(b.calls().length, before + 5, 'the old master, which still says that it is one, is of an earlier mastership');
});

test('a node that stands still costs a call one wait, and later calls none', async (t) => {
  let still: string | null = null;
  const transport = new UnhurriedTransport((url) => still === null || !url.startsWith(still));
  const { a, b, client } = await three(t, { readPreference: 'replica', tryTimeoutMs: 200, transport });
  await client.count('c');
  b.instead = () => 'nothing';
  still = b.url;
  for (let i = 0; i < 20; i++) assert.is(await client.count('c'), 1);
  // Once when all was well, so often until it is avoided, and again when that is over, as it may be on a slow machine.
  assert.ok(b.calls().length <= 7, `asked ${b.calls().length} times`);
  assert.is(a.calls().length, 0, 'there is another replica');
});

test('what the master refuses is said at once, and no other node is asked', async (t) => {
  const { a, b, c, client } = await three(t);
  await client.upsert('c', [point]);
  a.instead = () => apiError(409, 'VersionConflict');
  assert.is((await refusedBy(client.upsert('c', [point]))).type, 'VersionConflict');
  assert.equal(
    [a, b, c].map((one) => one.calls().length),
    [2, 0, 0],
  );
});

test('without a master a write ends as NotMaster when its tries are over, and a write that may not be repeated when its first is lost', async (t) => {
  const { a, client } = await three(t);
  a.role = 'replica';
  const error = await refusedBy(client.upsert('c', [point]));
  assert.equal([error.type, error.retryable], ['NotMaster', true]);
  a.role = 'master';
  await client.upsert('c', [point]);
  a.instead = () => 'cut';
  const before = a.calls().length;
  await failureOf(client.upsert('c', [point], { idempotencyKey: false }));
  assert.is(a.calls().length, before + 1);
});

test('a closed client ends its calls, also those that wait to try again', async (t) => {
  const { a, b, c, client } = await three(t, { retries: { attempts: 50, firstDelayMs: 10_000, delayMsMax: 10_000 } });
  for (const one of [a, b, c]) one.instead = () => 'cut';
  const call = failureOf(client.count('c'));
  await waitUntil(() => a.calls().length + b.calls().length + c.calls().length >= 3, { what: 'all to be asked' });
  client.close();
  assert.match(String(await call), 'the client was closed');
});

test('an import finds the master before it takes the first point, also by the address of a replica alone', async (t) => {
  const { a, b, c } = await three(t);
  const points = Array.from({ length: 3 }, (_, id) => ({ ...point, id }));
  const alone = new SkeinClient({ url: b.url, transport: new UnhurriedTransport() });
  t.after(() => alone.close());
  assert.is((await alone.importPoints('c', points, { idempotencyKey: 'k' })).imported, 3);
  assert.equal(keysOf(b), [], 'what finds the master is no import of its own');
  assert.equal([a.calls().length, b.calls().length, c.calls().length], [1, 1, 0]);
  // Another took over since: whoever is asked first says so itself.
  Object.assign(a, { role: 'replica', masterUrl: c.url });
  Object.assign(c, { role: 'master', epoch: 2 });
  b.masterUrl = c.url;
  assert.is((await alone.importPoints('c', points)).imported, 3);

  c.role = 'replica';
  for (const one of [a, b, c]) one.masterUrl = null;
  let taken = 0;
  function* source() {
    for (taken = 1; taken < 3; taken++) yield point;
  }
  assert.is((await refusedBy(alone.importPoints('c', source()))).type, 'NotMaster');
  assert.is(taken, 0, 'nothing was taken where nobody could take it');
});

test('a client is given one node or several, and never both', () => {
  assert.throws(() => new SkeinClient({}), 'url');
  assert.throws(() => new SkeinClient({ url: 'http://a', nodes: ['http://b'] }), 'url');
  assert.throws(() => new SkeinClient({ nodes: [] }), 'at least one');
  // The second is an address of the scheme `localhost:`, which a browser would ask its own page's server for.
  for (const url of ['nowhere', 'localhost:7171', '127.0.0.1:7171', 'ws://127.0.0.1:7171', ''])
    assert.throws(
      () => new SkeinClient({ nodes: ['http://a', url] }),
      (error: unknown) => error instanceof TypeError && error.message.includes('begins with http:// or https://'),
      url,
    );
});

test.run();
