/** Traces of real nodes, as a collector gets them: one trace over a master and its replica, sampling, a collector that is gone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startCluster } from '../support/cluster.js';
import { CALLER, CALLER_HEADER } from '../support/kept-spans.js';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { type CollectedSpan, startTraceCollector } from '../support/trace-collector.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/traces', { deadlineMs: 90_000 });
const TRACING = /"msg":"tracing"/;
const POINTS = '/v1/collections/films/points';
const FILMS = { dimension: 2, distance: 'euclid', text_fields: ['title'] };
const point = (id: number) => ({ id, vector: [id, 0], payload: { title: 'a secret title' } });

test('a write that waits for its replica is one trace over both nodes, and a search shows its parts; nothing of the data is told', async (t) => {
  const collector = await startTraceCollector(t);
  const headersFile = join(t.folder(), 'headers');
  writeFileSync(headersFile, 'authorization: Bearer for-the-collector\n', { mode: 0o600 });
  const flags = ['--trace-endpoint', collector.url, '--trace-sample-share', '0', '--trace-headers-file', headersFile];
  const { master, replicas } = await startCluster(t, { replicas: 1, flags });
  const [replica] = replicas;
  assert.ok(replica !== undefined);
  for (const node of [master, replica]) await waitUntil(() => TRACING.test(node.process.output()), { what: 'tracing to begin' });
  await master.process.request('PUT', '/v1/collections/films', FILMS);

  const headers = { traceparent: CALLER_HEADER, tracestate: 'vendor=1', 'x-request-id': 'r-1' };
  const written = await master.process.request('PUT', `${POINTS}?w=2`, { points: [point(1), point(2)] }, headers);
  assert.is(written.status, 200);
  const found = await replica.process.request('POST', `${POINTS}/search`, { vector: [1, 0], text: 'title' }, headers);
  assert.is(found.status, 200);
  const all = await waitUntil(
    () => (collector.spans.filter(({ name }) => name === 'apply' || name === 'search').length === 2 ? collector.spans : null),
    { what: 'the spans of both nodes' },
  );

  assert.equal(new Set(all.map(({ traceId }) => traceId)), new Set([CALLER.traceId]), 'only what the caller traces is traced');
  const one = (name: string): CollectedSpan => {
    const spans = all.filter((span) => span.name === name);
    assert.is(spans.length, 1, name);
    return spans[0] as CollectedSpan;
  };
  const below = (name: string): string[] => {
    const { spanId } = one(name);
    const children = all.filter(({ parentSpanId }) => parentSpanId === spanId);
    for (const child of children.filter(({ kind }) => kind === 1))
      assert.ok(child.startMs >= one(name).startMs - 0.01 && child.endMs <= one(name).endMs + 0.01, `${child.name} in ${name}`);
    return children.sort((a, b) => a.startMs - b.startMs).map((child) => child.name);
  };
  const put = 'PUT /v1/collections/:collection/points';
  assert.equal([one(put).parentSpanId, one(put).kind, one(put).traceState], [CALLER.spanId, 2, 'vendor=1']);
  assert.equal([one(put).attributes['http.response.status_code'], one(put).attributes['skein.request_id']], [200, 'r-1']);
  assert.equal(below(put), ['write', 'replicas']);
  assert.equal(new Set(below('write')), new Set(['room', 'commit', 'index', 'apply']));
  assert.equal(below('commit'), ['queue', 'fsync']);
  assert.is(one('replicas').attributes['skein.acknowledged'], 2);
  assert.equal(new Set(below('search')), new Set(['index vector', 'index text', 'rows']));
  assert.equal(below('index vector'), ['plan', 'rows']);
  assert.is(one('search').attributes['skein.mode'], 'hybrid');

  const nodeOf = (span: CollectedSpan): unknown => span.resource['service.instance.id'];
  assert.is.not(nodeOf(one('apply')), nodeOf(one('write')), 'each node tells its own');
  assert.is(nodeOf(one('apply')), nodeOf(one('search')));
  assert.is(one('apply').resource['service.name'], 'skein');
  assert.equal([one('apply').kind, one('apply').attributes['skein.seq']], [5, one('write').attributes['skein.seq']]);
  assert.not.match(JSON.stringify(all), 'secret');
  for (const { path, headers: sent } of collector.requests)
    assert.equal([path, sent['authorization']], ['/v1/traces', 'Bearer for-the-collector']);
  assert.not.match(master.process.output() + replica.process.output(), 'for-the-collector');
});

test('a share of requests is traced; a collector that fails or hangs costs nobody anything, and what is lost is counted', async (t) => {
  const collector = await startTraceCollector(t);
  const server = await startServer(t, join(t.folder(), 'data'), [
    '--trace-endpoint',
    collector.url,
    '--trace-sample-share',
    '0.5',
    '--dependency-failures-max',
    '2',
  ]);
  await waitUntil(() => TRACING.test(server.output()), { what: 'tracing to begin' });
  const ask = (): Promise<{ headers: Headers }> => server.request('GET', '/v1/collections');
  const sampled = (await Promise.all(Array.from({ length: 200 }, ask))).filter(({ headers }) => headers.has('traceresponse'));
  assert.ok(sampled.length > 50 && sampled.length < 150, `${sampled.length} of 200 for a share of one half`);
  await waitUntil(() => collector.spans.length === sampled.length, { what: 'every sampled request to be told' });

  const figures = async (): Promise<{ failed: number; open: number; exported: number }> => {
    const { body } = await server.request<string>('GET', '/metrics');
    const of = (series: string): number => Number(new RegExp(`^skein_trace_spans_${series} (\\d+)$`, 'm').exec(body)?.[1]);
    return {
      failed: of('dropped_total\\{reason="export_failed"\\}'),
      open: of('dropped_total\\{reason="circuit_open"\\}'),
      exported: of('exported_total'),
    };
  };
  collector.status = 400;
  await waitUntil(
    async () => {
      await Promise.all(Array.from({ length: 20 }, ask));
      return (await figures()).open > 0;
    },
    { what: 'the breaker of the collector to open', deadlineMs: 20_000 },
  );
  const { failed, exported } = await figures();
  assert.ok(failed > 0);
  assert.is(exported, sampled.length);
  assert.is((await server.request('GET', '/health')).status, 200, 'it may be degraded, and it serves');

  const before = Date.now();
  assert.is(await server.stop(), 0);
  assert.ok(Date.now() - before < 10_000, 'a stop does not wait for a collector');
});

test.run();
