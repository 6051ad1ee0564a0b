/** The client in a real browser, against running servers: its one file, under a strict policy, over CORS. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { EXAMPLE_PAGE, type InPage, openPage, servePage } from '../support/browser-page.js';
import { startCluster } from '../support/cluster.js';
import { startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('browser/client', { deadlineMs: 90_000 });
const KEY = 'a-key-that-pages-show-0123456789';

/** A server that asks for a key, a page whose origin it names, and what the page needs to make a client. */
async function keyed(t: TestContext): Promise<{ page: Page; at: { url: string; apiKey: string } }> {
  const origin = await servePage(t);
  const folder = t.folder();
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 });
  const flags = ['--api-key-file', keyFile, '--cors-origins', `https://other.example,${origin}`];
  const { url } = await startServer(t, join(folder, 'data'), flags);
  return { page: await openPage(t, origin), at: { url, apiKey: KEY } };
}

test('a page creates a collection, upserts binary vectors, searches, scrolls and imports', async (t) => {
  const { page, at } = await keyed(t);
  const seen = await page.evaluate(async (settings) => {
    const { SkeinClient } = (globalThis as unknown as InPage).skein;
    const client = new SkeinClient(settings);
    await client.createCollection('films', { dimension: 3, distance: 'dot' });
    const vectors = [new Float32Array([0.1, 0.2, 0.3]), new Float32Array([1, 0, -0.5]), new Float32Array([1e-20, 2, 3])];
    const { upserted } = await client.upsert(
      'films',
      vectors.map((vector, id) => ({ id, vector, payload: { id, title: 'Ünïcödé' } })),
    );
    const { hits } = await client.search('films', { vector: new Float32Array([1, 0, 0]), limit: 2, withVector: true });
    const stored: unknown[] = [];
    for await (const point of client.scrollAll('films', { withVector: true, limit: 2 }))
      stored.push([
        point.id,
        point.vector instanceof Float32Array &&
          point.vector.every((value, i) => Object.is(value, vectors[Number(point.id)]?.[i])),
      ]);
    const points = function* (): Generator<{ id: number; vector: Float32Array; payload: { text: string } }> {
      for (let id = 100; id < 1_100; id++)
        yield { id, vector: new Float32Array([id, 1, 2]), payload: { text: 'x'.repeat(10_000) } };
      yield { id: 7, vector: new Float32Array([1, 2]), payload: { text: '' } };
    };
    const steps: number[] = [];
    const answer = await client.importPoints('films', points(), { onProgress: ({ lines }) => steps.push(lines) });
    const { imported, failed } = answer;
    const count = await client.count('films');
    const metrics = (await client.server.metrics()).includes('skein_');
    client.close();
    return {
      ...{ secure: 'randomUUID' in crypto, upserted, hits: hits.map(({ id }) => id), vector: Array.from(hits[0]?.vector ?? []) },
      ...{ stored, imported, failed: failed.map(({ line, error }) => [line, error.type]), rising: steps, count, metrics },
    };
  }, at);
  assert.is(seen.secure, false, 'the page is no secure context, as pages of plain http are');
  assert.equal([seen.upserted, seen.hits, seen.vector], [3, [1, 0], [1, 0, -0.5]]);
  assert.equal(
    seen.stored,
    [0, 1, 2].map((id) => [id, true]),
  );
  assert.equal([seen.imported, seen.failed, seen.count, seen.metrics], [1_000, [[1_001, 'DimensionMismatch']], 1_003, true]);
  assert.ok(
    seen.rising.some((lines) => lines > 800) && seen.rising.every((lines, i) => i === 0 || lines >= (seen.rising[i - 1] ?? 0)),
    String(seen.rising),
  );
});

test('errors are typed, a call is aborted and bounded, a session is kept and handed on', async (t) => {
  const { page, at } = await keyed(t);
  const seen = await page.evaluate(async (settings) => {
    const { SkeinClient, SkeinApiError, SkeinConnectionError, SkeinTimeoutError, errors } = (globalThis as unknown as InPage)
      .skein;
    const client = new SkeinClient(settings);
    const failure = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => null,
        (error: unknown) => error,
      );
    const missing = await failure(client.count('none'));
    const typed = missing instanceof errors.CollectionNotFound && missing instanceof SkeinApiError && missing.details.collection;
    const request = missing instanceof SkeinApiError ? (missing.requestId ?? '').length : 0;
    const keyless = await failure(new SkeinClient({ url: settings.url, retries: false }).count('none'));
    const stop = new AbortController();
    const stopped = failure(client.health({ signal: stop.signal }));
    stop.abort(new RangeError('enough'));
    const nobody = new SkeinClient({ url: 'http://127.0.0.1:1', retries: false });
    const none = await failure(nobody.count('c'));
    const patient = new SkeinClient({ url: 'http://127.0.0.1:1', timeoutMs: 300 });
    const late = await failure(patient.count('c'));
    await client.createCollection('c', { dimension: 1, distance: 'dot' });
    const { position } = await client.upsert('c', [{ id: 1, vector: [1] }]);
    const session = client.session(position);
    const counted = await session.count('c');
    await client.waitFor(position);
    const unread = await failure(client.count('c', undefined, { minPosition: 'nonsense' }));
    return {
      ...{ typed, request, keyless: keyless instanceof errors.Unauthorized, stopped: String(await stopped) },
      ...{
        none: none instanceof SkeinConnectionError && none.code,
        late: late instanceof SkeinTimeoutError || late instanceof SkeinConnectionError,
      },
      ...{
        remembers: client.position === position && session.position === position,
        counted,
        unread: unread instanceof errors.InvalidRequest,
      },
    };
  }, at);
  assert.equal(seen, {
    ...{ typed: 'none', request: seen.request, keyless: true, stopped: 'RangeError: enough' },
    ...{ none: 'FETCH_FAILED', late: true, remembers: true, counted: 1, unread: true },
  });
  assert.ok(seen.request > 0);
});

