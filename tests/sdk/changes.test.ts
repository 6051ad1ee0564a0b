/** The change feed through the client: every change once and in order, over connections that break anywhere and from node to node. */

import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import { placeAt } from '../../src/model/change-place.js';
import { SkeinError } from '../../src/model/errors.js';
import {
  type Change,
  type ChangesOptions,
  type ChangesRequest,
  errors,
  HttpTransport,
  SkeinClient,
  SkeinConnectionError,
  type Transport,
} from '../../src/sdk/index.js';
import { positionOfPlace } from '../../src/sdk/session.js';
import { CuttingTransport } from '../support/cutting-transport.js';
import { startHttp, type TestHttp, type TestHttpOptions } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('sdk/changes');

interface Stand {
  readonly engine: RunningEngine;
  readonly urls: readonly string[];
  client(settings?: ConstructorParameters<typeof SkeinClient>[0]): SkeinClient;
}

/** Two nodes that have the same data. */
async function stand(t: TestContext, options: TestHttpOptions = {}): Promise<Stand> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const nodes: TestHttp[] = [];
  for (let i = 0; i < 2; i++) nodes.push(await startHttp(t, { engine, ...options }));
  const urls = nodes.map(({ url }) => url);
  return {
    engine,
    urls,
    client: (settings = {}) => {
      const client = new SkeinClient({ nodes: urls, retries: { firstDelayMs: 1, delayMsMax: 20 }, ...settings });
      t.after(() => client.close());
      return client;
    },
  };
}

async function take(
  client: SkeinClient,
  count: number,
  request: ChangesRequest,
  options: ChangesOptions = {},
): Promise<Change[]> {
  const taken: Change[] = [];
  for await (const change of client.changes(request, options)) if (taken.push(change) === count) break;
  return taken;
}

const typed = (change: Change): unknown[] => [
  change.type,
  'collection' in change ? change.collection : null,
  'id' in change ? change.id : null,
];

test('changes have their types, and a feed goes on behind the token of any of them', async (t) => {
  const { client } = await stand(t);
  const writer = client();
  const { position } = await writer.createCollection('films', { dimension: 2, distance: 'dot' });
  await writer.upsert('films', [
    { id: 1, vector: [1, 0.5], payload: { n: 1 }, expiresAt: '2100-01-01T00:00:00.000Z' },
    { id: 'b', vector: [2, 0.5], payload: { n: 2 } },
  ]);
  await writer.delete('films', { ids: ['b'] });
  await writer.putAlias('now', 'films');
  const [created, first, ...rest] = await take(client(), 5, { from: 'snapshot', withVector: true }).then((all) => all.slice(1));
  assert.equal([created?.type, created?.snapshot, created?.time], ['create_collection', true, null]);
  assert.ok(first?.type === 'upsert');
  assert.equal(
    [first.id, first.payload, [...(first.vector ?? [])], first.expiresAt],
    [1, { n: 1 }, [1, 0.5], '2100-01-01T00:00:00.000Z'],
  );
  assert.is(first.version, (await writer.get('films', 1)).version);
  assert.equal(rest.map(typed), [
    ['put_alias', 'films', null],
    ['snapshot_end', null, null],
  ]);
  const told = await take(client(), 4, { from: position });
  assert.equal(told.map(typed), [
    ['upsert', 'films', 1],
    ['upsert', 'films', 'b'],
    ['delete', 'films', 'b'],
    ['put_alias', 'films', null],
  ]);
  assert.ok(told.every(({ time, snapshot }) => time !== null && !snapshot));
  for (const [at, { token }] of told.slice(0, -1).entries())
    assert.equal(await take(client(), told.length - 1 - at, { from: token }), told.slice(at + 1));
});

