/** The change feed as Server-Sent Events: form, resumption, heartbeats, who may follow what, and how a feed ends. */

import { once } from 'node:events';
import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import { placeAt } from '../../src/model/change-place.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Limits } from '../../src/model/limits.js';
import { decodeToken, encodeToken } from '../../src/model/position.js';
import { type EventSourceReading, readEvents, type ServerEvent } from '../support/event-source.js';
import { fakeReplication } from '../support/fake-replication.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { startKeyed } from '../support/keyed-http.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/changes');
const CHANGES = '/v1/changes';
const POINTS = '/v1/collections/films/points';

async function realHttp(
  t: TestContext,
  limits: Partial<Limits> = {},
): Promise<TestHttp & { readonly beginning: string; readonly real: RunningEngine }> {
  const { engine } = await openTestEngine(t.folder(), limits);
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine, limits });
  const { body } = await http.ask('PUT', '/v1/collections/films', { dimension: 2, distance: 'dot' });
  return { ...http, real: engine, beginning: encodeToken({ ...decodeToken(body.position, 'position'), seq: 0 }) };
}

async function follow(t: TestContext, { url }: Pick<TestHttp, 'url'>, query: string, headers = {}): Promise<EventSourceReading> {
  const reading = await readEvents(`${url}${CHANGES}?${query}`, headers);
  t.after(() => reading.close());
  return reading;
}

const shown = ({ data }: ServerEvent): unknown => {
  const { time: _time, settings: _settings, ...rest } = data;
  return rest;
};

test('changes come as events with a token each, in the order of the log', async (t) => {
  const http = await realHttp(t);
  const feed = await follow(t, http, `from=${http.beginning}`);
  assert.equal(
    [feed.status, feed.headers.get('content-type'), feed.headers.get('cache-control')],
    [200, 'text/event-stream', 'no-store'],
  );
  await http.ask('PUT', POINTS, {
    points: [
      { id: 1, vector: [1, 2], payload: { title: 'Metropolis' }, expires_at: '2100-01-01T00:00:00.000Z' },
      { id: 'two', vector: [2, 2] },
    ],
  });
  await http.ask('POST', `${POINTS}/delete`, { ids: [1] });
  await http.ask('PUT', '/v1/aliases/now', { collection: 'films' });
  await http.ask('DELETE', '/v1/aliases/now');
  await http.ask('DELETE', '/v1/collections/films');
  const events = await feed.take(7);
  assert.equal(events.map(shown), [
    { type: 'create_collection', collection: 'films', seq: 1 },
    {
      type: 'upsert',
      collection: 'films',
      id: 1,
      expires_at: '2100-01-01T00:00:00.000Z',
      payload: { title: 'Metropolis' },
      seq: 2,
    },
    { type: 'upsert', collection: 'films', id: 'two', payload: {}, seq: 2 },
    { type: 'delete', collection: 'films', id: 1, seq: 3 },
    { type: 'put_alias', alias: 'now', collection: 'films', seq: 4 },
    { type: 'delete_alias', alias: 'now', seq: 5 },
    { type: 'delete_collection', collection: 'films', seq: 6 },
  ]);
  const { settings, time } = (events[0] as ServerEvent).data;
  assert.equal(
    [settings.dimension, settings.distance, settings.hnsw.m, settings.ttl_ms, settings.text_fields],
    [2, 'dot', 16, null, []],
  );
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  // Behind each of them a feed goes on with the next, by header or by parameter, whatever the parameter said first.
  for (const [at, { id }] of events.slice(0, -1).entries()) {
    const again = await follow(
      t,
      http,
      at % 2 === 0 ? `from=${id}` : 'from=snapshot',
      at % 2 === 0 ? {} : { 'last-event-id': id ?? '' },
    );
    assert.equal(
      (await again.take(events.length - 1 - at)).map(({ data }) => data),
      events.slice(at + 1).map(({ data }) => data),
    );
    again.close();
  }
});

