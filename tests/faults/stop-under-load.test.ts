/** SIGTERM under load: every write that was answered is there, the process ends with code 0, and the next start knows that all was well.
 *  A second signal ends the process at once and harms nothing. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/stop-under-load', { deadlineMs: 90_000 });
const WRITERS = 6;
const AFTER_AN_UNCLEAN_STOP = /after a stop that was not clean/;

/** Load that goes on until the server refuses or is gone. */
async function someLoad(server: ServerProcess, ledger: WriteLedger): Promise<Promise<void>[]> {
  const goal = ledger.acknowledged + 40;
  const load = ledger.load(server, WRITERS, (outcome) => outcome === 'acknowledged');
  await waitUntil(() => ledger.acknowledged >= goal, { what: 'some writes' });
  return [load];
}

test('a stop under load loses nothing, ends with code 0, and is known as clean; what came too late was refused', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const ledger = new WriteLedger();
  let server = await startServer(t, dataDir);
  await ledger.makeCollections(server);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) {
    const [load] = await someLoad(server, ledger);
    server.signal(signal);
    assert.equal(await server.ended, { code: 0, signal: null });
    await load;
    server = await startServer(t, dataDir);
    assert.not.match(server.output(), AFTER_AN_UNCLEAN_STOP);
    await ledger.check(server);
  }
  for (const type of ledger.refused.keys()) assert.is(type, 'ShuttingDown');
  await ledger.checkSearch(server);
});

test('a second signal ends the process at once, and nothing that was answered is lost', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const ledger = new WriteLedger();
  let server = await startServer(t, dataDir);
  await ledger.makeCollections(server);
  for (let round = 0; round < 3; round++) {
    const [load] = await someLoad(server, ledger);
    server.signal('SIGTERM');
    await waitUntil(() => server.output().includes('"stopping"'), { what: 'the stop to begin' });
    server.signal('SIGTERM');
    const { code, signal } = await server.ended;
    assert.is(signal, null);
    assert.ok(code === 0 || code === 1, `code ${code}`);
    await load;
    server = await startServer(t, dataDir);
    await ledger.check(server);
  }
});

test('a start after a kill says that the stop was not clean, and one after a stop does not', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await startServer(t, dataDir);
  await first.kill();
  const second = await startServer(t, dataDir);
  assert.match(second.output(), AFTER_AN_UNCLEAN_STOP);
  assert.is(await second.stop(), 0);
  assert.not.match((await startServer(t, dataDir)).output(), AFTER_AN_UNCLEAN_STOP);
});

test.run();
