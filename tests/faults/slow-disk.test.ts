/** A disk whose fsync takes seconds: nothing that is not yet durable can be seen by anybody, reads and health answer as ever, and what
 *  waits is written in the end. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { attachStrace } from '../support/strace.js';
import { suite } from '../support/suite.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/slow-disk', { deadlineMs: 180_000 });
const OLD = [1, 0, 0, 0];
const NEW = [0, 0, 0, 1];

async function put(server: ServerProcess, vector: number[]): Promise<number> {
  const points = [{ id: 1, vector, payload: { vector: vector.join() } }];
  return (await server.request('PUT', '/v1/collections/c/points', { points })).status;
}

/** What a reader sees of the point, each way it can be seen, and the position that goes with it. */
async function seen(
  server: ServerProcess,
): Promise<{ vector: number[]; payload: string; position: string | null; nearNew: number }> {
  const got = await server.request<{ vector: number[]; payload: { vector: string } }>('GET', '/v1/collections/c/points/1');
  const searched = await server.request<{ hits: { score: number }[] }>('POST', '/v1/collections/c/points/search', {
    vector: NEW,
    limit: 1,
  });
  const { vector, payload } = got.body;
  return {
    vector,
    payload: payload.vector,
    position: got.headers.get('x-skein-position'),
    nearNew: searched.body.hits[0]?.score ?? Number.NaN,
  };
}

for (const delayMs of [3_000, 4_000]) {
  test(`while fsync takes ${delayMs} ms the write is invisible, and health answers at once`, async (t) => {
    const server = await startServer(t, join(t.folder(), 'data'));
    await server.request('PUT', '/v1/collections/c', { dimension: 4, distance: 'euclid' });
    assert.is(await put(server, OLD), 200);
    const before = await seen(server);
    await attachStrace(t, server.pid, { calls: 'fsync,fdatasync', fault: `delay_enter=${delayMs * 1_000}` });
    let answered: number | null = null;
    const startMs = performance.now();
    const writing = put(server, NEW).then((status) => (answered = status));
    let looks = 0;
    let healthMs = 0;
    for (;;) {
      const beganMs = performance.now();
      const { status } = await server.request('GET', '/health/live');
      healthMs = Math.max(healthMs, performance.now() - beganMs);
      assert.is(status, 200);
      const now = await seen(server);
      // No fsync that began after startMs can have ended before this moment.
      if (performance.now() - startMs > delayMs) break;
      assert.is(answered, null, 'no answer before the write is durable');
      assert.equal(now, before);
      looks += 1;
    }
    // Each of them has asked for health, and was answered while the write waited.
    assert.ok(looks >= 3, `only ${looks} looks`);
    assert.is(await writing, 200);
    const after = await seen(server);
    assert.equal([after.vector, after.payload, after.nearNew], [NEW, NEW.join(), 0]);
    assert.is.not(after.position, before.position);
    console.log(`fsync of ${delayMs} ms: ${looks} looks saw the old state only, health took at most ${Math.round(healthMs)} ms`);
  });
}

test('writers on a slow disk share its commits, and a kill while it syncs loses nothing that was answered', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const server = await startServer(t, dataDir);
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  const strace = await attachStrace(t, server.pid, { calls: 'fsync,fdatasync', fault: 'delay_enter=500000' });
  const startMs = performance.now();
  const load = ledger.load(server, 40, () => performance.now() - startMs < 5_000);
  await load;
  const commits = strace.injected();
  assert.ok(ledger.acknowledged > commits, `${ledger.acknowledged} writes in ${commits} syncs`);
  const last = ledger.load(server, 40);
  const goal = ledger.tried + 40;
  while (ledger.tried < goal) await server.request('GET', '/health/live');
  await server.kill();
  await last;
  await strace.detach();
  await ledger.check(await startServer(t, dataDir));
});

test.run();