test('a feed begins now unless it says otherwise, and a snapshot shows what is there before', async (t) => {
  const http = await realHttp(t);
  await http.ask('PUT', POINTS, { points: [{ id: 1, vector: [1, 0.5], payload: { n: 1 } }] });
  const now = await follow(t, http, 'with_payload=false');
  const snapshot = await follow(t, http, 'from=snapshot&with_vector=true&collection=films');
  await snapshot.take(4);
  await http.ask('PUT', POINTS, { points: [{ id: 2, vector: [2, 0.5] }] });
  assert.equal((await now.take(1)).map(shown), [{ type: 'upsert', collection: 'films', id: 2, seq: 3 }]);
  const events = await snapshot.take(5);
  assert.equal(events.map(shown), [
    { type: 'snapshot_begin', seq: 2, snapshot: true },
    { type: 'create_collection', collection: 'films', seq: 2, snapshot: true },
    { type: 'upsert', collection: 'films', id: 1, payload: { n: 1 }, vector: [1, 0.5], seq: 2, snapshot: true },
    { type: 'snapshot_end', seq: 2, snapshot: true },
    { type: 'upsert', collection: 'films', id: 2, payload: {}, vector: [2, 0.5], seq: 3 },
  ]);
  const [, , third] = events;
  const again = await follow(t, http, `from=${third?.id}&with_vector=true&collection=films`);
  assert.equal(
    (await again.take(2)).map(({ data }) => data),
    events.slice(3).map(({ data }) => data),
  );
});

test('a feed that has nothing to tell gives signs of life, and its place moves on', async (t) => {
  const http = await realHttp(t, { changeHeartbeatMs: 100 });
  const feed = await follow(t, http, 'collection=films&filter={"must":[{"key":"a","match":{"value":1}}]}&with_leaves=false');
  await waitUntil(() => feed.all.length >= 3, { what: 'heartbeats' });
  const [, first] = feed.all;
  await http.ask('PUT', '/v1/collections/books', { dimension: 2, distance: 'dot' });
  const { body } = await http.ask('PUT', POINTS, { points: [{ id: 1, vector: [1, 0], payload: { a: 2 } }] });
  await waitUntil(() => feed.all.at(-1)?.id === body.position, { what: 'a heartbeat behind the write' });
  assert.equal([first?.data, feed.events], [null, []]);
  await http.ask('PUT', POINTS, { points: [{ id: 2, vector: [1, 0], payload: { a: 1 } }] });
  assert.equal((await feed.take(1)).map(shown), [{ type: 'upsert', collection: 'films', id: 2, payload: { a: 1 }, seq: 4 }]);
});

test('named and sparse vectors are told with their points and with the settings of their collection', async (t) => {
  const http = await realHttp(t);
  const feed = await follow(t, http, 'with_vector=true');
  const vectors = { title: { dimension: 2, distance: 'dot' } };
  await http.ask('PUT', '/v1/collections/books', { vectors, sparse_vectors: { words: {} } });
  const named = { title: [0.5, 1], words: { indices: [3, 9], values: [1, 0.5] } };
  await http.ask('PUT', '/v1/collections/books/points', { points: [{ id: 1, vectors: named }] });
  const [created, point] = await feed.take(2);
  assert.equal(Object.keys(created?.data.settings.vectors.title), ['dimension', 'distance', 'hnsw', 'quantization']);
  assert.equal(created?.data.settings.sparse_vectors, { words: { modifier: null } });
  assert.equal([point?.data.vector, point?.data.vectors], [undefined, named]);
});

test('a payload with line breaks is one event, as it was given', async (t) => {
  const http = await realHttp(t);
  const feed = await follow(t, http, '');
  const body = '{"points":[{"id":1,"vector":[1,2],"payload":{\n\r\n"text":\n"a\\nb",\r"n"\n:1}}]}';
  assert.is((await http.send('PUT', POINTS, body, { 'content-type': 'application/json' })).status, 200);
  assert.equal((await feed.take(1))[0]?.data.payload, { text: 'a\nb', n: 1 });
});

