/** Where requests of an embedded database's client go, and that none is answered once the node has failed. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { duplexPair } from 'node:stream';
import * as assert from 'uvu/assert';
import { InsideTransport } from '../../src/embedded/inside-transport.js';
import { SkeinConnectionError } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('embedded/inside-transport');
const URL_INSIDE = 'http://localhost';

function serverSaying(t: TestContext, text: string): Server {
  const server = createServer((_request, response) => response.end(text));
  t.after(() => server.close());
  return server;
}

async function setUp(t: TestContext) {
  const inner = serverSaying(t, 'inside');
  const outer = serverSaying(t, 'outside');
  await new Promise<void>((resolve) => outer.listen(0, '127.0.0.1', resolve));
  const failure: { reason: string | null } = { reason: null };
  const transport = new InsideTransport({
    url: URL_INSIDE,
    connect: () => {
      const [near, far] = duplexPair();
      inner.emit('connection', far);
      return near;
    },
    failure: () => failure.reason,
    connectionsMax: 4,
  });
  t.after(() => transport.close());
  const outside = `http://127.0.0.1:${(outer.address() as AddressInfo).port}`;
  const ask = async (url: string): Promise<string> => {
    const { signal } = new AbortController();
    const answer = await transport.send({ method: 'GET', url: `${url}/x`, headers: {}, body: null, signal });
    return Buffer.from(answer.body).toString();
  };
  return { ask, outside, failure };
}

test('what is for the node goes to it, on connections that are used again, and all else over the network', async (t) => {
  const { ask, outside } = await setUp(t);
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  for (let i = 0; i < 30; i++) assert.is(await ask(URL_INSIDE), 'inside');
  assert.is(await ask(outside), 'outside');
  assert.is(await ask(`${URL_INSIDE}.example`).catch((error: Error) => error.constructor), SkeinConnectionError);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(warnings, []);
});

test('a node that has failed answers nothing any more, the master still does', async (t) => {
  const { ask, outside, failure } = await setUp(t);
  failure.reason = 'a commit failed';
  const refused = await ask(URL_INSIDE).catch((error: unknown) => error);
  assert.ok(refused instanceof SkeinConnectionError);
  assert.equal([refused.code, refused.message], ['FAILED', 'the embedded node has failed: a commit failed']);
  assert.is(await ask(outside), 'outside');
});

test.run();
