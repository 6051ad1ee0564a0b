/** Random kill -9 under concurrent writes, over HTTP, on one data folder that lives through all of it.
 *
 *  After every restart: each acknowledged write is there as it was acknowledged, each batch is there as a whole or not at all, and in the
 *  end the digest equals a recomputation from rows. SKEIN_TEST_KILLS sets the number of kills (default 200). */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openReader } from '../../src/storage/open-store.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const KILLS = Number(process.env['SKEIN_TEST_KILLS'] ?? 200);
const WRITERS = 6;
const WRITES_MAX = 120;
const test = suite('faults/kill-under-load', { deadlineMs: 60_000 + KILLS * 8_000 });

test(`${KILLS} kills lose nothing that was acknowledged and leave nothing half-done`, async (t) => {
  const dataDir = join(t.folder(), 'data');
  const ledger = new WriteLedger();
  let server = await startServer(t, dataDir);
  await ledger.makeCollections(server);
  for (let kill = 0; kill < KILLS; kill++) {
    const load = ledger.load(server, WRITERS);
    const goal = ledger.tried + WRITERS + Math.floor(Math.random() * WRITES_MAX);
    await waitUntil(() => ledger.tried >= goal, { deadlineMs: 30_000, what: 'some writes before the kill' });
    await server.kill();
    await load;
    server = await startServer(t, dataDir);
    await ledger.check(server);
    if (kill % 10 === 0) await ledger.checkSearch(server);
  }
  assert.is(await server.stop(), 0);
  assert.ok(ledger.acknowledged > KILLS, 'there was load');
  assert.equal([...ledger.refused], [], 'nothing was refused');
  const reads = openReader(join(dataDir, 'store-1', 'skein.db'), TEST_CACHE);
  checkDigests(reads);
  reads.close();
  console.log(`${KILLS} kills, ${ledger.tried} writes tried, ${ledger.acknowledged} acknowledged, 0 of them lost`);
});

test.run();
