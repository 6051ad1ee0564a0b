/** Who sends slowly is ended in time, however many they are, and nobody else notices. */

import * as net from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/slow-connections', { deadlineMs: 90_000 });
const C = '/v1/collections/c';
const HALF_A_BODY = `PUT ${C}/points HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;

test('a thousand slow connections get 408 and nobody else notices', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  assert.is((await server.request('PUT', C, { dimension: 2, distance: 'euclid' })).status, 201);
  const slow = openSlowConnections(t, Number(new URL(server.url).port), 1_000);
  const latenciesMs: number[] = [];
  await waitUntil(
    async () => {
      const startMs = performance.now();
      assert.is((await server.request('POST', `${C}/points/search`, { vector: [1, 2] })).status, 200);
      latenciesMs.push(performance.now() - startMs);
      return slow.headsRefused() >= 500;
    },
    { deadlineMs: 40_000, what: 'all slow heads are refused' },
  );
  latenciesMs.sort((a, b) => a - b);
  const median = latenciesMs[latenciesMs.length >> 1] ?? Number.NaN;
  assert.ok(median < 1_000, `the median of ${latenciesMs.length} searches took ${median} ms`);
});

/** Half of them dribble headers, half of them bodies, one byte a second. */
function openSlowConnections(t: TestContext, port: number, count: number): { headsRefused(): number } {
  let refusedHeads = 0;
  const sockets = Array.from({ length: count }, (_, i) => {
    const slow = net.connect(port, '127.0.0.1');
    slow.on('error', () => undefined);
    slow.on('data', (bytes) => {
      if (i % 2 === 0 && /^HTTP\/1\.1 408 [\s\S]*RequestTimeout/.test(bytes.toString())) refusedHeads += 1;
    });
    slow.write(i % 2 === 0 ? 'GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: ' : HALF_A_BODY);
    return slow;
  });
  const dribble = setInterval(() => {
    for (const slow of sockets) if (slow.writable) slow.write(' ');
  }, 1_000);
  t.after(() => {
    clearInterval(dribble);
    for (const slow of sockets) slow.destroy();
  });
  return { headsRefused: () => refusedHeads };
}

test.run();
