/** The nodes of the fault tests: they keep port and data over every kind of end, and a load on them goes on. */

import * as assert from 'uvu/assert';
import { startCluster } from '../support/cluster.js';
import { startLoad } from '../support/load.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/kept-nodes', { deadlineMs: 60_000 });

async function failureOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

test('a node comes back on its port with its data, after a kill and after a stop; frozen, it is silent', async (t) => {
  const { master, replicas, proxies, nodes } = await startCluster(t, { replicas: 0, deadlineMs: 2_000 });
  assert.equal([replicas.length, proxies.length, nodes.length], [0, 0, 1]);
  const ledger = new WriteLedger({ ids: 40, dimension: 12 });
  await ledger.makeCollections(master);
  const load = startLoad(() => master, { ledger });
  const { port } = master;
  for (const end of ['kill', 'stop'] as const) {
    const goal = ledger.acknowledged + 50;
    await waitUntil(() => ledger.acknowledged >= goal, { what: 'writes' });
    await master[end]();
    assert.throws(() => master.process, /does not run/);
    await master.start({ untilListening: end === 'kill' });
  }
  const goal = ledger.acknowledged + 50;
  await waitUntil(() => ledger.acknowledged >= goal, { what: 'writes after the restarts' });
  assert.ok((await load.stop()).perSecond > 10, 'there was load');
  assert.is(master.port, port);
  await ledger.check(master);
  await ledger.checkSearch(master);
  await master.restart();
  await ledger.check(master);
  assert.match(await failureOf(master.start()), 'runs already');

  master.freeze();
  assert.match(await failureOf(master.request('GET', '/health/live')), /timeout/);
  master.thaw();
  assert.is((await master.request('GET', '/health/live')).status, 200);
});

test.run();
