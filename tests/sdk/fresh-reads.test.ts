/** Reads that are not to be old, and waiting for a position: against real answers of servers whose age and position a test sets. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { type ClientSettings, errors, SkeinApiError, SkeinClient, SkeinTimeoutError } from '../../src/sdk/index.js';
import { FakeEngine } from '../support/fake-engine.js';
import { fakeReplication } from '../support/fake-replication.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';
import { stubServer } from './stub-server.js';
import { UnhurriedTransport } from './unhurried-transport.js';

const test = suite('sdk/fresh-reads');

interface Node extends TestHttp {
  readonly engine: FakeEngine;
  /** How old it says that it is. */
  stalenessMs: number | null;
  reads: number;
}

async function node(t: TestContext, role: 'master' | 'replica', stalenessMs: number | null): Promise<Node> {
  const engine = new FakeEngine();
  const spec = { dimension: 2, distance: 'dot', hnsw: { m: 2, efConstruct: 2, efSearch: 2 }, ttlMs: null } as const;
  await engine.write([{ kind: 'create_collection', collection: 'c', spec }], { wait: 'durable', timeoutMs: 1 });
  const state = { stalenessMs, reads: 0 };
  const count = engine.count.bind(engine);
  engine.count = (...asked) => {
    made.reads += 1;
    return count(...asked);
  };
  const replication = fakeReplication({ role: () => role, stalenessMs: () => made.stalenessMs });
  const made: Node = Object.assign(state, await startHttp(t, { engine, service: { replication } }), { engine });
  return made;
}

function clientOf(t: TestContext, nodes: readonly Node[], settings: Partial<ClientSettings> = {}): SkeinClient {
  const retries = { attempts: 3, firstDelayMs: 1, delayMsMax: 4 };
  const client = new SkeinClient({ nodes: nodes.map(({ url }) => url), retries, session: false, ...settings });
  t.after(() => client.close());
  return client;
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (error: unknown) => error,
  );

test('a fresh read goes on to a node that is new enough, and remembers for a while who was not', async (t) => {
  const [old, unknown, master] = [await node(t, 'replica', 5_000), await node(t, 'replica', null), await node(t, 'master', 0)];
  const transport = new UnhurriedTransport();
  const client = clientOf(t, [old, unknown, master], { readPreference: 'fresh', maxStalenessMs: 1_000, transport });
  for (let i = 0; i < 10; i++) await client.count('c');
  assert.equal([old.reads, unknown.reads, master.reads], [0, 0, 10], 'no answer is older than asked');
  const refused = (one: Node): number => one.log.filter(({ event }) => event === 'request').length;
  // Looked at once, asked once, and once more should two seconds have passed meanwhile; the master is asked ten times.
  assert.ok(refused(old) <= 4 && refused(unknown) <= 4);
  await client.count('c', undefined, { maxStalenessMs: 10_000, readPreference: 'replica' });
  assert.is(old.reads, 1, 'each call may say it for itself');
  const ages = new Map(client.nodes.map(({ url, stalenessMs }) => [url, stalenessMs]));
  assert.equal([ages.get(old.url), ages.get(unknown.url), ages.get(master.url)], [5_000, null, 0]);
});

test('where every node is too old the read ends as ReplicaBehind, with how old it was', async (t) => {
  const replica = await node(t, 'replica', 300);
  const client = clientOf(t, [replica], { maxStalenessMs: 200, retries: false });
  const error = await failureOf(client.count('c'));
  if (!(error instanceof errors.ReplicaBehind)) throw error;
  assert.equal([error.details.lag_ms, error.details.max_staleness_ms, error.retryable], [300, 200, true]);
  replica.stalenessMs = 200;
  assert.is(await client.count('c'), 0);
});

test('a fresh read of any age is a mistake of the program', async (t) => {
  const client = clientOf(t, [await node(t, 'master', 0)]);
  assert.instance(await failureOf(client.count('c', undefined, { readPreference: 'fresh' })), TypeError);
});

/** Token of a write, on a master that all follow. */
async function positionOf(one: Node): Promise<string> {
  return (await one.ask('GET', '/v1/collections')).headers.get('x-skein-position') ?? '';
}

test('a position is waited for at any node, or at each', async (t) => {
  const [master, replica] = [await node(t, 'master', 0), await node(t, 'replica', 10)];
  const position = await positionOf(master);
  // An answer that comes when the time is over counts too: on a slow machine it may be the only one.
  const client = clientOf(t, [master, replica], { transport: new UnhurriedTransport(() => true) });
  const behind = new SkeinError('ReplicaBehind', 'not yet', { requested: 9, applied: 1, lag_ms: null });
  let waits = 0;
  replica.engine.waitFor = () => {
    waits += 1;
    return waits <= 3 ? Promise.reject(behind) : Promise.resolve();
  };
  await client.waitFor(position);
  await client.waitFor(position, { nodes: 'all' });
  assert.ok(waits >= 4);
  replica.engine.waitFor = () => Promise.reject(behind);
  await client.waitFor(position);
  const late = await failureOf(client.waitFor(position, { nodes: 'all', timeoutMs: 300 }));
  assert.instance(late, SkeinTimeoutError);
  assert.equal(
    [(late as SkeinTimeoutError).timeoutMs, (late as SkeinTimeoutError).lastError instanceof errors.ReplicaBehind],
    [300, true],
  );
});

test('a position that no history has is not waited for', async (t) => {
  const master = await node(t, 'master', 0);
  const client = clientOf(t, [master]);
  master.engine.failNext('waitFor', new SkeinError('PositionLost', 'gone'));
  assert.instance(await failureOf(client.waitFor(await positionOf(master), { timeoutMs: 20_000 })), errors.PositionLost);
});

test('a node that is gone is waited for until the time is over, and a signal ends the wait', async (t) => {
  const gone = await stubServer(t, (_request, response) => {
    response.destroy();
    return null;
  });
  const client = new SkeinClient({ url: gone.url, retries: false });
  t.after(() => client.close());
  const late = await failureOf(client.waitFor('p', { timeoutMs: 250 }));
  assert.instance(late, SkeinTimeoutError);
  const stop = new AbortController();
  const waiting = failureOf(client.waitFor('p', { signal: stop.signal }));
  stop.abort(new Error('enough'));
  assert.is(((await waiting) as Error).message, 'enough');
  assert.not.instance(await waiting, SkeinApiError);
});

test.run();