test('no change is missing, told twice or out of order, wherever connections break', async (t) => {
  const { engine, client } = await stand(t);
  const random = new Random(t.seed());
  const writer = client();
  const { position } = await writer.createCollection('films', { dimension: 2, distance: 'dot' });
  const expected: string[] = [];
  let next = 0;
  const write = async (count: number): Promise<void> => {
    const ids = Array.from({ length: count }, () => next++);
    await writer.upsert(
      'films',
      ids.map((id) => ({ id, vector: [id, 1], payload: { id } })),
      { wait: 'durable' },
    );
    expected.push(...ids.map((id) => `upsert ${id}`));
    if (!random.boolean(0.3)) return;
    await writer.delete('films', { ids: ids.slice(0, 2) }, { wait: 'durable' });
    expected.push(...ids.slice(0, 2).map((id) => `delete ${id}`));
  };
  for (let i = 0; i < 40; i++) await write(random.integer(1, 1_000));
  const transport = new CuttingTransport(random, 300_000);
  const reader = client({ transport });
  const writing = (async () => {
    for (let i = 0; i < 40; i++) await write(random.integer(1, 50));
    return expected.length;
  })();
  const told: string[] = [];
  let whole = Number.POSITIVE_INFINITY;
  void writing.then((count) => (whole = count));
  for await (const change of reader.changes({ from: position, collection: 'films', withPayload: random.boolean() })) {
    if ('id' in change) told.push(`${change.type} ${change.id}`);
    if (told.length >= Math.min(whole, expected.length)) await writing;
    if (told.length >= whole) break;
  }
  assert.ok(told.length > 10_000 && transport.cuts > 5, `${told.length} changes over ${transport.cuts} cuts`);
  assert.equal(told, expected);
  // And the state from a snapshot that was cut as often.
  const state = new Set<unknown>();
  for await (const change of client({ transport: new CuttingTransport(random, 200_000) }).changes({ from: 'snapshot' })) {
    if (change.type === 'upsert') assert.not.ok(state.has(change.id), `${change.id} came twice`);
    if (change.type === 'upsert') state.add(change.id);
    if (change.type === 'snapshot_end') break;
  }
  assert.is(state.size, engine.collection('films').pointsCount);
});

test('a feed shows its client what it has told, on every node', async (t) => {
  const { client } = await stand(t);
  const writer = client();
  await writer.createCollection('films', { dimension: 2, distance: 'dot' });
  const { position } = await writer.upsert(
    'films',
    [1, 2].map((id) => ({ id, vector: [1, 1] })),
  );
  const reader = client();
  const [, , first, second] = await take(reader, 4, { from: 'snapshot' });
  assert.is(positionOfPlace(first?.token ?? ''), position);
  assert.is(reader.position, position);
  assert.is(positionOfPlace(second?.token ?? ''), position);
});

test('what one node does not have any more another may still have', async (t) => {
  const { urls } = await stand(t);
  const short = await startHttp(t);
  const gone = (): SkeinError => new SkeinError('ChangesGone', 'too late', { requested_seq: 0, oldest_seq: 5, oldest: 'x' });
  const writer = new SkeinClient({ url: urls[0] ?? '' });
  t.after(() => writer.close());
  const { position } = await writer.createCollection('films', { dimension: 2, distance: 'dot' });
  await writer.upsert('films', [{ id: 1, vector: [1, 1] }]);
  const both = new SkeinClient({ nodes: [short.url, ...urls.slice(0, 1)] });
  t.after(() => both.close());
  // However often it is asked: the other one may be slow to answer.
  short.engine.changes.pages.push(...Array.from({ length: 1_000 }, gone));
  assert.equal((await take(both, 1, { from: position })).map(typed), [['upsert', 'films', 1]]);
  const one = new SkeinClient({ url: short.url });
  t.after(() => one.close());
  const thrown = await take(one, 1, { from: position }).catch((error: unknown) => error);
  assert.ok(thrown instanceof errors.ChangesGone);
  assert.is(thrown.details.oldest, 'x');
});

