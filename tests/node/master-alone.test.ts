/** What a node alone says of replication: a master without replicas, figures of its own store, and honest refusals. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import * as assert from 'uvu/assert';
import { SkeinApiError } from '../../src/sdk/index.js';
import { type StartedNode, startedNode } from '../support/started-node.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('node/master-alone', { deadlineMs: 60_000 });

const started = (t: TestContext, flags: Record<string, string> = {}): Promise<StartedNode> =>
  startedNode(t, join(t.folder(), 'data'), flags);

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SkeinApiError) return [error.status, error.type, error.details['reason'] ?? null];
    throw error;
  }
  return 'not refused';
}

test('it is a master without replicas; what nobody can know is null; position and digest follow its writes', async (t) => {
  const { node, client } = await started(t);
  const before = await client.replication.status();
  assert.equal([before.role, before.enabled, before.masterUrl, before.replicas], ['master', true, node.url, []]);
  const { stats } = before;
  assert.equal([stats?.lagMs, stats?.operationsPending, stats?.connectedReplicas, stats?.bytesSent], [null, null, 0, 0]);
  assert.match(stats?.nodeId ?? '', /^[0-9a-f]{32}$/);
  const made = await client.createCollection('c', { dimension: 2, distance: 'dot' });
  const after = await client.replication.stats();
  assert.is(after.position, made.position);
  assert.is.not(after.digest, stats?.digest);
  assert.equal([after.nodeId, after.historyId, after.epoch], [stats?.nodeId, stats?.historyId, 1]);
  assert.equal(await client.replication.verify(), { equal: true, position: made.position, replicas: [] });
  assert.equal(await client.collections({ maxStalenessMs: 0 }).then((list) => list.length), 1);
  const metrics = await (await fetch(`${node.url}/metrics`)).text();
  assert.match(metrics, 'skein_replication_role{role="master"} 1');
  assert.not.match(metrics, /^skein_replication_lag_seconds/m);
});

test('what needs another node is refused', async (t) => {
  const { client } = await started(t);
  const { replication } = client;
  assert.equal(await refusalOf(replication.promote({ force: true })), [409, 'NotPromotable', 'already_master']);
  assert.equal(await refusalOf(replication.resync()), [400, 'InvalidRequest', null]);
  assert.equal(await refusalOf(replication.resync({ replicaId: 'r' })), [404, 'ReplicaNotFound', null]);
  assert.equal(await refusalOf(replication.verify({ replicaId: 'r' })), [404, 'ReplicaNotFound', null]);
  assert.equal(await refusalOf(replication.forget('r')), [404, 'ReplicaNotFound', null]);
});

test('a handshake that is none is answered as every refusal is, with an id and the version there is', async (t) => {
  const { node } = await started(t);
  const wish = { connection: 'Upgrade', upgrade: 'websocket', 'x-request-id': 'asked' };
  const key = { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
  for (const [headers, name] of [
    [{ 'sec-websocket-version': '13' }, 'Sec-WebSocket-Key'],
    [{ ...key, 'sec-websocket-version': '12' }, 'Sec-WebSocket-Version'],
    [{ ...key, 'sec-websocket-version': '13', 'sec-websocket-protocol': ',' }, 'Sec-WebSocket-Protocol'],
  ] as const) {
    const asked = request(`${node.url}/replication/stream`, { headers: { ...wish, ...headers } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const { error } = (await json(answer)) as { error: { type: string; message: string; request_id: string } };
    const { 'x-request-id': id, 'sec-websocket-version': version, 'content-type': type } = answer.headers;
    assert.equal([answer.statusCode, id, version, type], [400, 'asked', '13', 'application/json; charset=utf-8'], name);
    assert.equal([error.type, error.request_id], ['InvalidRequest', 'asked'], name);
    assert.match(error.message, name);
  }
});

test('a master that asks for more replicas than there are takes no write', async (t) => {
  const { client } = await started(t, { minReplicas: '1' });
  const made = client.createCollection('c', { dimension: 2, distance: 'dot' });
  assert.equal(await refusalOf(made), [503, 'Overloaded', 'min_replicas']);
});

test.run();
