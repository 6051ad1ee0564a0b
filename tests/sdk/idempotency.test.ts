/** Which writes carry an idempotency key, and so are repeated: the table of docs/CLIENT.md. */

import * as assert from 'uvu/assert';
import { SkeinClient } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';
import { apiError, callsOf, ofMaster, stubServer } from './stub-server.js';

const test = suite('sdk/idempotency');
const point = { id: 1, vector: [1] };

type Write = (client: SkeinClient) => Promise<unknown>;

const KEYED: Readonly<Record<string, Write>> = {
  createCollection: (client) => client.createCollection('c', { dimension: 1, distance: 'dot' }),
  updateCollection: (client) => client.updateCollection('c', { ttlMs: 1 }),
  deleteCollection: (client) => client.deleteCollection('c'),
  putAlias: (client) => client.putAlias('a', 'c'),
  deleteAlias: (client) => client.deleteAlias('a'),
  upsert: (client) => client.upsert('c', [point]),
  patch: (client) => client.patch('c', [{ id: 1, payload: {} }]),
  delete: (client) => client.delete('c', { ids: [1] }),
  batch: (client) => client.batch([{ upsert: { collection: 'c', points: [point] } }]),
};
const HARMLESS: Readonly<Record<string, Write>> = {
  setLogLevel: (client) => client.server.setLogLevel('info'),
  setSlowQueryThreshold: (client) => client.server.setSlowQueryThreshold(1),
  verify: (client) => client.replication.verify(),
};
const ONCE: Readonly<Record<string, Write>> = {
  createKey: (client) => client.keys.create({ name: 'n', role: 'read' }),
  rotateKey: (client) => client.keys.rotate('k', { graceMs: 1 }),
  revokeKey: (client) => client.keys.revoke('k'),
  createBackup: (client) => client.backups.create(),
  restoreBackup: (client) => client.backups.restore(),
  removeBackup: (client) => client.backups.remove('b'),
  promote: (client) => client.replication.promote(),
  follow: (client) => client.replication.follow('http://m:1'),
  resync: (client) => client.replication.resync(),
  forget: (client) => client.replication.forget('r'),
  importPoints: (client) => client.importPoints('c', [point]),
};

/** Asked of a server that is overloaded; @returns the keys that it saw, one for each time */
async function keysOf(t: TestContext, write: Write): Promise<readonly (string | undefined)[]> {
  const stub = await stubServer(
    t,
    ofMaster(() => apiError(503, 'Overloaded', { retryable: true, details: { reason: 'r' } })),
  );
  const client = new SkeinClient({ url: stub.url, retries: { attempts: 3, firstDelayMs: 1, delayMsMax: 2 } });
  t.after(() => client.close());
  await write(client).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), 'Overloaded'),
  );
  return callsOf(stub).map(({ headers }) => headers['idempotency-key']);
}

test('writes of data are repeated under one key, which no other write has', async (t) => {
  const all = new Set<string | undefined>();
  for (const [name, write] of Object.entries(KEYED)) {
    const keys = await keysOf(t, write);
    assert.equal([keys.length, new Set(keys).size], [3, 1], name);
    assert.match(keys[0] ?? '', /^[\da-f]{32}$/, name);
    all.add(keys[0]);
  }
  assert.is(all.size, Object.keys(KEYED).length);
});

test('what is harmless is repeated without a key, and what must not happen twice is sent once', async (t) => {
  for (const [name, write] of Object.entries(HARMLESS))
    assert.equal(await keysOf(t, write), [undefined, undefined, undefined], name);
  for (const [name, write] of Object.entries(ONCE)) assert.equal(await keysOf(t, write), [undefined], name);
});

test('the server’s wish to come back later is kept, from the header too', async (t) => {
  let firstAtMs = 0;
  let tookMs = 0;
  const stub = await stubServer(t, () => {
    if (firstAtMs === 0) {
      firstAtMs = performance.now();
      return {
        ...apiError(429, 'RateLimited', { retryable: true }),
        headers: { 'retry-after': '1', 'content-type': 'application/msgpack' },
      };
    }
    tookMs = performance.now() - firstAtMs;
    return { body: { count: 1 } };
  });
  const client = new SkeinClient({ url: stub.url, retries: { firstDelayMs: 1, delayMsMax: 2 } });
  t.after(() => client.close());
  await client.count('c');
  assert.ok(tookMs >= 990, `${tookMs} ms`);
});

test.run();