test('what is lost is thrown at once, what is only refused for now is tried again, and a feed ends when it is told to', async (t) => {
  const http = await startHttp(t);
  const client = new SkeinClient({ url: http.url, retries: { firstDelayMs: 1, delayMsMax: 5 } });
  t.after(() => client.close());
  const { pages } = http.engine.changes;
  const failures: unknown[] = [];
  pages.push(new SkeinError('ReplicaBehind', 'soon'), new SkeinError('PositionLost', 'rolled back'));
  const thrown = await take(client, 1, {}, { onFailure: (error) => failures.push(error) }).catch((error: unknown) => error);
  assert.ok(thrown instanceof errors.PositionLost);
  assert.ok(failures.length === 1 && failures[0] instanceof errors.ReplicaBehind);
  const ended = new AbortController();
  const waiting = take(client, 1, {}, { signal: ended.signal }).catch((error: unknown) => error);
  ended.abort(new Error('enough'));
  assert.is(((await waiting) as Error).message, 'enough');
  const closing = take(client, 1, {}).catch((error: unknown) => error);
  client.close();
  assert.instance(await closing, SkeinConnectionError);
  const drained = new SkeinClient({ url: http.url });
  const following = take(drained, 1, {}).catch((error: unknown) => error);
  await drained.end();
  assert.instance(await following, SkeinConnectionError);
  const nobody = new SkeinClient({ url: 'http://127.0.0.1:1', retries: { firstDelayMs: 1, delayMsMax: 2 } });
  t.after(() => nobody.close());
  assert.instance(await take(nobody, 1, {}, { failuresMax: 3 }).catch((error: unknown) => error), SkeinConnectionError);
});

test('a feed from now on that breaks before anything came misses nothing of what happened since', async (t) => {
  const { client, urls } = await stand(t);
  const writer = client();
  await writer.createCollection('films', { dimension: 2, distance: 'dot' });
  const inner = new HttpTransport({ connectionsMax: 2 });
  let isFirst = true;
  const breaking: Transport = {
    send: inner.send.bind(inner),
    close: inner.close.bind(inner),
    async stream(request) {
      const answer = await inner.stream(request);
      if (!isFirst) return answer;
      isFirst = false;
      async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
        await writer.upsert('films', [{ id: 'meanwhile', vector: [1, 2] }]);
        yield* [];
        throw new SkeinConnectionError('cut', { code: 'ECONNRESET', url: '', maybeSent: true });
      }
      return { ...answer, chunks: nothing() };
    },
  };
  const reader = new SkeinClient({ nodes: urls, retries: { firstDelayMs: 1, delayMsMax: 20 }, transport: breaking });
  t.after(() => reader.close());
  const [first] = await take(reader, 1, {}, { signal: AbortSignal.timeout(5_000) });
  assert.equal(typed(first as Change), ['upsert', 'films', 'meanwhile']);
});

test('a node that gives no sign of life is left for another', async (t) => {
  const silent = await startHttp(t, { limits: { changeHeartbeatMs: 100 } });
  const { engine, urls } = await stand(t);
  const client = new SkeinClient({ nodes: [silent.url, urls[0] ?? ''] });
  t.after(() => client.close());
  // Nothing comes of this one, not even a heartbeat, but where it stands.
  silent.engine.changes.begin = () => Promise.resolve({ changes: [], place: placeAt(engine.position()) });
  silent.engine.changes.next = () => new Promise(() => {});
  const told = take(client, 1, {}, { readPreference: 'nearest' });
  let count = 0;
  const isTold = told.then(() => true);
  const writer = new SkeinClient({ url: urls[0] ?? '' });
  t.after(() => writer.close());
  await writer.createCollection('films', { dimension: 2, distance: 'dot' });
  while (!(await Promise.race([isTold, writer.putAlias(`a${count++ % 10}`, 'films').then(() => false)])));
  assert.ok(['put_alias', 'create_collection'].includes((await told)[0]?.type ?? ''));
});

test.run();
