/** Hostile input, round after round, to the server as people start it: each kind has its typed refusal, the server lives and serves, and
 *  what is resident once all is quiet stays where it was after the second round. (What each answer says in detail: tests/acceptance.) */

import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import { FIXED } from '../../src/model/limits.js';
import { openHandles } from '../support/process-figures.js';
import { type ErrorBody, type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/hostile-memory', { deadlineMs: 900_000 });
const MIB = 1024 * 1024;
const ROUNDS = 6;
/** V8 may leave up to 64 MB of buffers that nobody holds uncollected in each thread; two moments differ by some of it. */
const MARGIN_BYTES = 48 * MIB;
const COME_BACK_MS = 180_000;
/** Bodies and answers may hold 256 MiB each; the rest is the process and garbage. */
const PEAK_MAX = 800 * MIB;
/** Threads for large bodies and large reads end once they were idle for so long, and a bit. */
const QUIET_MS = FIXED.bodyThreadIdleMs + 5_000;
const SLOW_CONNECTIONS = 1_000;

const COLLECTION = '/v1/collections/c';
const POINTS = `${COLLECTION}/points`;
const DIMENSION = 8;
const VECTOR = Array.from({ length: DIMENSION }, (_, i) => i + 1);
const STORED = 300;
const FILL = 'x'.repeat(100_000);
const JSON_TYPE = { 'content-type': 'application/json' };
const PACKED = { 'content-type': 'application/msgpack' };

interface Hostile {
  readonly what: string;
  readonly bodies: readonly (string | Buffer)[];
  readonly refusal: readonly [status: number, type: string];
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
}

const batch = (count: number, point: (i: number) => unknown): string =>
  JSON.stringify({ points: Array.from({ length: count }, (_, i) => point(i)) });
/** A thousand good points, and a last one whose last component is written so. */
const withComponent = (component: string): string => {
  const whole = batch(1_001, (id) => ({ id, vector: VECTOR }));
  return `${whole.slice(0, whole.lastIndexOf(`,${DIMENSION}]`))},${component}]}]}`;
};
const packedHead = `81a6${Buffer.from('points').toString('hex')}`;
const PUT_POINTS: readonly Hostile[] = [
  {
    what: 'another dimension',
    bodies: [batch(2_000, (id) => ({ id, vector: [...VECTOR, 1] }))],
    refusal: [400, 'DimensionMismatch'],
  },
  {
    what: 'NaN and Infinity as words',
    bodies: ['NaN', 'Infinity', '-Infinity'].map(withComponent),
    refusal: [400, 'InvalidJson'],
  },
  {
    what: 'components that are no finite numbers',
    bodies: ['1e999', '-1e999', 'null', '"8"', '[8]'].map(withComponent),
    refusal: [400, 'InvalidVector'],
  },
  {
    what: 'packed NaN',
    bodies: [Buffer.from(packMessage({ points: [{ id: 1, vector: VECTOR.with(3, Number.NaN) }] }))],
    headers: PACKED,
    refusal: [400, 'InvalidVector'],
  },
  { what: 'zero vectors', bodies: [batch(2_000, (id) => ({ id, vector: VECTOR.map(() => 0) }))], refusal: [400, 'ZeroVector'] },
  { what: 'an id twice', bodies: [batch(5_000, (i) => ({ id: i % 4_999, vector: VECTOR }))], refusal: [400, 'InvalidRequest'] },
  {
    what: 'a payload of 10 MB',
    bodies: [batch(1, (id) => ({ id, vector: VECTOR, payload: { text: 'x'.repeat(10_000_000) } }))],
    refusal: [413, 'PayloadTooLarge'],
  },
  {
    what: 'depth without end',
    bodies: [`{"points":[{"id":1,"payload":${'{"a":'.repeat(MIB)}`, `{"points":[{"id":1,"vector":${'['.repeat(MIB)}`],
    refusal: [400, 'InvalidJson'],
  },
  {
    what: 'JSON that is cut off',
    bodies: [batch(10_000, (id) => ({ id, vector: VECTOR, payload: { text: 'y'.repeat(1_000) } })).slice(0, -7)],
    refusal: [400, 'InvalidJson'],
  },
  {
    what: 'unknown fields',
    bodies: [batch(2_000, (id) => ({ id, vector: VECTOR, [`field${id}`]: id })), '{"points":[],"more":1}'],
    refusal: [400, 'InvalidRequest'],
  },
  {
    what: '65,536 components',
    bodies: [batch(10, (id) => ({ id, vector: new Array(65_536).fill(0.123) }))],
    refusal: [400, 'DimensionMismatch'],
  },
  {
    what: 'ids of 257 bytes',
    bodies: [batch(2_000, (i) => ({ id: `${i}`.padStart(257, '0'), vector: VECTOR }))],
    refusal: [400, 'InvalidRequest'],
  },
  {
    what: 'another content type',
    bodies: [batch(10_000, (id) => ({ id, vector: VECTOR }))],
    headers: { 'content-type': 'text/plain' },
    refusal: [415, 'UnsupportedMediaType'],
  },
  { what: 'a body over the limit', bodies: [Buffer.alloc(33 * MIB, ' ')], refusal: [413, 'PayloadTooLarge'] },
  {
    what: 'a body over the limit in chunks',
    bodies: [Buffer.alloc(33 * MIB, ' ')],
    headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
    refusal: [413, 'PayloadTooLarge'],
  },
  {
    what: 'a gzip bomb',
    bodies: [gzipSync(Buffer.alloc(256 * MIB, ' '))],
    headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
    refusal: [413, 'PayloadTooLarge'],
  },
  {
    what: 'MessagePack with lengths that lie',
    bodies: ['ddffffffff', 'dd00989680c0', '91dfffffffff', 'c9ffffffff01', '9182a2696401a6766563746f72c6ffffffff00'].map((tail) =>
      Buffer.from(packedHead + tail, 'hex'),
    ),
    headers: PACKED,
    refusal: [400, 'InvalidJson'],
  },
];
const BAD_NAMES = [
  '..',
  '%2e%2e',
  '.a',
  'a%2Fb',
  'a%5Cb',
  'a%00b',
  'a%E2%80%AEb',
  '%EF%BD%81',
  '%C3%A9',
  'a%20',
  'a'.repeat(129),
  '%FF',
];
const OTHERS: readonly Hostile[] = [
  ...BAD_NAMES.map(
    (name): Hostile => ({
      what: `the name ${name}`,
      path: `/v1/collections/${name}`,
      bodies: ['{"dimension":2,"distance":"dot"}'],
      refusal: [400, 'InvalidCollectionName'],
    }),
  ),
  {
    what: 'a collection of 65,536 dimensions',
    path: '/v1/collections/wide',
    bodies: ['{"dimension":65536,"distance":"dot"}'],
    refusal: [400, 'InvalidRequest'],
  },
  {
    what: 'more points than an answer holds',
    method: 'POST',
    path: `${POINTS}/search/batch`,
    bodies: [JSON.stringify({ searches: Array.from({ length: 100 }, () => ({ vector: VECTOR, limit: STORED })) })],
    refusal: [413, 'PayloadTooLarge'],
  },
];

