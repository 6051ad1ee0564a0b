/** A server that asks nobody for a key answers programs, and no page that came through a browser of somebody else. */

import { request } from 'node:http';
import * as assert from 'uvu/assert';
import { type KeyedHttp, startKeyed } from '../../support/keyed-http.js';
import { suite } from '../../support/suite.js';

const test = suite('http/access/callers');

function ask(
  { url }: KeyedHttp,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url + path, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    asked.on('error', reject).end();
  });
}

async function status(...asked: Parameters<typeof ask>): Promise<number> {
  return (await ask(...asked)).status;
}

test('without keys names that may be bent and pages of other origins are refused, on every path', async (t) => {
  const http = await startKeyed(t);
  const own = new URL(http.url).host;
  assert.is(await status(http, '/v1/collections', { host: own }), 200);
  assert.is(await status(http, '/v1/collections', { host: own, origin: `http://${own}` }), 200);
  for (const path of ['/v1/collections', '/metrics', '/nowhere']) {
    assert.is(await status(http, path, { host: 'evil.example:7171' }), 403, path);
    assert.is(await status(http, path, { host: own, origin: 'https://evil.example' }), 403, path);
  }
  assert.is(await status(http, '/replication/promote', { host: own, origin: 'null' }, 'POST'), 403);
  assert.is(await status(http, '/health', { host: 'evil.example' }), 200);
});

test('the refusal names what gave the page away, cut short where it is long', async (t) => {
  const http = await startKeyed(t);
  const own = new URL(http.url).host;
  const details = async (headers: Record<string, string>): Promise<unknown> =>
    JSON.parse((await ask(http, '/v1/collections', headers)).text).error.details;
  assert.equal(await details({ host: own, origin: 'https://evil.example' }), { origin: 'https://evil.example' });
  assert.equal(await details({ host: 'evil.example:7171' }), { host: 'evil.example:7171' });
  assert.equal(await details({ host: own, origin: 'x'.repeat(5_000) }), { origin: 'x'.repeat(300) });
});

test('where a key is asked for the key decides alone, and without one private names are fine', async (t) => {
  const keyed = await startKeyed(t);
  const headers = keyed.as('admin');
  assert.is(await status(keyed, '/v1/collections', { ...headers, host: 'db.example', origin: 'https://page.example' }), 200);
  assert.is(await status(keyed, '/v1/collections', { host: 'db.example', origin: 'https://page.example' }), 401);
  const open = await startKeyed(t, { callers: { hosts: ['db.example'] } });
  for (const host of ['skein-0:7171', '10.0.0.7:7171', 'db.example:7171'])
    assert.is(await status(open, '/metrics', { host }), 200, host);
  assert.is(await status(open, '/metrics', { host: 'evil.example:7171' }), 403);
});

test.run();