test('what is wrong with a request is answered before anything is sent', async (t) => {
  const http = await realHttp(t, { changeFeedsMax: 1, logRetentionMs: 0, logRetentionBytes: 0, logBytesHardMax: 1_000 });
  await http.ask('PUT', '/v1/aliases/now', { collection: 'films' });
  const refused = async (query: string, headers = {}) => {
    const { status, body } = await http.ask('GET', `${CHANGES}?${query}`, undefined, headers);
    return [
      status,
      body.error.type,
      body.error.details.issues?.[0]?.path ?? body.error.details.path ?? body.error.details.reason,
    ];
  };
  assert.equal(await refused('from=yesterday'), [400, 'InvalidRequest', 'from']);
  assert.equal(await refused('from=now', { 'last-event-id': 'x' }), [400, 'InvalidRequest', 'last-event-id']);
  assert.equal(await refused('limit=1'), [400, 'InvalidRequest', 'limit']);
  assert.equal(await refused('with_vector=yes'), [400, 'InvalidRequest', 'with_vector']);
  assert.equal(await refused('collection=now'), [400, 'InvalidRequest', 'collection']);
  assert.equal(await refused('collection=a%2Fb'), [400, 'InvalidCollectionName', undefined]);
  assert.equal(await refused('collection=books'), [404, 'CollectionNotFound', undefined]);
  assert.equal(await refused('filter={'), [400, 'InvalidFilter', '']);
  assert.equal(await refused('filter={"must":[{"key":"a"}]}'), [400, 'InvalidFilter', 'must[0]']);
  const lost = encodeToken({ historyId: 'ee'.repeat(16), epoch: 1, seq: 1 });
  assert.equal(await refused(`from=${lost}`), [409, 'PositionLost', undefined]);
  for (let id = 0; id < 20; id++)
    await http.ask('PUT', POINTS, { points: [{ id, vector: [id, 0], payload: { text: 'x'.repeat(90) } }] });
  await waitUntil(() => http.real.log.state().logMinSeq > 1, { what: 'the log was pruned' });
  assert.equal(await refused(`from=${http.beginning}`), [410, 'ChangesGone', undefined]);
  const feed = await follow(t, http, '');
  assert.equal(await refused(''), [503, 'Overloaded', 'change_feeds']);
  feed.close();
  await waitUntil(async () => (await follow(t, http, '')).status === 200, { what: 'room for another feed' });
});