/** http.request and not fetch: a path goes out exactly as it is written, and an answer may come before the end of the body. */
function send(server: ServerProcess, hostile: Hostile, body: string | Buffer): Promise<{ status: number; text: string }> {
  const { method = 'PUT', path = POINTS, headers = JSON_TYPE } = hostile;
  const length = 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const request = http.request(server.url, { method, path, headers: { ...headers, ...length } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function refuseAll(server: ServerProcess): Promise<void> {
  for (const hostile of [...PUT_POINTS, ...OTHERS]) {
    for (const body of [...hostile.bodies, ...hostile.bodies]) {
      const { status, text } = await send(server, hostile, body);
      assert.equal(
        [status, (JSON.parse(text) as ErrorBody).error.type],
        hostile.refusal,
        `${hostile.what}: ${text.slice(0, 300)}`,
      );
    }
  }
}

function open(t: TestContext, server: ServerProcess, count: number, bytes: (i: number) => string): Socket[] {
  const sockets = Array.from({ length: count }, (_, i) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
    socket.pause().write(bytes(i));
    return socket;
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

const headOf = (method: string, path: string, length: number): string =>
  `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

/** Connections that never finish what they send, or never read what they asked for. */
async function hang(t: TestContext, server: ServerProcess): Promise<void> {
  const before = openHandles(server.pid);
  const slow = open(t, server, SLOW_CONNECTIONS, (i) =>
    i % 2 === 0
      ? 'GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: '
      : `${headOf('PUT', POINTS, 1_000_000)}{"points":[${' '.repeat(10_000)}`,
  );
  const scroll = JSON.stringify({ limit: STORED });
  const silent = open(t, server, 12, () => headOf('POST', `${POINTS}/scroll`, scroll.length) + scroll);
  await waitUntil(() => openHandles(server.pid) >= before + SLOW_CONNECTIONS, { what: 'all connections', deadlineMs: 30_000 });
  await serves(server);
  for (const socket of [...slow, ...silent]) socket.destroy();
  await waitUntil(() => openHandles(server.pid) <= before + 10, { what: 'connections to be given back', deadlineMs: 30_000 });
}

async function serves(server: ServerProcess): Promise<void> {
  const count = await server.request<{ count: number }>('POST', `${POINTS}/count`, {});
  assert.equal([count.status, count.body], [200, { count: STORED }]);
  const found = await server.request<{ hits: { id: number }[] }>('POST', `${POINTS}/search`, { vector: VECTOR, limit: 3 });
  assert.equal([found.status, found.body.hits.length], [200, 3]);
}

function statusBytes({ pid }: ServerProcess, name: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

/** Small requests that change nothing. V8 collects what a burst left outside its heap not when it is idle, but under the next requests. */
async function ordinaryTraffic(server: ServerProcess): Promise<void> {
  const body = batch(2, (id) => ({ id, vector: VECTOR, payload: { fill: FILL }, if_version: 0 }));
  for (let i = 0; i < 5; i++) {
    assert.is((await server.request('PUT', POINTS, body)).status, 409);
    await serves(server);
  }
}

/** What is resident once it has not become less for a while, under ordinary traffic. */
async function settledBytes(server: ServerProcess): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  let sinceMs = performance.now();
  await waitUntil(
    async () => {
      await ordinaryTraffic(server);
      const bytes = statusBytes(server, 'VmRSS');
      if (bytes < lowest - MIB) {
        lowest = bytes;
        sinceMs = performance.now();
      }
      return performance.now() - sinceMs > QUIET_MS;
    },
    { what: 'memory to settle', deadlineMs: 5 * QUIET_MS },
  );
  return lowest;
}

/** Waits until no more than this is resident, under ordinary traffic. */
async function cameBack(server: ServerProcess, bytesMax: number): Promise<number> {
  return waitUntil(
    async () => {
      await ordinaryTraffic(server);
      const bytes = statusBytes(server, 'VmRSS');
      return bytes < bytesMax ? bytes : null;
    },
    { what: `memory to come back to ${Math.round(bytesMax / MIB)} MiB`, deadlineMs: COME_BACK_MS },
  );
}

test('round after round of hostile input is refused by type, and memory comes back to where it was', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  await server.request('PUT', COLLECTION, { dimension: DIMENSION, distance: 'cosine' });
  const stored = batch(STORED, (id) => ({ id, vector: VECTOR.map((x) => x + id), payload: { fill: FILL } }));
  assert.is((await server.request('PUT', POINTS, stored)).status, 200);
  let early = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    await refuseAll(server);
    await hang(t, server);
    await serves(server);
    if (round === 2) early = await settledBytes(server);
  }
  const late = await cameBack(server, early + MARGIN_BYTES);
  const peak = statusBytes(server, 'VmHWM');
  const shown = [early, late, peak].map((bytes) => Math.round(bytes / MIB));
  console.log(`resident after round 2: ${shown[0]} MiB, after round ${ROUNDS}: ${shown[1]} MiB, at most ${shown[2]} MiB`);
  assert.ok(peak < PEAK_MAX, `${shown[2]} MiB were resident`);
  assert.is(await server.stop(), 0);
});

test.run();
