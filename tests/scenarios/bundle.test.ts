/** The bundle is what people run: it starts by its own first line, has every thread and child it needs, and serves. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { PROGRAM } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/bundle', { deadlineMs: 90_000 });

async function serve(
  t: TestContext,
  dataDir: string,
): Promise<{ url: string; end(signal: NodeJS.Signals): Promise<number | null> }> {
  const child = spawn(PROGRAM, ['serve', '--data-dir', dataDir, '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'exit');
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  t.after(() => end('SIGKILL'));
  const found = await waitUntil(() => /listens on (http:\/\/\S+)/.exec(output) ?? (child.exitCode === null ? null : 'ended'), {
    what: 'the greeting',
    deadlineMs: 60_000,
  });
  assert.not(found === 'ended', output);
  return { url: (found as RegExpExecArray)[1] as string, end };
}

async function call(url: string, method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}${path}`, { method, ...init });
  return { status: answer.status, text: await answer.text() };
}

const points = (from: number, count: number): unknown => ({
  points: Array.from({ length: count }, (_, i) => ({
    id: from + i,
    vector: [Math.sin(from + i), Math.cos(from + i), 1],
    payload: { text: 'x'.repeat(200) },
  })),
});

test('it serves, parses large bodies in a thread, grows a graph, scans, survives a kill and stops cleanly', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await serve(t, dataDir);
  assert.is((await call(first.url, 'PUT', '/v1/collections/c', { dimension: 3, distance: 'euclid' })).status, 201);
  assert.is((await call(first.url, 'PUT', '/v1/collections/c/points', points(0, 1_500))).status, 200);
  const query = { vector: [Math.sin(7), Math.cos(7), 1], limit: 3 };
  const answer = await call(first.url, 'POST', '/v1/collections/c/points/search', query);
  assert.is(JSON.parse(answer.text).hits[0].id, 7);
  assert.is(
    JSON.parse((await call(first.url, 'POST', '/v1/collections/c/points/search', { ...query, exact: true })).text).hits[0].id,
    7,
  );
  for (const path of ['/docs/', '/openapi.json', '/metrics', '/health'])
    assert.is((await call(first.url, 'GET', path)).status, 200, path);
  await first.end('SIGKILL');
  const second = await serve(t, dataDir);
  assert.is(JSON.parse((await call(second.url, 'POST', '/v1/collections/c/points/search', query)).text).hits[0].id, 7);
  assert.is(await second.end('SIGTERM'), 0);
});

test.run();
