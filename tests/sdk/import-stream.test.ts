/** The import stream: lines out no faster than they are read, progress in, and no success without the last line. */
import * as assert from 'uvu/assert';
import { type PointInput, SkeinApiError, SkeinClient, SkeinConnectionError } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { apiError, callsOf, type Handler, ofMaster, type StubServer, stubServer } from './stub-server.js';

const last = { imported: 2, failed: [], failed_count: 0, position: 'p', write_concern: { required: 1, acknowledged: 1 } };

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

function masterServer(t: TestContext, handler: Handler, readBody = true): Promise<StubServer> {
  return stubServer(t, ofMaster(handler), readBody);
}

const test = suite('sdk/import-stream');

test('points travel as lines of JSON, progress comes back, and the last line is the answer', async (t) => {
  const stub = await masterServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const progress = JSON.stringify({ progress: { lines: 1, imported: 1, failed_count: 0, position: 'q' } });
    const end = JSON.stringify({
      ...last,
      failed: [{ line: 2, error: { type: 'InvalidVector', message: 'ä', details: {} } }],
      failed_count: 1,
    });
    const bytes = Buffer.from(`${progress}\n${end}\n`);
    // Cut inside a line and inside a letter.
    const cut = bytes.indexOf('ä') + 1;
    response.write(bytes.subarray(0, cut));
    response.end(bytes.subarray(cut));
    return null;
  });
  const client = new SkeinClient({ url: stub.url, session: true });
  t.after(() => client.close());
  const seen: unknown[] = [];
  const points: PointInput[] = [
    { id: 1, vector: new Float32Array([1, 2.5]), payload: { text: 'two\nlines' } },
    { id: 'b', vector: [3, 4], expiresAt: '2030-01-01T00:00:00.000Z' },
  ];
  const answer = await client.importPoints('c', points, { onProgress: (progress) => seen.push(progress), wait: 'durable' });
  assert.is(`${callsOf(stub)[0]?.method} ${callsOf(stub)[0]?.path}`, 'POST /v1/collections/c/points/import?wait=durable');
  const lines = String(callsOf(stub)[0]?.body).trimEnd().split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line)),
    [
      { id: 1, vector: [1, 2.5], payload: { text: 'two\nlines' } },
      { id: 'b', vector: [3, 4], expires_at: '2030-01-01T00:00:00.000Z' },
    ],
  );
  assert.equal(seen, [{ lines: 1, imported: 1, failedCount: 0, position: 'q' }]);
  assert.is(answer.failedCount, 1);
  assert.equal(answer.failed[0], { line: 2, error: { type: 'InvalidVector', message: 'ä', details: {} } });
  assert.is(client.position, 'p');
});

test('a source is not read ahead of a server that does not read', async (t) => {
  let resume = (): void => undefined;
  const stub = await masterServer(
    t,
    (_request, response, incoming) => {
      resume = () => {
        incoming.resume();
        incoming.on('end', () => response.end(`${JSON.stringify(last)}\n`));
      };
      return null;
    },
    false,
  );
  const client = new SkeinClient({ url: stub.url });
  t.after(() => client.close());
  const total = 600;
  let taken = 0;
  async function* source(): AsyncGenerator<PointInput> {
    for (; taken < total; taken++) yield { id: taken, vector: new Float32Array(4_096).fill(0.1) };
  }
  const importing = client.importPoints('c', source());
  let before = -1;
  await waitUntil(
    () => {
      const still = taken === before && taken > 0 && callsOf(stub).length === 1;
      before = taken;
      return still;
    },
    { what: 'the source to stand still' },
  );
  assert.ok(taken < total / 2, `${taken} of ${total} points were taken`);
  resume();
  assert.is((await importing).imported, 2);
  assert.is(taken, total);
});

test('an error in the middle of the stream is thrown with the status of its type', async (t) => {
  const stub = await masterServer(t, (_request, response) => {
    response.end(
      `${JSON.stringify({ error: { type: 'DiskLimitExceeded', message: 'full', details: {}, retryable: true, request_id: 'r' } })}\n`,
    );
    return null;
  });
  const client = new SkeinClient({ url: stub.url });
  t.after(() => client.close());
  const error = await failureOf(client.importPoints('c', []));
  assert.ok(error instanceof SkeinApiError && error.type === 'DiskLimitExceeded' && error.status === 507);
});

test('a stream that is refused, cut off or without a last line has failed', async (t) => {
  const stub = await masterServer(t, ({ path }, response) => {
    if (path.includes('refused')) return apiError(404, 'CollectionNotFound');
    response.write('{"progress": {"lines": 1, "imported": 1, "failed_count": 0, "position": "q"}}\n');
    if (path.includes('short')) response.end();
    else setImmediate(() => response.destroy());
    return null;
  });
  const client = new SkeinClient({ url: stub.url });
  t.after(() => client.close());
  const refused = await failureOf(client.importPoints('refused', [{ id: 1, vector: [1] }]));
  assert.ok(refused instanceof SkeinApiError && refused.type === 'CollectionNotFound');
  assert.match(String(await failureOf(client.importPoints('short', []))), 'without its last line');
  assert.ok((await failureOf(client.importPoints('cut', []))) instanceof SkeinConnectionError);
});

test('a source that fails ends the import with its own error', async (t) => {
  const stub = await masterServer(t, () => null, false);
  const client = new SkeinClient({ url: stub.url });
  t.after(() => client.close());
  async function* source(): AsyncGenerator<PointInput> {
    yield { id: 1, vector: [1] };
    throw new Error('the file is gone');
  }
  assert.match(String(await failureOf(client.importPoints('c', source()))), 'the file is gone');

  const talking = await masterServer(
    t,
    (_request, response) => {
      response.write('\n');
      return null;
    },
    false,
  );
  const other = new SkeinClient({ url: talking.url });
  t.after(() => other.close());
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  async function* late(): AsyncGenerator<PointInput> {
    yield { id: 1, vector: new Float32Array(50_000) };
    await gate;
    throw new Error('the file is gone later');
  }
  const importing = failureOf(other.importPoints('c', late()));
  await waitUntil(() => talking.received.length === 1, { what: 'the request' });
  setImmediate(open);
  assert.match(String(await importing), 'the file is gone later');
});

test('an import that has ended takes one more point of its source at most', async (t) => {
  const stub = await masterServer(t, () => null, false);
  const client = new SkeinClient({ url: stub.url });
  t.after(() => client.close());
  const end = new AbortController();
  const [taken, left] = [{ points: 0 }, { now: false }];
  async function* slowly(): AsyncGenerator<PointInput> {
    try {
      for (;;) {
        yield { id: taken.points, vector: [1] };
        taken.points += 1;
        if (taken.points === 3) end.abort(new Error('enough'));
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      left.now = true;
    }
  }
  assert.match(String(await failureOf(client.importPoints('c', slowly(), { signal: end.signal }))), 'enough');
  await waitUntil(() => left.now, { what: 'the source to be told' });
  assert.ok(taken.points <= 4, `${taken.points} points`);
});

test.run();
