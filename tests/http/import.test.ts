/** Imports: chunks, refused lines, order, progress, what ends them. */

import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { type Answer, startHttp, type TestHttp, type TestHttpOptions } from '../support/http-server.js';
import { startKeyed } from '../support/keyed-http.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/import');
const IMPORT = '/v1/collections/c/points/import';
const TYPE = { 'content-type': 'application/x-ndjson' };

async function withCollection(t: TestContext, options: TestHttpOptions = {}): Promise<TestHttp> {
  const http = await startHttp(t, options);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  return http;
}

const line = (id: unknown, x = 1, rest: object = {}): string => `${JSON.stringify({ id, vector: [x, 1], ...rest })}\n`;
/** All lines of the answer; the last one is the outcome. */
function linesOf(answer: Answer): Answer['body'][] {
  assert.is(answer.status, 200, JSON.stringify(answer.body));
  assert.is(answer.headers.get('content-type'), 'application/x-ndjson');
  return (answer.body as string)
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as unknown);
}

test('good lines go in, bad ones are named, the outcome comes last', async (t) => {
  const { send, ask, engine } = await withCollection(t);
  const text = `${line(1)}\n${line('b', 2, { payload: { a: 1 } })}{"id":3}\nnonsense\n${line(4).trimEnd()}`;
  const lines = linesOf(await send('POST', IMPORT, text, TYPE));
  const last = lines.at(-1);
  assert.equal([last.imported, last.failed_count], [3, 2]);
  assert.equal(
    last.failed.map((failed: { line: number; error: { type: string } }) => [failed.line, failed.error.type]),
    [
      [4, 'InvalidRequest'],
      [5, 'InvalidJson'],
    ],
  );
  assert.equal(last.write_concern, { required: 1, acknowledged: 1 });
  assert.equal(lines[0].progress, { lines: 6, imported: 3, failed_count: 2, position: last.position });
  assert.equal((await ask('POST', '/v1/collections/c/points/count')).body.count, 3);
  assert.is(engine.seq, 2, 'one chunk is one unit');
});

test('chunks have a bound in lines and in bytes, and the same stream gives the same chunks', async (t) => {
  const { send, engine } = await withCollection(t, { limits: { importChunkPoints: 10, importChunkBytes: 500 } });
  const text = Array.from({ length: 45 }, (_, id) => line(id)).join('');
  const last = linesOf(await send('POST', IMPORT, new Blob([text]).stream(), TYPE)).at(-1);
  assert.is(last.imported, 45);
  const sizes = engine.writes
    .slice(1)
    .map(({ operations: [operation] }) => (operation?.kind === 'upsert' ? operation.points.ids.length : 0));
  assert.equal(sizes, [10, 10, 10, 10, 5]);
  const long = [1, 2, 3].map((id) => line(id, 1, { payload: { a: 'x'.repeat(300) } })).join('');
  const from = engine.writes.length;
  await send('POST', IMPORT, long, TYPE);
  assert.is(engine.writes.length - from, 2);
});

test('of two lines with one id the later stands', async (t) => {
  const { send, ask } = await withCollection(t);
  const last = linesOf(await send('POST', IMPORT, line(1, 10) + line(2) + line(1, 20) + line(1, 30), TYPE)).at(-1);
  assert.is(last.imported, 4);
  assert.equal((await ask('GET', '/v1/collections/c/points/1')).body.vector, [30, 1]);
});

test('a key that ends while an import runs ends the import before the next chunk', async (t) => {
  const http = await startKeyed(t, { limits: { importChunkPoints: 1 } });
  const id = 'c'.repeat(16);
  const admin = http.as('admin');
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' }, admin);
  const mine = http.key({ id, role: 'write' });
  const body = new PassThrough();
  const asked = http.send('POST', IMPORT, Readable.toWeb(body) as RequestInit['body'], { ...TYPE, ...mine });
  body.write(line(1));
  await waitUntil(() => http.engine.writes.length === 2, { what: 'the first chunk to be written' });
  assert.is((await http.ask('DELETE', `/v1/keys/${id}`, undefined, admin)).status, 200);
  body.end(line(2) + line(3));
  const lines = linesOf(await asked);
  assert.is(lines.at(-1).error.type, 'Unauthorized');
  assert.is(http.engine.writes.length, 2, 'nothing more was written');
});

test('a refused point fails its line alone', async (t) => {
  const { send, ask, engine } = await withCollection(t);
  await send('POST', IMPORT, line(2, 99), TYPE);
  const last = linesOf(
    await send('POST', IMPORT, line(1) + line(2, 1, { if_version: 0 }) + line(3, 1, { if_version: 0 }) + line(4), TYPE),
  ).at(-1);
  assert.equal([last.imported, last.failed_count, last.failed[0].line, last.failed[0].error.type], [3, 1, 2, 'VersionConflict']);
  assert.equal((await ask('GET', '/v1/collections/c/points/2')).body.vector, [99, 1]);
  assert.ok(engine.seq >= 5);
});

test('a line over its limit is dropped, not held', async (t) => {
  const limits = { importLineBytesMax: 1_000, payloadBytesMax: 500, bodyBytesMax: 10_000 };
  const { send } = await withCollection(t, { limits });
  const text = `${line(1)}{"id":2,"payload":"${'x'.repeat(50_000)}"}\n${line(3)}${'y'.repeat(2_000)}`;
  const last = linesOf(await send('POST', IMPORT, text, TYPE)).at(-1);
  assert.equal([last.imported, last.failed_count], [2, 2]);
  assert.equal(
    last.failed.map((failed: { line: number; error: { type: string } }) => [failed.line, failed.error.type]),
    [
      [2, 'PayloadTooLarge'],
      [4, 'PayloadTooLarge'],
    ],
  );
});

