/** A master that tells voters that it is there: those that are not linked, and none of them can end it. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { Announcer } from '../../src/node/announcer.js';
import { FakeLog, NODE } from '../support/fake-log.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('node/announcer');

const LINKED = 'b'.repeat(32);
const MISSING = 'd'.repeat(32);

/** A port that counts who comes, and refuses. */
async function door(t: TestContext): Promise<{ port: number; came: () => number }> {
  let came = 0;
  const server = createServer();
  server.on('upgrade', (_, socket) => {
    came += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, came: () => came };
}

function announcer(t: TestContext, fake: FakeLog | null): Announcer {
  const made = new Announcer({
    keys: [],
    tls: {},
    software: 'test',
    runId: 'e'.repeat(32),
    secure: false,
    master: () => fake?.log ?? null,
    linkedIds: () => [LINKED],
    address: () => ({ host: 'h', port: 1 }),
    masterUrl: () => null,
    onNewerEpoch: () => {},
    onConflict: () => {},
  });
  t.after(() => made.stop());
  return made;
}

test('voters that are not linked are told, those that are, and the node itself, are not', async (t) => {
  const [missing, linked, own] = [await door(t), await door(t), await door(t)];
  const fake = new FakeLog();
  const at = (nodeId: string, { port }: { port: number }) => ({ nodeId, host: '127.0.0.1', port });
  fake.voters = [at(MISSING, missing), at(LINKED, linked), at(NODE, own)];
  await announcer(t, fake).announce();
  assert.equal([missing.came(), linked.came(), own.came()], [1, 0, 0]);
});

test('an address that cannot be one ends nothing, and keeps nobody else from being told, the next time as well', async (t) => {
  const missing = await door(t);
  const fake = new FakeLog();
  fake.voters = [
    { nodeId: '7'.repeat(32), host: 'no such/host ', port: 1 },
    { nodeId: MISSING, host: '127.0.0.1', port: missing.port },
  ];
  const made = announcer(t, fake);
  await made.announce();
  await made.announce();
  assert.is(missing.came(), 2);
});

test('what is no master tells nobody', async (t) => {
  await announcer(t, null).announce();
});

test.run();
