/** Every ordinary request has a deadline; what is done for one that nobody waits for is given up. */

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import { abandoned } from '../../src/engine/given-up.js';
import type { Cancellation } from '../../src/model/cancellation.js';
import type { Filter } from '../../src/model/filter.js';
import { FakeEngine } from '../support/fake-engine.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/request-times');
const SEARCH = '/v1/collections/c/points/search';
const TIMEOUT_MS = 100;

/** Its searches and counts end only when they are given up. */
class StuckEngine extends FakeEngine {
  begun = 0;
  givenUp = 0;

  override search(...[, { cancellation }]: Parameters<FakeEngine['search']>): ReturnType<FakeEngine['search']> {
    return this.#stuck(cancellation);
  }

  override count(_name: string, _filter?: Filter, cancellation?: Cancellation): ReturnType<FakeEngine['count']> {
    return this.#stuck(cancellation);
  }

  #stuck(cancellation: Cancellation | undefined): Promise<never> {
    this.begun += 1;
    return new Promise((_, reject) => {
      cancellation?.onCancel(() => {
        this.givenUp += 1;
        reject(abandoned());
      });
    });
  }
}

async function stuck(t: { after(cleanup: () => unknown): void }, requestTimeoutMs: number): Promise<[TestHttp, StuckEngine]> {
  const engine = new StuckEngine();
  const http = await startHttp(t, { engine, requestTimeoutMs });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  return [http, engine];
}

test('a request that takes too long is answered with Timeout, and its work is given up', async (t) => {
  const [http, engine] = await stuck(t, TIMEOUT_MS);
  for (const [path, body] of [
    [SEARCH, { vector: [1, 2] }],
    ['/v1/collections/c/points/count', {}],
  ] as const) {
    const { status, body: answer } = await http.ask('POST', path, body);
    assert.equal([status, answer.error.type, answer.error.details], [504, 'Timeout', { timeout_ms: TIMEOUT_MS }]);
  }
  await waitUntil(() => engine.givenUp === 2, { what: 'both to be given up' });
  assert.is((await http.ask('GET', '/health/live')).status, 200);
});

test('a search that asks for more time itself has it', async (t) => {
  const [http, engine] = await stuck(t, TIMEOUT_MS);
  const asked = http.ask('POST', SEARCH, { vector: [1, 2], timeout_ms: 30_000 });
  const short = await http.ask('POST', SEARCH, { vector: [1, 2] });
  assert.is(short.status, 504);
  await waitUntil(() => engine.givenUp === 1, { what: 'the short one to be given up' });
  await waitUntil(() => engine.begun === 2, { what: 'the long one to begin' });
  await http.close(50);
  await asked.catch(() => null);
});

test('the work for a caller who has gone is given up at once, without any deadline', async (t) => {
  const [http, engine] = await stuck(t, 0);
  const headers = { 'content-type': 'application/json' };
  const asked = request(http.url + SEARCH, { method: 'POST', headers }).end(JSON.stringify({ vector: [1, 2] }));
  const ended = once(asked, 'error');
  await waitUntil(() => engine.begun === 1, { what: 'the search to begin' });
  // A connection that is cut is known at once; one that is closed is given a moment, as its other half may still read.
  asked.socket?.resetAndDestroy();
  await ended;
  await waitUntil(() => engine.givenUp === 1, { what: 'it to be given up' });
});

test('who closes his half is waited for a moment, and then his search is given up', async (t) => {
  const [http, engine] = await stuck(t, 0);
  const { hostname, port } = new URL(http.url);
  const body = JSON.stringify({ vector: [1, 2] });
  const head = `POST ${SEARCH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.end(head + body);
  await waitUntil(() => engine.begun === 1, { what: 'the search to begin' });
  assert.is(engine.givenUp, 0);
  await waitUntil(() => engine.givenUp === 1, { what: 'it to be given up' });
});

test('a request that is answered in time leaves nothing behind', async (t) => {
  // A timer that were left behind would keep this process from its end.
  const http = await startHttp(t, { requestTimeoutMs: 60_000 });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  await http.ask('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [1, 2] }] });
  for (let i = 0; i < 20; i++) assert.is((await http.ask('POST', SEARCH, { vector: [1, 2] })).status, 200);
});

test.run();