test('a page follows changes, leaves, and goes on behind what it has seen', async (t) => {
  const { page, at } = await keyed(t);
  const seen = await page.evaluate(async (settings) => {
    const { SkeinClient } = (globalThis as unknown as InPage).skein;
    const client = new SkeinClient(settings);
    await client.createCollection('c', { dimension: 1, distance: 'dot' });
    let from = client.position ?? '';
    const told: unknown[] = [];
    const follow = async (count: number): Promise<void> => {
      for await (const change of client.changes({ from, collection: 'c' })) {
        from = change.token;
        if (told.push([change.type, 'id' in change ? change.id : null]) % count === 0) return;
      }
    };
    const following = follow(2);
    for (let id = 1; id <= 2; id++) await client.upsert('c', [{ id, vector: [id] }]);
    await following;
    await client.delete('c', { ids: [1] });
    await client.upsert('c', [{ id: 3, vector: [3] }]);
    await follow(2);
    return told;
  }, at);
  const expected = [
    ['upsert', 1],
    ['upsert', 2],
    ['delete', 1],
    ['upsert', 3],
  ];
  assert.equal(seen, expected);
});

test('between two nodes a write follows the replica to its master, and the master when it changes', async (t) => {
  const origin = await servePage(t);
  const { master, replicas } = await startCluster(t, { replicas: 1, flags: ['--cors-origins', origin] });
  const [replica] = replicas;
  if (replica === undefined) throw new Error('a replica was asked for');
  const page = await openPage(t, origin);
  const seen = await page.evaluate(
    async ([masterUrl, replicaUrl]) => {
      const { SkeinClient } = (globalThis as unknown as InPage).skein;
      const single = new SkeinClient({ url: replicaUrl });
      await single.createCollection('c', { dimension: 1, distance: 'dot' });
      const { upserted } = await single.upsert('c', [{ id: 1, vector: [1] }], { w: 2 });
      const own = await single.count('c');
      const both = new SkeinClient({ nodes: [replicaUrl, masterUrl] });
      await both.upsert('c', [{ id: 2, vector: [2] }], { w: 2 });
      await both.waitFor(both.position ?? '', { nodes: 'all' });
      const before = both.nodes.find(({ role }) => role === 'master')?.url;
      const promotion = await new SkeinClient({ url: replicaUrl }).replication.promote();
      const after = await both.upsert('c', [{ id: 3, vector: [3] }]);
      const fresh = await both.count('c', undefined, { readPreference: 'fresh', maxStalenessMs: 5_000 });
      const now = both.nodes.find(({ role }) => role === 'master')?.url;
      return { upserted, own, moved: [before === masterUrl, now === replicaUrl], epoch: promotion.epoch, seq: after.seq, fresh };
    },
    [master.url, replica.url] as const,
  );
  assert.equal([seen.upserted, seen.own, seen.moved, seen.fresh], [1, 1, [true, true], 3]);
  assert.ok(seen.epoch > 1 && seen.seq > 3);
});

test('the example for browsers does what it says', async (t) => {
  const origin = await servePage(t);
  const { url } = await startServer(t, join(t.folder(), 'data'), ['--cors-origins', origin]);
  const page = await openPage(t, origin, EXAMPLE_PAGE);
  await page.fill('input[name=url]', url);
  await page.fill('input[name=colour]', '#ee1100');
  // Twice, because the second time the collection is there.
  for (let i = 0; i < 2; i++) {
    await page.click('button');
    await page.getByText('7 colours').waitFor();
  }
  assert.equal((await page.locator('li').allInnerTexts()).slice(0, 2), ['red', 'orange']);
  await page.fill('input[name=url]', '127.0.0.1:7171');
  await page.click('button');
  await page.getByText('begins with http:// or https://').waitFor();
});

test('a page whose origin is not named reaches nothing, and a server without keys answers no page that is not named', async (t) => {
  const origin = await servePage(t);
  const folder = t.folder();
  const closed = await startServer(t, join(folder, 'closed'), ['--cors-origins', 'https://other.example']);
  const open = await startServer(t, join(folder, 'open'), ['--cors-origins', '*']);
  const page = await openPage(t, origin);
  const seen = await page.evaluate(
    async (urls) => {
      const { SkeinClient, SkeinApiError, SkeinConnectionError } = (globalThis as unknown as InPage).skein;
      const ends: string[] = [];
      for (const url of urls) {
        const client = new SkeinClient({ url, retries: false });
        const end = await client.createCollection('c', { dimension: 1, distance: 'dot' }).then(
          () => 'made',
          (error: unknown) =>
            error instanceof SkeinApiError
              ? error.type
              : error instanceof SkeinConnectionError
                ? `${error.code} ${error.message.includes((globalThis as unknown as { origin: string }).origin)}`
                : String(error),
        );
        ends.push(end);
      }
      return ends;
    },
    [closed.url, open.url],
  );
  assert.equal(seen, ['FETCH_FAILED true', 'Forbidden']);
  for (const { request } of [closed, open])
    assert.equal((await request<{ collections: unknown[] }>('GET', '/v1/collections')).body.collections, []);
});

test.run();
