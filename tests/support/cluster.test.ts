/** The cluster tools: equality that cannot be pretended, a load that goes on, nodes that keep port and folder. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { startNode } from './cluster.js';
import { startLoad } from './load.js';
import { NodeCalls, type NodeStats, waitUntilEqual } from './node-calls.js';
import { suite, type TestContext } from './suite.js';
import { waitUntil } from './wait-until.js';
import { type Asked, WriteLedger } from './write-ledger.js';

const test = suite('support/cluster', { deadlineMs: 60_000 });

const SHORT = { deadlineMs: 60 };

/** A node that answers these stats, one after the other, then the last one again and again. */
function fakeNode(name: string, ...answers: (Partial<NodeStats> | Error)[]): Pick<NodeCalls, 'name' | 'stats'> {
  return {
    name,
    stats: () => {
      const next = answers.length > 1 ? answers.shift() : answers[0];
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next as NodeStats);
    },
  };
}

async function failureOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

test('nodes are equal when position and digest are, however late', async () => {
  const equal = { position: 'p', digest: 'd' };
  const late = fakeNode('late', new Error('gone'), { position: 'o', digest: 'd' }, { position: 'p', digest: 'x' }, equal);
  assert.equal(await waitUntilEqual([fakeNode('a', equal), late]), equal);
});

test('what is not equal fails, with the stats of every node', async () => {
  const node = fakeNode('a', { position: 'p', digest: 'd' });
  const others: [Partial<NodeStats> | Error, RegExp][] = [
    [{ position: 'p', digest: 'other' }, /a: .*"digest":"d".*\nb: .*"digest":"other"/],
    [{ position: 'q', digest: 'd' }, /b: .*"position":"q"/],
    [{}, /b: \{\}/],
    [new Error('refused'), /b: Error: refused/],
  ];
  for (const [other, pattern] of others)
    assert.match(await failureOf(waitUntilEqual([node, fakeNode('b', other)], SHORT)), pattern);
  assert.match(await failureOf(waitUntilEqual([fakeNode('a', {}), fakeNode('b', {})], SHORT)), 'in vain');
  assert.match(await failureOf(waitUntilEqual([node], SHORT)), 'one node alone');
});

interface Called {
  readonly line: string;
  readonly body: string;
}

/** An HTTP server that notes calls and answers all alike; null: never. */
async function startFake(t: TestContext, status: number | null): Promise<{ url: string; calls: Called[] }> {
  const calls: Called[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += String(piece)));
    request.on('end', () => {
      calls.push({ line: `${request.method} ${request.url}`, body });
      if (status !== null) response.writeHead(status, { 'content-type': 'application/json' }).end('{"epoch":7}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

test('the calls about replication are those of the contract; a refusal and silence are failures', async (t) => {
  const { url, calls } = await startFake(t, 200);
  const node = new NodeCalls('a', url);
  assert.is((await node.stats()).epoch, 7);
  assert.is((await node.promote({ force: true })).epoch, 7);
  await node.follow('ws://other');
  assert.equal(calls, [
    { line: 'GET /replication/stats', body: '' },
    { line: 'POST /replication/promote', body: '{"force":true}' },
    { line: 'POST /replication/follow', body: '{"master_url":"ws://other"}' },
  ]);
  const refusing = new NodeCalls('b', (await startFake(t, 409)).url);
  assert.match(await failureOf(refusing.promote()), /promote of b: 409 \{"epoch":7\}/);
  const silent = new NodeCalls('c', (await startFake(t, null)).url, 50);
  assert.match(await failureOf(silent.stats()), /timeout/);
});

/** Takes every write, or says what `outcome` says: a status, or null for no answer. */
function fakeTarget(outcome: (turn: number) => number | null, type = 'NoMaster'): { target: Asked; ids: number[] } {
  const ids: number[] = [];
  const request = (_method: string, _path: string, body: unknown): Promise<unknown> => {
    const { operations } = body as { operations: { upsert: { points: { id: number }[] } }[] };
    const status = outcome(ids.push(operations[0]?.upsert.points[0]?.id ?? -1) - 1);
    if (status === null) return Promise.reject(new Error('gone'));
    return new Promise((resolve) => setImmediate(() => resolve({ status, body: { error: { type } }, headers: new Headers() })));
  };
  return { target: { request } as Asked, ids };
}

test('a load writes at its pace until told to stop, and counts what was acknowledged', async () => {
  const { target, ids } = fakeTarget(() => 200);
  const ledger = new WriteLedger({ ids: 8 });
  const load = startLoad(() => target, { ledger, writers: 2, pointsPerSecond: 200 });
  await waitUntil(() => ids.length >= 40, { what: 'writes' });
  const { tried, acknowledged, perSecond } = await load.stop();
  assert.is(tried, ids.length);
  assert.is(acknowledged, ids.length);
  assert.ok(perSecond < 230, `${perSecond} a second`);
  assert.is(new Set(ids).size, 8);
  const full = fakeTarget(() => 200);
  const until = (): boolean => full.ids.length >= 2_000;
  const result = await startLoad(() => full.target, { ledger, until }).ended;
  // At a pace of hundreds a second it would take its time; the bound leaves room for a machine that stands still for seconds.
  assert.ok(result.tried >= 2_000 && result.perSecond > 300, `${result.perSecond} a second`);
});

test('a load goes on after lost and refused writes, and leaves a point whose write is uncertain alone', async () => {
  const unconfirmed = fakeTarget((turn) => (turn % 3 === 0 ? null : 504), 'WriteConcernTimeout');
  const ledger = new WriteLedger({ ids: 4 });
  const { acknowledged } = await startLoad(() => unconfirmed.target, { ledger, until: () => unconfirmed.ids.length >= 12 }).ended;
  assert.is(acknowledged, 0);
  assert.is(new Set(unconfirmed.ids).size, unconfirmed.ids.length, 'no point twice');
  const refusing = fakeTarget(() => 503);
  await startLoad(() => refusing.target, { ledger: new WriteLedger({ ids: 4 }), until: () => refusing.ids.length >= 12 }).ended;
  assert.is(new Set(refusing.ids).size, 4, 'what was refused never happened');
  assert.throws(() => startLoad(() => refusing.target, { ledger: new WriteLedger({ ids: 3 }) }), 'a point each');
});

test('nodes have ports and folders of their own', async (t) => {
  const [a, b] = await Promise.all([startNode(t, 'a'), startNode(t, 'b')]);
  assert.is.not(a.port, b.port);
  assert.is.not(a.dataDir, b.dataDir);
  assert.is(a.replicationUrl, `ws://127.0.0.1:${a.port}`);
});

test.run();