test('a key follows what it is for, and not longer than it is good', async (t) => {
  const { engine, create, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const keyed = await startKeyed(t, { limits: { changeHeartbeatMs: 100 } });
  const http = await startHttp(t, {
    engine,
    limits: { changeHeartbeatMs: 100 },
    service: { accessKeys: () => keyed.engine.keys },
  });
  await create('films', 2);
  await create('books', 2);
  const status = async (query: string, headers = {}): Promise<number> => {
    const feed = await follow(t, http, query, headers);
    feed.close();
    return feed.status;
  };
  const admin = keyed.as('admin');
  assert.is(await status(''), 401);
  assert.is(await status('', keyed.as('replicate')), 403);
  const scoped = keyed.key({ id: '0'.repeat(16), role: 'read', scope: ['films'] });
  assert.is(await status('collection=books', scoped), 403);
  assert.is(await status('collection=books', admin), 200);
  const feed = await follow(t, http, 'from=snapshot', scoped);
  await put('books', [{ id: 1, vector: [1, 1] }]);
  await put('films', [{ id: 2, vector: [1, 1] }]);
  assert.equal(
    (await feed.take(4)).map(({ data }) => [data.type, data.collection]),
    [
      ['snapshot_begin', undefined],
      ['create_collection', 'films'],
      ['snapshot_end', undefined],
      ['upsert', 'films'],
    ],
  );
  keyed.engine.keys.remove('0'.repeat(16));
  await waitUntil(() => feed.isEnded, { what: 'the feed of a revoked key ends' });
  const last = feed.events.at(-1);
  assert.equal([last?.name, last?.data.error.type], ['error', 'Unauthorized']);
});

test('what ends a feed is its last event, and what is only momentary ends none', async (t) => {
  const http = await startHttp(t);
  const { pages } = http.engine.changes;
  pages.push(new SkeinError('Overloaded', 'for a moment'), new SkeinError('PositionLost', 'rolled back', { requested_seq: 3 }));
  const feed = await follow(t, http, '');
  await waitUntil(() => feed.isEnded, { what: 'the feed ended' });
  const { name, data } = feed.events[0] as ServerEvent;
  assert.equal(
    [name, data.error.type, data.error.retryable, data.error.details.requested_seq],
    ['error', 'PositionLost', false, 3],
  );
  assert.ok(data.error.request_id.length > 0);
  pages.push(new Error('a defect'));
  const other = await follow(t, http, '');
  await waitUntil(() => other.isEnded, { what: 'the other ended' });
  assert.is(other.events[0]?.data.error.type, 'Internal');
  assert.ok(http.log.some(({ event }) => event === 'change_feed_failed'));
});

test('a stop ends feeds at once, and tells them', async (t) => {
  const http = await startHttp(t);
  const feed = await follow(t, http, '');
  const startMs = performance.now();
  await http.close(10_000);
  assert.ok(performance.now() - startMs < 5_000);
  await waitUntil(() => feed.isEnded, { what: 'the feed ended' });
  assert.equal([feed.events[0]?.data.error.type, feed.events[0]?.data.error.retryable], ['ShuttingDown', true]);
});

test('a replica that falls too far behind for its reader ends the feed', async (t) => {
  let stalenessMs: number | null = 10;
  const http = await startHttp(t, {
    limits: { changeHeartbeatMs: 100 },
    service: { replication: { ...fakeReplication(), stalenessMs: () => stalenessMs } },
  });
  const feed = await follow(t, http, 'max_staleness_ms=100');
  await waitUntil(() => feed.all.length >= 3, { what: 'heartbeats' });
  stalenessMs = null;
  await waitUntil(() => feed.isEnded, { what: 'the feed ended' });
  assert.is(feed.events[0]?.data.error.type, 'ReplicaBehind');
  const { status } = await follow(t, http, 'max_staleness_ms=100');
  assert.is(status, 503);
});

test('a reader that takes nothing costs one page, and nothing is read ahead for it', async (t) => {
  const http = await startHttp(t);
  const { changes } = http.engine;
  const payload = Buffer.from(JSON.stringify({ text: 'x'.repeat(100_000) }));
  const place = placeAt({ historyId: 'ab'.repeat(16), epoch: 1, seq: 1 });
  const event = { kind: 'upsert', collection: 'c', point: { id: 1, payload, vector: null, expiresAtMs: null } } as const;
  for (let i = 0; i < 600; i++) changes.pages.push({ changes: [{ event, seq: 1, timeMs: 1, token: 't' }], place });
  const { hostname, port } = new URL(http.url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${CHANGES} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const asked = await changes.untilStill();
  // What the system's own buffers of a connection hold, and two slices.
  assert.ok(asked < 200, `${asked} pages were read ahead`);
  let bytes = 0;
  socket.on('data', (chunk) => (bytes += chunk.length));
  socket.resume();
  await waitUntil(() => changes.pages.length === 0, { what: 'all pages are taken', deadlineMs: 30_000 });
  await waitUntil(() => bytes > 60_000_000, { what: 'all bytes came' });
});

test('feeds and what they sent are measured', async (t) => {
  const http = await startHttp(t);
  const text = async (): Promise<string> => String((await http.ask('GET', '/metrics')).body);
  const { engine } = http;
  const place = placeAt({ historyId: 'ab'.repeat(16), epoch: 1, seq: 1 });
  engine.changes.pages.push({
    changes: [1, 2, 3].map((seq) => ({ event: { kind: 'snapshot_end' }, seq, timeMs: null, token: 't' })),
    place,
  });
  const feed = await follow(t, http, '');
  await feed.take(3);
  assert.match(await text(), /skein_change_feeds\{carrier="sse"\} 1\n/);
  assert.match(await text(), /skein_changes_sent_total 3\n/);
  feed.close();
  await waitUntil(async () => /skein_change_feeds\{carrier="sse"\} 0\n/.test(await text()), { what: 'the feed is gone' });
  assert.match(await text(), /skein_change_feeds_total\{carrier="sse"\} 1\n/);
});

test.run();
