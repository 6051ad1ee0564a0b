/** Long answers on their way out have a common bound: who does not read takes memory from nobody else, and what he held comes back. */

import { connect, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { FIXED } from '../../src/model/limits.js';
import { FakeEngine } from '../support/fake-engine.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/long-answers');
const MIB = 1024 * 1024;
const GET = '/v1/collections/c/points/get';
const BODY = '{"ids":[1]}';
const REQUEST = `POST ${GET} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
/** One payload that many points share, so that the test itself needs little memory. */
const payload = Buffer.from(`{"fill":"${'x'.repeat(MIB - 11)}"}`);

/** A server that answers every get with so many points of 1 MiB. */
async function serve(t: TestContext, found: { points: number }): Promise<TestHttp> {
  const fake = new FakeEngine();
  const get = async () => ({
    points: Array.from({ length: found.points }, (_, id) => ({ id, version: 1, payload, vector: null })),
    missing: [],
    position: fake.position(),
  });
  return startHttp(t, { engine: Object.assign(fake, { get }) });
}

function silentReader(t: TestContext, { url }: TestHttp, request: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  socket.pause().write(request);
  return socket;
}

test('more long answers than the bound are refused while nobody reads, and served once the others are gone', async (t) => {
  const found = { points: 60 };
  const http = await serve(t, found);
  const held = async (): Promise<number> =>
    Number(/skein_answer_held_bytes (\d+)/.exec((await http.ask('GET', '/metrics')).body)?.[1]);
  const count = Math.floor(FIXED.answerBytesHeldMax / (60 * MIB));
  const readers = Array.from({ length: count }, () => silentReader(t, http, REQUEST));
  await waitUntil(async () => (await held()) >= count * 60 * MIB, { what: 'the answers to wait' });
  const refused = await http.ask('POST', GET, { ids: [1] });
  assert.equal([refused.status, refused.body.error.type, refused.body.error.details.reason], [503, 'Overloaded', 'answer_bytes']);
  assert.is((await http.ask('GET', '/v1/collections')).status, 200);
  for (const reader of readers) reader.destroy();
  await waitUntil(async () => (await held()) === 0, { what: 'the bytes to be given back' });
  found.points = 3;
  assert.is((await http.ask('POST', GET, { ids: [1] })).body.points.length, 3);
  await waitUntil(async () => (await held()) === 0, { what: 'an answer that was read to be counted no more' });
});

test('answers that wait behind another of their connection are counted, and given back with it', async (t) => {
  const http = await serve(t, { points: 20 });
  const held = async (): Promise<number> =>
    Number(/skein_answer_held_bytes (\d+)/.exec((await http.ask('GET', '/metrics')).body)?.[1]);
  const reader = silentReader(t, http, REQUEST.repeat(3));
  await waitUntil(async () => (await held()) >= 60 * MIB, { what: 'three answers to wait' });
  reader.destroy();
  await waitUntil(async () => (await held()) === 0, { what: 'the bytes to be given back' });
});

test.run();
