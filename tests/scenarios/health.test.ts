/** The health of a real server: limits from settings, an engine that stands still and comes back, a webhook that is told. */

import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/health', { deadlineMs: 60_000 });

interface Details {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly components: Readonly<Record<string, { status: string; message: string; latency_ms: number | null; check_ms: number }>>;
  readonly history: readonly { readonly status: string; readonly failing: readonly string[] }[];
  readonly transitions: readonly { readonly component: string | null; readonly to: string }[];
}

const details = (server: ServerProcess) => server.request<Details>('GET', '/health/detailed');

async function receiver(t: TestContext): Promise<{ readonly url: string; readonly told: Record<string, unknown>[] }> {
  const told: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (more: string) => (text += more));
    request.on('end', () => {
      told.push(JSON.parse(text) as Record<string, unknown>);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, told };
}

test('limits of disk and memory degrade a server that serves all the same, and its key guards the details', async (t) => {
  const folder = t.folder();
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, 'a-key-of-sixteen-characters\n', { mode: 0o600 });
  const environment = { SKEIN_HEALTH_DISK_MAX: '0', SKEIN_HEALTH_MEMORY_MAX: '0' };
  const server = await startServer(t, join(folder, 'data'), ['--api-key-file', keyFile], { environment });
  const health = await server.request<Details>('GET', '/health');
  assert.equal([health.status, health.body.status, health.body.reasons.length], [200, 'degraded', 2]);
  assert.match(health.body.reasons.join(), /the disk of the data folder is \d+ % full; the limit is 0\.0 %/);
  assert.is((await server.request('GET', '/health/ready')).status, 200);
  assert.is((await details(server)).status, 401);
  const seen = await server.request<Details>('GET', '/health/detailed', undefined, { 'api-key': 'a-key-of-sixteen-characters' });
  const { disk, memory, vector, digest, storage, replication, cpu, event_loop: loop } = seen.body.components;
  assert.equal(
    [disk, memory].map((part) => part?.status),
    ['degraded', 'degraded'],
  );
  for (const part of [vector, digest, storage, replication, cpu, loop]) assert.is(part?.status, 'healthy', part?.message);
});

test('an engine that stands still is seen, told once, and well again when it moves; live never waits', async (t) => {
  const folder = t.folder();
  const faults = join(folder, 'faults');
  const { url, told } = await receiver(t);
  const environment = {
    SKEIN_TEST_ENGINE_FAULT: faults,
    SKEIN_HEALTH_INTERVAL_MS: '50',
    SKEIN_HEALTH_TIMEOUT_MS: '500',
    SKEIN_HEALTH_WEBHOOK_URL: url,
  };
  const server = await startServer(t, join(folder, 'data'), [], { environment });
  await server.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'cosine' });
  await server.request('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [1, 2] }] });
  const answering = async (): Promise<boolean> => {
    const { vector } = (await details(server)).body.components;
    return vector?.message === 'Vector store operational (1 vectors)' && vector.latency_ms !== null;
  };
  await waitUntil(answering, { what: 'a query that was answered' });

  writeFileSync(faults, 'vector stall');
  const down = await waitUntil(
    async () => {
      const answer = await details(server);
      const seen = answer.body.transitions.some(({ component, to }) => component === 'vector' && to === 'unhealthy');
      return seen && answer.status === 503 ? answer : null;
    },
    { what: 'the fault is seen' },
  );
  assert.is(down.body.status, 'unhealthy', 'the only engine that is used is down');
  await waitUntil(() => told.some(({ status }) => status === 'unhealthy'), { what: 'the webhook has heard of the fault' });
  // The engine stands still until its fault is taken away: who waited for it would wait for good.
  assert.is((await server.request('GET', '/health/live')).status, 200);
  assert.is((await server.request('GET', '/health/ready')).status, 200);

  rmSync(faults);
  const again = await waitUntil(
    async () => {
      const { body } = await details(server);
      return body.transitions.at(-1)?.to === 'healthy' && body.status === 'healthy' ? body : null;
    },
    { what: 'it is well again' },
  );
  assert.ok(again.history.some(({ failing }) => failing.includes('vector')));
  await waitUntil(() => told.some(({ status }) => status === 'healthy'), { what: 'the webhook has heard of the end' });
  assert.ok(told.some(({ status, url: speaker }) => status === 'unhealthy' && speaker === server.url));
  assert.match(server.output(), /"component":"vector","from":"[a-z]+","to":"unhealthy"/);
});

test.run();
