/** More than a slow disk can take: requests are refused with a typed 503 while memory stays bounded, what was acknowledged is there even when
 *  the process is killed at the height of it, and once the disk is fast again everything goes through. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { attachStrace } from '../support/strace.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/overload', { deadlineMs: 240_000 });
const MIB = 1024 * 1024;
const BODY_POINTS = 2_000;
const FILL = 'x'.repeat(1_000);
const CLIENTS = 120;
/** All bodies in flight are about 280 MiB, and the whole process may not need much more than its own bounds: bodies held, write queue. */
const RESIDENT_MAX = 900 * MIB;

/** The most memory that was ever resident, from the kernel. */
function peakBytes(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

function body(client: number): string {
  const points = Array.from({ length: BODY_POINTS }, (_, i) => ({
    id: `${client}-${i}`,
    vector: [client, i, 1, 2],
    payload: { fill: FILL },
  }));
  return JSON.stringify({ points });
}

async function storm(server: ServerProcess, outcomes: Map<string, number>, acknowledged: Set<number>): Promise<void> {
  const one = async (client: number): Promise<void> => {
    const path = '/v1/collections/heavy/points?wait=durable&timeout_ms=60000';
    const answer = await server.request('PUT', path, body(client)).catch(() => null);
    const outcome = answer === null ? 'lost' : answer.status === 200 ? 'acknowledged' : answer.body.error.type;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (outcome === 'acknowledged') acknowledged.add(client);
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => one(client)));
}

async function isThere(server: ServerProcess, client: number): Promise<boolean> {
  const { body: found } = await server.request<{ points: unknown[] }>('POST', '/v1/collections/heavy/points/get', {
    ids: Array.from({ length: BODY_POINTS }, (_, i) => `${client}-${i}`),
    with_vector: false,
    with_payload: false,
  });
  assert.ok(found.points.length === 0 || found.points.length === BODY_POINTS, 'a request is there as a whole or not at all');
  return found.points.length === BODY_POINTS;
}

for (const end of ['recovers', 'kill'] as const) {
  test(`a storm of large writes onto a slow disk is shed, within bounds of memory${end === 'kill' ? ', and a kill in it loses nothing' : ''}`, async (t) => {
    const dataDir = join(t.folder(), 'data');
    const flags = ['--write-queue-bytes-max', '34MiB'];
    let server = await startServer(t, dataDir, flags);
    const ledger = new WriteLedger();
    await ledger.makeCollections(server);
    await server.request('PUT', '/v1/collections/heavy', { dimension: 4, distance: 'euclid' });
    await ledger.load(server, 2, () => ledger.acknowledged < 20);
    const strace = await attachStrace(t, server.pid, { calls: 'fsync,fdatasync', fault: 'delay_enter=1500000' });
    const outcomes = new Map<string, number>();
    const acknowledged = new Set<number>();
    const storming = storm(server, outcomes, acknowledged);
    await waitUntil(() => (outcomes.get('Overloaded') ?? 0) > 0, { what: 'a refusal', deadlineMs: 60_000 });
    if (end === 'kill') {
      await waitUntil(() => acknowledged.size > 0, { what: 'a heavy write to be acknowledged', deadlineMs: 60_000 });
      await server.kill();
      await storming;
      await strace.detach();
      server = await startServer(t, dataDir, flags);
    } else {
      assert.is((await server.request('GET', '/health/live')).status, 200);
      await storming;
      assert.equal([...outcomes.keys()].sort(), ['Overloaded', 'acknowledged']);
      const peak = peakBytes(server.pid);
      assert.ok(peak < RESIDENT_MAX, `${Math.round(peak / MIB)} MiB were resident`);
      console.log(
        `storm: ${[...outcomes].map((each) => each.join(' ')).join(', ')}; at most ${Math.round(peak / MIB)} MiB resident`,
      );
      await strace.detach();
    }
    for (const client of acknowledged) assert.ok(await isThere(server, client), `request ${client} was acknowledged`);
    for (let client = 0; client < CLIENTS; client += 7) await isThere(server, client);
    await ledger.check(server);
    await waitUntil(async () => (await ledger.write(server, 1)) === 'acknowledged', { what: 'a write to go through at once' });
    assert.is(await server.stop(), 0);
  });
}

test.run();
