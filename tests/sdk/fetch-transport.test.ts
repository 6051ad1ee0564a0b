/** The transport of browsers, as far as Node's fetch can show it: the same answers as over HTTP, errors that say what they know, imports in parts.
 *  tests/browser has the rest. */

import * as assert from 'uvu/assert';
import { FetchTransport, type PointInput, SkeinClient, SkeinConnectionError, SkeinTimeoutError } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';
import { callsOf, type Handler, ofMaster, type StubServer, stubServer } from './stub-server.js';

const test = suite('sdk/fetch-transport');

async function client(t: TestContext, handler: Handler): Promise<{ skein: SkeinClient; stub: StubServer }> {
  const stub = await stubServer(t, handler);
  const skein = new SkeinClient({ url: stub.url, transport: new FetchTransport(), retries: false });
  t.after(() => skein.close());
  return { skein, stub };
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (error: unknown) => error,
  );

test('requests and answers travel as over HTTP, and say that redirects are not followed', async (t) => {
  const { skein, stub } = await client(t, () => ({
    body: { upserted: 1, seq: 1, position: 'p', write_concern: { required: 1, acknowledged: 1 } },
    headers: { 'x-skein-position': 'p', 'content-type': 'application/msgpack' },
  }));
  await skein.upsert('c', [{ id: 1, vector: new Float32Array([1, 2]) }]);
  const sent = stub.received[0]?.body as { points: { vector: Buffer }[] } | undefined;
  assert.equal(new Float32Array(new Uint8Array(sent?.points[0]?.vector ?? []).buffer), new Float32Array([1, 2]));
  assert.equal([stub.received[0]?.headers['x-skein-redirect'], skein.position], ['off', 'p']);
  await skein.get('c', 1);
  assert.is(stub.received[1]?.headers['x-skein-redirect'], undefined, 'a plain question stays one');
});

test('a replica that may not redirect names its master, and the write goes there', async (t) => {
  const written = { upserted: 1, seq: 1, position: 'p', write_concern: { required: 1, acknowledged: 1 } };
  const master = await stubServer(t, () => ({ body: written }));
  const details = { master_url: master.url };
  const error = { type: 'NotMaster', message: 'm', details, retryable: true, request_id: 'r' };
  const { skein, stub } = await client(t, () => ({ status: 409, body: { error } }));
  assert.is((await skein.upsert('c', [{ id: 1, vector: [1] }])).seq, 1);
  const [first] = stub.received;
  const [second] = master.received;
  assert.equal([second?.path, second?.headers['idempotency-key']], [first?.path, first?.headers['idempotency-key']]);
});

test('a lost connection is named, may have arrived unless nobody was there, and an end has its reason', async (t) => {
  const { skein } = await client(t, (_request, response) => {
    response.destroy();
    return null;
  });
  const lost = await failureOf(skein.count('c'));
  assert.ok(lost instanceof SkeinConnectionError && lost.maybeSent && lost.url.startsWith('http://127.0.0.1:'), String(lost));
  const nobody = new SkeinClient({ url: 'http://127.0.0.1:1', transport: new FetchTransport(), retries: false });
  const none = await failureOf(nobody.count('c'));
  assert.ok(none instanceof SkeinConnectionError, String(none));
  const silent = await client(t, () => null);
  assert.instance(await failureOf(silent.skein.count('c', undefined, { timeoutMs: 50 })), SkeinTimeoutError);
  const stop = new AbortController();
  const stopped = failureOf(silent.skein.count('c', undefined, { signal: stop.signal }));
  stop.abort(new RangeError('enough'));
  assert.instance(await stopped, RangeError);
  const cut = failureOf(silent.skein.count('c'));
  silent.skein.close();
  assert.is(((await cut) as SkeinConnectionError).code, 'CLOSED');
});

test('in a page a lost connection names the origin that the server may not know', async (t) => {
  const { skein, stub } = await client(t, (_request, response) => {
    response.destroy();
    return null;
  });
  const page = globalThis as { origin?: string };
  t.after(() => {
    delete page.origin;
  });
  // A browser gives no code.
  const asked = globalThis.fetch;
  t.after(() => {
    globalThis.fetch = asked;
  });
  globalThis.fetch = () => Promise.reject(new TypeError('Failed to fetch'));
  page.origin = 'http://page.example';
  const lost = await failureOf(skein.count('c'));
  assert.ok(lost instanceof SkeinConnectionError && lost.code === 'FETCH_FAILED', String(lost));
  assert.match(
    lost.message,
    `no answer from ${stub.url}: Failed to fetch (is it there, and does its setting cors_origins name http://page.example?`,
  );
  page.origin = stub.url;
  assert.not.match(String(await failureOf(skein.count('c'))), /cors_origins/);
});

test('an import goes in parts whose counts and lines are one, each under a key that follows from the whole’s', async (t) => {
  const sizes: number[] = [];
  const { skein, stub } = await client(
    t,
    ofMaster(({ bytes }, response) => {
      const lines = bytes.toString().split('\n').slice(0, -1);
      sizes.push(bytes.length);
      const failed = [{ line: lines.length, error: { type: 'InvalidVector', message: 'm', details: {} } }];
      const counts = { imported: lines.length - 1, failed_count: 1 };
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(`${JSON.stringify({ progress: { lines: 1, imported: 1, failed_count: 0, position: 'q' } })}\n`);
      response.end(
        `${JSON.stringify({ ...counts, failed, position: `p${sizes.length}`, write_concern: { required: 1, acknowledged: 1 } })}\n`,
      );
      return null;
    }),
  );
  const points = function* (): Generator<PointInput> {
    for (let id = 0; id < 200; id++) yield { id, vector: [1], payload: { text: 'x'.repeat(100_000) } };
  };
  const steps: (readonly [number, boolean])[] = [];
  let last: unknown = null;
  for await (const { lines, answer } of skein.importSteps('c', points(), { idempotencyKey: 'whole' })) {
    steps.push([lines, answer !== null]);
    last = answer;
  }
  assert.is(sizes.length, 3);
  assert.ok(
    sizes.every((bytes) => bytes < 9 * 1024 * 1024),
    String(sizes),
  );
  const answer = last as { imported: number; failedCount: number; failed: { line: number }[]; position: string };
  assert.equal([answer.imported, answer.failedCount, answer.position], [197, 3, 'p3']);
  assert.is(answer.failed.at(-1)?.line, 200);
  assert.equal(
    steps.map(([, ended]) => ended),
    [false, false, false, false, false, true],
  );
  assert.ok(steps.every(([lines], i) => i === 0 || lines >= (steps[i - 1]?.[0] ?? 0)));
  assert.equal(
    callsOf(stub).map(({ headers }) => headers['idempotency-key']),
    ['whole.0', 'whole.1', 'whole.2'],
  );
  assert.is(skein.position, 'p3');
});

test('an import of nothing is answered too', async (t) => {
  const { skein, stub } = await client(
    t,
    ofMaster((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(
        `${JSON.stringify({ imported: 0, failed: [], failed_count: 0, position: 'p', write_concern: { required: 1, acknowledged: 1 } })}\n`,
      );
      return null;
    }),
  );
  assert.is((await skein.importPoints('c', [])).imported, 0);
  assert.is(callsOf(stub).length, 1);
});

test.run();
