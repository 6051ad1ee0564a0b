/** Threads that fail: the writer takes the process down at once, and the next start has everything; an index thread is started again and loads
 *  its checkpoints; what holds nothing costs its own requests only. A main thread that stood still goes on as if nothing had been. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { threadFault } from '../support/thread-faults.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/lost-thread', { deadlineMs: 60_000 });
const WRITERS = 3;
/** Much less than any part of the server waits for another. */
const EXIT_MS_MAX = 10_000;

async function someLoad(server: ServerProcess, ledger: WriteLedger): Promise<{ ended: Promise<void> }> {
  const goal = ledger.acknowledged + 20;
  const ended = ledger.load(server, WRITERS);
  await waitUntil(() => ledger.acknowledged >= goal, { what: 'some writes' });
  return { ended };
}

for (const [thread, fault] of [
  ['writer', 'throw'],
  ['writer', 'exit'],
  ['main', 'throw'],
  ['main', 'reject'],
] as const) {
  test(`a ${thread} thread that ends by ${fault} ends the process, and nothing acknowledged is lost`, async (t) => {
    const dataDir = join(t.folder(), 'data');
    const ledger = new WriteLedger({ ids: 60 });
    const server = await startServer(t, dataDir, [], { environment: threadFault(thread, fault) });
    await ledger.makeCollections(server);
    const load = await someLoad(server, ledger);
    const startMs = performance.now();
    server.signal('SIGUSR2');
    const { code, signal } = await server.ended;
    const tookMs = performance.now() - startMs;
    assert.is(signal, null);
    assert.is(code, 1);
    assert.ok(tookMs < EXIT_MS_MAX, `it took ${tookMs} ms to end`);
    assert.match(server.output(), thread === 'main' ? /uncaughtException|unhandledRejection/ : /"msg":"fatal"/);
    await load.ended;
    const next = await startServer(t, dataDir);
    await ledger.check(next);
    await ledger.checkSearch(next);
  });
}

for (const fault of ['throw', 'exit'] as const) {
  test(`an index thread that ends by ${fault} is started again under load, and nothing is lost`, async (t) => {
    const server = await startServer(t, join(t.folder(), 'data'), [], { environment: threadFault('index', fault) });
    const ledger = new WriteLedger({ ids: 60 });
    await ledger.makeCollections(server);
    let goOn = true;
    const load = ledger.load(server, WRITERS, () => goOn);
    await waitUntil(() => ledger.acknowledged >= 20, { what: 'some writes' });
    server.signal('SIGUSR2');
    await waitUntil(() => server.output().includes('index_worker_restarted'), { what: 'the thread to be started again' });
    const before = ledger.acknowledged;
    await waitUntil(() => ledger.acknowledged >= before + 20, { what: 'writes to go on' });
    goOn = false;
    await load;
    await ledger.check(server);
    const searched = async (): Promise<boolean> =>
      (await server.request('POST', '/v1/collections/left/points/search', { id: 1 })).status !== 503;
    await waitUntil(searched, { what: 'searches to be answered again' });
    await ledger.checkSearch(server);
    assert.is(await server.stop(), 0);
  });
}

test('a scan thread that ends fails its own request at most; the next scan has a new thread', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'), [], { environment: threadFault('scan', 'throw') });
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  await ledger.load(server, WRITERS, () => ledger.acknowledged < 60);
  const scan = async (): Promise<number> => {
    const filter = { must: [{ key: 'value', range: { gte: 0 } }] };
    const { status, body } = await server.request('POST', '/v1/collections/left/points/scroll', { filter });
    assert.ok(status === 200 || (status === 500 && body.error.type === 'Internal'), JSON.stringify(body));
    return status;
  };
  assert.is(await scan(), 200);
  const struck = async (): Promise<boolean> => {
    const scans = [scan(), scan()];
    server.signal('SIGUSR2');
    return (await Promise.all(scans)).includes(500);
  };
  await waitUntil(struck, { what: 'a scan to lose its thread' });
  await waitUntil(async () => (await scan()) === 200, { what: 'a scan to be answered again' });
  await ledger.check(server);
  assert.is(await server.stop(), 0);
});

test('a main thread that stood still for three seconds under load loses nothing and refuses nothing', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'), [], { environment: threadFault('main', 'block') });
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  let goOn = true;
  const load = ledger.load(server, WRITERS, () => goOn);
  await waitUntil(() => ledger.acknowledged >= 20, { what: 'some writes' });
  const startMs = performance.now();
  server.signal('SIGUSR2');
  const health = async (): Promise<number> => (await server.request('GET', '/health/live')).status;
  await waitUntil(async () => (await health()) === 200 && performance.now() - startMs > 2_900, { what: 'the thread to go on' });
  const before = ledger.acknowledged;
  await waitUntil(() => ledger.acknowledged >= before + 20, { what: 'writes to go on' });
  goOn = false;
  await load;
  assert.equal([...ledger.refused], []);
  await ledger.check(server);
  assert.is(await server.stop(), 0);
});

test('a process that was frozen goes on where it was', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  let goOn = true;
  const load = ledger.load(server, WRITERS, () => goOn);
  for (let round = 1; round <= 3; round++) {
    const before = ledger.acknowledged;
    await waitUntil(() => ledger.acknowledged >= before + 20, { what: 'some writes' });
    server.signal('SIGSTOP');
    const thawMs = performance.now() + 700;
    await waitUntil(() => performance.now() > thawMs, { what: 'some time to pass' });
    server.signal('SIGCONT');
  }
  goOn = false;
  await load;
  assert.equal([...ledger.refused], []);
  await ledger.check(server);
  await ledger.checkSearch(server);
  assert.is(await server.stop(), 0);
});

test.run();