test('only the first 1,000 refused lines are listed, all are counted', async (t) => {
  const { send } = await withCollection(t);
  const last = linesOf(await send('POST', IMPORT, 'x\n'.repeat(2_500), TYPE)).at(-1);
  assert.equal([last.imported, last.failed.length, last.failed_count], [0, 1_000, 2_500]);
});

test('an empty stream imports nothing', async (t) => {
  const { send } = await withCollection(t);
  const last = linesOf(await send('POST', IMPORT, '', TYPE)).at(-1);
  assert.equal([last.imported, last.failed, last.failed_count], [0, [], 0]);
});

test('what fails before anything was written is an ordinary error', async (t) => {
  const { send, engine } = await withCollection(t);
  const unknown = await send('POST', '/v1/collections/none/points/import', line(1), TYPE);
  assert.equal([unknown.status, unknown.body.error.type], [404, 'CollectionNotFound']);
  const type = await send('POST', IMPORT, line(1), { 'content-type': 'text/plain' });
  assert.equal([type.status, type.body.error.type], [415, 'UnsupportedMediaType']);
  engine.failNext('write', new SkeinError('DiskLimitExceeded', 'full'));
  const full = await send('POST', IMPORT, line(1), TYPE);
  assert.equal([full.status, full.body.error.type], [507, 'DiskLimitExceeded']);
});

test('what fails later is the last line; chunks before it stand', async (t) => {
  const { send, ask, engine } = await withCollection(t, { limits: { importChunkPoints: 1 } });
  const write = engine.write.bind(engine);
  engine.write = (operations, options) => {
    const [operation] = operations;
    const isThird = operation?.kind === 'upsert' && operation.points.ids[0] === 3;
    return isThird ? Promise.reject(new SkeinError('DiskLimitExceeded', 'full')) : write(operations, options);
  };
  const last = linesOf(await send('POST', IMPORT, line(1) + line(2) + line(3) + line(4), TYPE)).at(-1);
  assert.is(last.error.type, 'DiskLimitExceeded');
  assert.is((await ask('POST', '/v1/collections/c/points/count')).body.count, 2);
});

test('a repeated import with an idempotency key changes nothing', async (t) => {
  const { send, engine } = await withCollection(t, { limits: { importChunkPoints: 2 } });
  const headers = { ...TYPE, 'idempotency-key': 'load-1' };
  const text = line(1) + line(2) + line(3);
  const first = linesOf(await send('POST', IMPORT, text, headers)).at(-1);
  const seq = engine.seq;
  assert.equal(linesOf(await send('POST', IMPORT, text, headers)).at(-1), first);
  assert.is(engine.seq, seq);
});

test('gzip streams are read', async (t) => {
  const { send } = await withCollection(t);
  const last = linesOf(await send('POST', IMPORT, gzipSync(line(1) + line(2)), { ...TYPE, 'content-encoding': 'gzip' })).at(-1);
  assert.is(last.imported, 2);
});

test('waiting for the index comes once, at the end', async (t) => {
  const { send, engine } = await withCollection(t);
  let waited = 0;
  engine.waitFor = async (_position, level) => {
    waited += level === 'indexed' ? 1 : 100;
  };
  await send('POST', IMPORT, line(1), TYPE);
  await send('POST', `${IMPORT}?wait=durable`, line(1), TYPE);
  assert.is(waited, 1);
  assert.equal(
    engine.writes.slice(1).map(({ options }) => options.wait),
    ['durable', 'durable'],
  );
});

test('reading stops while the writer is busy, and progress never blocks it', async (t) => {
  const { url, engine, ask } = await withCollection(t, { limits: { importChunkPoints: 100 } });
  let open: () => void = () => {};
  engine.gate = new Promise((resolve) => {
    open = resolve;
  });
  const request = httpRequest(`${url}${IMPORT}`, { method: 'POST', headers: TYPE });
  const answered = once(request, 'response') as Promise<[NodeJS.ReadableStream]>;
  const text = Array.from({ length: 1_000 }, (_, id) => line(id, 1, { payload: { filler: 'x'.repeat(500) } })).join('');
  const TEXTS = 40;
  let written = 0;
  const pump = (): void => {
    // Sends until the socket takes no more, far beyond what three chunks hold.
    while (written < TEXTS) {
      written++;
      if (!request.write(text)) break;
    }
  };
  request.on('drain', pump);
  pump();
  await waitUntil(() => engine.writes.length === 2, { what: 'the first chunk to be written' });
  // The stream stands still once nothing has moved during twenty other requests.
  for (let before = -1; before !== request.socket?.bytesWritten; ) {
    before = request.socket?.bytesWritten ?? -1;
    for (let i = 0; i < 20; i++) await ask('GET', '/health/live');
  }
  assert.ok(written < TEXTS, 'the server took less than the whole');
  assert.is(engine.writes.length, 2, 'one write at a time');
  open();
  await waitUntil(() => written === TEXTS, { what: 'the rest to flow' });
  request.end();
  const [response] = await answered;
  response.resume();
  await once(response, 'end');
  assert.is((await ask('POST', '/v1/collections/c/points/count')).body.count, 1_000);
});

test('a stream that falls silent is given up', async (t) => {
  const { url } = await withCollection(t, { limits: { streamIdleMs: 50 } });
  const request = httpRequest(`${url}${IMPORT}`, { method: 'POST', headers: TYPE });
  request.on('error', () => {});
  request.write(line(1));
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  assert.is(response.statusCode, 408);
  request.destroy();
});

test.run();
