/** Spans of requests: what they are called, whose trace they belong to, what hangs on them, what the caller and the log are told. */
import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { traceparentOf } from '../../src/model/trace-context.js';
import { startHttp, type TestHttp, type TestHttpOptions } from '../support/http-server.js';
import { CALLER, CALLER_HEADER, KeptSpans } from '../support/kept-spans.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/tracing');
const SEARCH = 'POST /v1/collections/:collection/points/search';
const PATH = '/v1/collections/films/points/search';

async function start(t: TestContext, options: TestHttpOptions = {}): Promise<{ http: TestHttp; tracer: KeptSpans }> {
  const tracer = new KeptSpans();
  return { http: await startHttp(t, { tracer, ...options }), tracer };
}

test('a request is a part of its caller’s trace, and the answer says which', async (t) => {
  const { http, tracer } = await start(t);
  http.engine.search = () => Promise.reject(new SkeinError('CollectionNotFound', "Collection 'films' not found"));
  const headers = { traceparent: CALLER_HEADER, tracestate: 'vendor=1', 'x-request-id': 'r-1' };
  const answer = await http.ask('POST', PATH, { vector: [1, 2] }, headers);
  const span = tracer.find(SEARCH);
  await waitUntil(() => span.endMs !== null, { what: 'the span to end' });
  assert.equal([span.parent, span.context.traceId], [CALLER.spanId, CALLER.traceId]);
  assert.is(tracer.roots[0]?.options.traceState, 'vendor=1');
  assert.is(answer.headers.get('traceresponse'), traceparentOf(span.context));
  assert.equal(span.attributes, {
    'http.request.method': 'POST',
    'http.route': '/v1/collections/:collection/points/search',
    'skein.request_id': 'r-1',
    'db.collection.name': 'films',
    'error.type': 'CollectionNotFound',
    'http.response.status_code': 404,
  });
  assert.is(span.failed, null, 'the caller was at fault, not the server');
  const line = http.log.find(({ event }) => event === 'request');
  assert.equal([line?.fields['trace_id'], line?.fields['span_id']], [CALLER.traceId, span.context.spanId]);
});

test('a failure of the server fails the span and is found in the log by its trace', async (t) => {
  const { http, tracer } = await start(t);
  http.engine.search = () => Promise.reject(new Error('a secret: 12345'));
  await http.ask('POST', PATH, { vector: [1, 2] });
  const span = tracer.find(SEARCH);
  await waitUntil(() => span.endMs !== null, { what: 'the span to end' });
  assert.is(span.failed, 'Internal');
  assert.is(span.parent, null);
  assert.not.match(JSON.stringify(span.attributes), '12345');
  const line = http.log.find(({ event }) => event === 'request_failed');
  assert.is(line?.fields['trace_id'], span.context.traceId);
});

test('bad headers, probes and what is not sampled leave no span, and answers no header', async (t) => {
  const { http, tracer } = await start(t);
  for (const path of ['/health', '/health/live', '/metrics', '/v1/nowhere']) await http.ask('GET', path);
  assert.equal(tracer.roots, []);
  await http.ask('GET', '/v1/collections', undefined, { traceparent: 'rubbish', tracestate: 'x=1' });
  assert.equal([tracer.roots[0]?.options.parent, tracer.roots[0]?.options.traceState], [null, undefined]);
  tracer.sampling = false;
  const { headers } = await http.ask('GET', '/v1/collections', undefined, { traceparent: CALLER_HEADER });
  assert.is(headers.get('traceresponse'), null);
  assert.is(tracer.spans.length, 1);
});

test('a search over a real engine shows its plan, each index it asked and the rows it read; a write its queue and its commit', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { http, tracer } = await start(t, { engine });
  await http.ask('PUT', '/v1/collections/films', { dimension: 2, distance: 'euclid', text_fields: ['title'] });
  const points = [{ id: 1, vector: [0, 0], payload: { title: 'the quiet sea' } }];
  const written = await http.ask('PUT', '/v1/collections/films/points', { points }, { traceparent: CALLER_HEADER });
  assert.is(written.status, 200);
  assert.equal(tracer.under('PUT /v1/collections/:collection/points'), ['write']);
  const [write] = tracer.spans.filter(({ name, context }) => name === 'write' && context.traceId === CALLER.traceId);
  assert.is(write?.attributes['skein.seq'], written.body.seq);
  const below = tracer.spans.filter(({ parent }) => parent === write?.context.spanId);
  assert.equal(
    below.map(({ name }) => name),
    ['room', 'commit', 'index'],
  );
  const inCommit = tracer.spans.filter(({ parent }) => parent === below[1]?.context.spanId);
  assert.equal(
    inCommit.map(({ name }) => name),
    ['queue', 'fsync'],
  );
  const [row] = engine.log.read(written.body.seq, 1, 1_000_000);
  assert.match(Buffer.from(row?.entry ?? []).toString('latin1'), traceparentOf(write?.context ?? CALLER));

  tracer.spans.length = 0;
  const lines = [2, 3].map((id) => `${JSON.stringify({ id, vector: [9, 9] })}\n`).join('');
  await http.send('POST', '/v1/collections/films/points/import', lines, { 'content-type': 'application/x-ndjson' });
  const [imported, ...others] = tracer.spans;
  assert.equal(
    [imported?.name, others],
    ['POST /v1/collections/:collection/points/import', []],
    'an import is one span, however long',
  );
  const [chunk] = engine.log.read(engine.log.state().seq, 1, 1_000_000);
  assert.match(Buffer.from(chunk?.entry ?? []).toString('latin1'), traceparentOf(imported?.context ?? CALLER));

  tracer.spans.length = 0;
  const body = { vector: [0, 0], text: 'sea', limit: 1 };
  assert.is((await http.ask('POST', PATH, body)).body.hits.length, 1);
  assert.equal(tracer.under(SEARCH), ['search']);
  assert.equal(tracer.under('search'), ['index vector', 'index text', 'rows']);
  assert.equal(tracer.under('index vector'), ['plan', 'rows']);
  const { attributes } = tracer.find('search');
  assert.equal([attributes['skein.mode'], attributes['skein.hits'], attributes['skein.complete']], ['hybrid', 1, true]);
  assert.is(tracer.find('index vector').attributes['skein.plan'], 'flat');
  tracer.spans.length = 0;
  await http.ask('POST', PATH, body);
  assert.equal(tracer.under('search'), [], 'a kept answer asks nobody');
  assert.is(tracer.find('search').attributes['skein.cached'], true);
  for (const span of tracer.spans) assert.ok(span.endMs !== null && span.endMs >= span.startMs, span.name);
});

test.run();
