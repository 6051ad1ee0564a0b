/** `skein logs summarize`: what lines come to, from plain, packed and damaged files, in bounded memory. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Durations } from '../../../src/cli/logs/durations.js';
import { LogSummary } from '../../../src/cli/logs/log-summary.js';
import { startServer } from '../../support/server-process.js';
import { suite } from '../../support/suite.js';
import { runSkein } from '../run-skein.js';

const test = suite('cli/logs/summarize', { deadlineMs: 60_000 });

const at = (second: number): string => new Date(Date.UTC(2026, 10, 22, 0, 0, second)).toISOString();
const line = (second: number, level: string, msg: string, fields: object = {}): string =>
  JSON.stringify({ level, time: at(second), ...fields, msg });
const request = (second: number, status: number, duration_ms: number, more: object = {}): string =>
  line(second, status >= 500 ? 'warn' : 'debug', 'request', { method: 'GET', route: '/a', status, duration_ms, ...more });

test('quantiles of durations are at most a twentieth too high', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 100_000, noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const durations = new Durations();
        for (const value of values) durations.add(value);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1] as number;
        const found = durations.quantile(share) as number;
        assert.ok(found >= exact * 0.999 && found <= exact * 1.051, `${found} for ${exact}`);
      },
    ),
    { seed: t.seed(), numRuns: 300 },
  );
  assert.is(new Durations().quantile(0.5), null);
});

test('lines of several files, some packed, some damaged, come to one picture', async (t) => {
  const folder = t.folder();
  const older = [
    line(1, 'info', 'listening', { url: 'http://x' }),
    ...Array.from({ length: 98 }, (_, i) => request(2, 200, i + 1)),
    request(3, 404, 5, { type: 'CollectionNotFound', request_id: 'r1' }),
    request(4, 500, 900, { type: 'Internal', request_id: 'r2', left_out: 3 }),
    line(4, 'error', 'request_failed', { type: 'Internal', error: { type: 'TypeError', message: 'x is not y', stack: 's' } }),
    line(5, 'warn', 'disk_full'),
    line(6, 'error', 'fatal', { reason: 'commit failed' }),
  ];
  const newer = [
    line(10, 'info', 'listening', {}),
    '{"level":"info","time":"cut off',
    'not json',
    '[1,2]',
    line(11, 'warn', 'slow_query', { method: 'POST', route: '/b', duration_ms: 2_000, request_id: 'slow' }),
    request(11, 200, 1_999, { request_id: 'slow' }),
    line(12, 'info', 'import_completed', { duration_ms: 60_000, imported: 5 }),
    line(13, 'info', 'stopped'),
  ];
  writeFileSync(join(folder, 'log.1.gz'), gzipSync(`${older.join('\n')}\n`));
  writeFileSync(join(folder, 'log'), newer.join('\n'));
  const { exitCode, output } = await runSkein(['logs', 'summarize', 'log', 'log.1.gz', '--json'], { workingDir: folder });
  assert.is(exitCode, 0);
  const found = JSON.parse(output);
  assert.equal([found.lines, found.damaged_lines, found.from, found.to], [109, 3, at(1), at(13)]);
  const [route] = found.routes;
  assert.equal([route.method, route.route, route.requests, route.refused, route.failed], ['GET', '/a', 101, 2, 1]);
  assert.ok(Math.abs(route.p50_ms - 50) < 4 && route.p99_ms >= 900 && route.p99_ms < 950);
  assert.is(found.failures_left_out, 3);
  assert.is(found.slow_queries, 1);
  const errors = Object.fromEntries(found.errors.map((error: { type: string; count: number }) => [error.type, error.count]));
  assert.equal(errors, { CollectionNotFound: 1, Internal: 1, TypeError: 1, fatal: 1 });
  assert.equal(
    found.slowest.slice(0, 3).map(({ what, request_id }: { what: string; request_id: string }) => [what, request_id]),
    [
      ['import_completed', null],
      ['GET /a', 'slow'],
      ['GET /a', 'r2'],
    ],
  );
  assert.equal(
    found.starts.map(({ event }: { event: string }) => event),
    ['listening', 'fatal', 'listening', 'stopped'],
  );
  assert.equal(
    found.transitions.map(({ event }: { event: string }) => event),
    ['disk_full'],
  );
  const { output: text } = await runSkein(['logs', 'summarize', 'log', 'log.1.gz'], { workingDir: folder });
  for (const shown of ['109 lines from', '3 lines could not be read', 'GET /a', '0.99 %', 'TypeError', 'x is not y', 'disk_full'])
    assert.match(text, shown);
});

test('a packed file that was cut off gives what was before the cut, and a file that is not there fails', async (t) => {
  const folder = t.folder();
  const lines = Array.from({ length: 5_000 }, (_, i) => request(i % 60, 200, Math.random() * 100)).join('\n');
  const packed = gzipSync(lines);
  writeFileSync(join(folder, 'cut.gz'), packed.subarray(0, packed.length / 2));
  const cut = JSON.parse((await runSkein(['logs', 'summarize', '--json', 'cut.gz'], { workingDir: folder })).output);
  assert.ok(cut.lines > 500 && cut.lines < 5_000);
  assert.is(cut.damaged_lines, 1);
  writeFileSync(join(folder, 'empty'), '');
  assert.is((await runSkein(['logs', 'summarize', 'empty'], { workingDir: folder })).exitCode, 0);
  const missing = await runSkein(['logs', 'summarize', 'missing'], { workingDir: folder });
  assert.is(missing.exitCode, 1);
  assert.match(missing.errors, 'missing');
  assert.is((await runSkein(['logs', 'summarize'], { workingDir: folder })).exitCode, 2);
});

test('whatever a hostile log says, the summary stays small', () => {
  const summary = new LogSummary();
  for (let i = 0; i < 4_000; i++) {
    summary.add(line(i % 60, 'error', 'request', { method: 'GET', route: `/r${i}`, status: 500, duration_ms: i, type: `T${i}` }));
    summary.add(line(i % 60, 'warn', 'promoted', { epoch: i, long: { deep: true } }));
    summary.add(line(i % 60, 'info', 'listening'));
  }
  const figures = summary.figures();
  assert.ok(figures.routes.length <= 501 && figures.errors.length <= 201);
  assert.ok(figures.transitions.length <= 1_000 && figures.starts.length <= 1_000 && figures.slowest.length === 10);
  assert.is(
    figures.routes.reduce((sum, route) => sum + route.requests, 0),
    4_000,
  );
});

test('a hostile log brings neither endless names nor numbers that are none', () => {
  const summary = new LogSummary();
  const long = 'x'.repeat(100_000);
  for (let i = 0; i < 200; i++) {
    summary.add(line(0, `${i}${long}`, 'promoted', { [`${i}${long}`]: long, request_id: long, duration_ms: i }));
    summary.add(`{"level":"warn","time":"t","msg":"request","duration_ms":1e999,"left_out":1e999,"route":"${long}${i}"}`);
    summary.add('{"level":"warn","time":"t","msg":"request","duration_ms":-1,"left_out":1e308}');
  }
  const figures = summary.figures();
  assert.ok(Object.keys(figures.byLevel).length <= 21);
  assert.is(figures.byLevel['(other)'], 181);
  assert.is(figures.failuresLeftOut, 0);
  assert.ok(JSON.stringify(figures).length < 1_000_000, `${JSON.stringify(figures).length}`);
  assert.ok(figures.slowest.every(({ durationMs }) => Number.isFinite(durationMs)));
});

test('the log of a real server can be summarized', async (t) => {
  const folder = t.folder();
  const path = join(folder, 'skein.log');
  const server = await startServer(t, join(folder, 'data'), [
    '--log-level',
    'debug',
    '--log-file',
    path,
    '--log-file-bytes-max',
    '64KiB',
  ]);
  for (let turn = 0; turn < 300; turn++) {
    const headers = { 'x-request-id': `${turn}-`.padEnd(120, 'x') };
    await server.request('GET', turn % 3 === 0 ? '/v1/collections/none' : '/health', undefined, headers);
  }
  await server.stop();
  assert.ok(readFileSync(`${path}.1`).length <= 64 * 1024);
  const { output } = await runSkein(['logs', 'summarize', '--json', path, `${path}.1`]);
  const found = JSON.parse(output);
  assert.is(found.damaged_lines, 0);
  const missing = found.routes.find(({ route }: { route: string }) => route === '/v1/collections/:collection');
  assert.equal([missing.requests, missing.refused, missing.failed], [100, 100, 0]);
  assert.equal(
    found.starts.map(({ event }: { event: string }) => event),
    ['listening', 'stopped'],
  );
});

test.run();
