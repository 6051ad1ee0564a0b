/** How old an answer may be: max_staleness_ms on every read, and what ReplicaBehind says of the lag. */

import * as assert from 'uvu/assert';
import { type Clock, systemClock } from '../../src/model/clock.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Role } from '../../src/model/replication.js';
import { FakeEngine } from '../support/fake-engine.js';
import { fakeReplication } from '../support/fake-replication.js';
import { startHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/fresh-reads');
const POINTS = '/v1/collections/c/points';

/** A server whose state is so old. */
async function stale(t: TestContext, stalenessMs: number | null, clock: Clock = systemClock, role: Role = 'replica') {
  const engine = new FakeEngine();
  const spec = { dimension: 2, distance: 'dot', hnsw: { m: 2, efConstruct: 2, efSearch: 2 }, ttlMs: null } as const;
  await engine.write([{ kind: 'create_collection', collection: 'c', spec }], { wait: 'durable', timeoutMs: 1 });
  const replication = fakeReplication({ role: () => role, stalenessMs: () => stalenessMs });
  return { ...(await startHttp(t, { engine, service: { replication }, clock })), engine };
}

const READS = [
  ['GET', '/v1/collections', undefined],
  ['GET', '/v1/collections/c', undefined],
  ['GET', `${POINTS}/1`, undefined],
  ['POST', `${POINTS}/get`, { ids: [1] }],
  ['POST', `${POINTS}/scroll`, {}],
  ['POST', `${POINTS}/count`, {}],
  ['POST', `${POINTS}/search`, { vector: [1, 2] }],
  ['POST', `${POINTS}/search/batch`, { searches: [{ vector: [1, 2] }] }],
] as const;

test('every read takes max_staleness_ms, and refuses a state that is older or of unknown age', async (t) => {
  const old = await stale(t, 250.5);
  const unknown = await stale(t, null);
  for (const [method, path, body] of READS) {
    assert.not.equal((await old.ask(method, `${path}?max_staleness_ms=251`, body)).status, 503, path);
    assert.not.equal((await old.ask(method, path, body)).status, 503, path);
    const late = await old.ask(method, `${path}?max_staleness_ms=250`, body);
    assert.equal([late.status, late.body.error.type], [503, 'ReplicaBehind'], path);
    assert.equal(late.body.error.details, { requested: null, applied: 1, lag_ms: 250.5, max_staleness_ms: 250 });
    const lost = await unknown.ask(method, `${path}?max_staleness_ms=999999999`, body);
    assert.is(lost.status, 503, path);
    assert.is(lost.body.error.details.lag_ms, null);
  }
});

test('a master that cannot tell says what it lacks', async (t) => {
  for (const [role, told] of [
    ['master', true],
    ['replica', false],
  ] as const) {
    const { ask } = await stale(t, null, systemClock, role);
    const { status, body } = await ask('GET', '/v1/collections?max_staleness_ms=1');
    assert.is(status, 503);
    assert.is(/no majority of its voters.*DELETE \/replication\/replicas/.test(body.error.message), told, role);
  }
});

test('every read says how old the state was when it came, where that is known; nothing else does', async (t) => {
  const old = await stale(t, 250.5);
  const unknown = await stale(t, null);
  const master = await startHttp(t);
  const told = ({ headers }: { readonly headers: Headers }): string | null => headers.get('x-skein-staleness-ms');
  for (const [method, path, body] of READS) {
    assert.is(told(await old.ask(method, path, body)), '251', path);
    assert.is(told(await unknown.ask(method, path, body)), null, path);
    assert.is(told(await master.ask(method, path, body)), '0', path);
  }
  assert.is(told(await old.ask('PUT', '/v1/collections/d', { dimension: 2, distance: 'dot' })), null);
  assert.is(told(await old.ask('GET', '/health')), null);
});

test('where a read has a body it may stand there, in each search of a batch too', async (t) => {
  const { ask } = await stale(t, 100);
  for (const [method, path, body] of READS.filter(([, , body]) => body !== undefined)) {
    assert.is((await ask(method, path, { ...body, max_staleness_ms: 99 })).status, 503, path);
    assert.is((await ask(method, path, { ...body, max_staleness_ms: 100 })).status, 200, path);
    assert.is((await ask(method, path, { ...body, max_staleness_ms: -1 })).status, 400, path);
  }
  const each = { searches: [{ vector: [1, 2] }, { vector: [1, 2], max_staleness_ms: 1 }] };
  assert.is((await ask('POST', `${POINTS}/search/batch`, each)).status, 503);
});

test('a master is never stale, and a write takes no such parameter', async (t) => {
  const { ask } = await startHttp(t);
  assert.is((await ask('GET', '/v1/collections?max_staleness_ms=0')).status, 200);
  for (const bad of ['-1', '1.5', 'x', '']) {
    const answer = await ask('GET', `/v1/collections?max_staleness_ms=${bad}`);
    assert.equal([answer.status, answer.body.error.details.issues[0].path], [400, 'max_staleness_ms'], bad);
  }
  assert.is((await ask('PUT', '/v1/collections/c?max_staleness_ms=1', { dimension: 2, distance: 'dot' })).status, 400);
});

test('a position that a replica does not reach in time says how far behind it is, or that nobody knows', async (t) => {
  for (const lagMs of [1_250, null]) {
    const { ask, engine } = await stale(t, lagMs);
    const token = (await ask('GET', '/v1/collections')).headers.get('x-skein-position') ?? '';
    engine.failNext('waitFor', new SkeinError('ReplicaBehind', 'not yet', { requested: 9, applied: 1, lag_ms: null }));
    const { status, body } = await ask('GET', '/v1/collections', undefined, { 'x-skein-min-position': token });
    assert.equal([status, body.error.details], [503, { requested: 9, applied: 1, lag_ms: lagMs }]);
  }
});

test('a replica that has not heard of what it was asked to reach is behind by the wait at least', async (t) => {
  let nowMs = 0;
  const { ask, engine } = await stale(t, 3, { monotonicMs: () => nowMs, wallMs: () => nowMs });
  const token = (await ask('GET', '/v1/collections')).headers.get('x-skein-position') ?? '';
  engine.waitFor = async () => {
    nowMs += 1_000;
    throw new SkeinError('ReplicaBehind', 'not yet', { requested: 9, applied: 1, lag_ms: null });
  };
  const { body } = await ask('GET', '/v1/collections', undefined, { 'x-skein-min-position': token });
  assert.is(body.error.details.lag_ms, 1_000);
});

test.run();
