/** Hedged reads: when a second node is asked, how often at most, and what becomes of the answers. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Hedging, hedged } from '../../src/sdk/hedge.js';
import { SkeinClient } from '../../src/sdk/index.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { type Handler, stubServer } from './stub-server.js';
import { UnhurriedTransport } from './unhurried-transport.js';

const test = suite('sdk/hedge');

test('whatever happens, never more than one and a tenth of the reads are hedged', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 400 }), (tries) => {
      const hedging = new Hedging({ afterMs: 5 });
      let reads = 0;
      let taken = 0;
      for (const count of tries) {
        hedging.begin();
        reads += 1;
        for (let i = 0; i < count; i++) taken += Number(hedging.take());
        assert.ok(taken <= 1 + reads * 0.1 + 1e-9, `${taken} of ${reads}`);
      }
    }),
  );
});

test('after quiet times there are some more, and no end of them', () => {
  const hedging = new Hedging({ afterMs: 5, shareMax: 0.5 });
  for (let i = 0; i < 1_000; i++) hedging.begin();
  let taken = 0;
  while (taken < 100 && hedging.take()) taken += 1;
  assert.is(taken, 10);
});

test('p95 is what 19 of 20 answers took lately, once there are enough', () => {
  const hedging = new Hedging({ afterMs: 'p95' });
  for (let i = 0; i < 19; i++) hedging.took(2);
  assert.is(hedging.begin(), null);
  hedging.took(900);
  assert.is(hedging.begin(), 2);
  for (let i = 0; i < 400; i++) hedging.took(i % 10 === 0 ? 80 : 3);
  assert.is(hedging.begin(), 80);
  for (let i = 0; i < 400; i++) hedging.took(0);
  assert.is(hedging.begin(), 1, 'a millisecond at least');
});

test('a time or a share that is none is refused', () => {
  for (const afterMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => new Hedging({ afterMs }), /afterMs/);
  for (const shareMax of [0, 1.1, Number.NaN]) assert.throws(() => new Hedging({ afterMs: 1, shareMax }), /shareMax/);
});

test('the second is asked only late; the first good answer counts, a final error ends both, else both must fail', async () => {
  const never = new AbortController().signal;
  const asked: string[] = [];
  type Outcome = (signal: AbortSignal) => Promise<string>;
  const slow: Outcome = (signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  const noted =
    (name: string, outcome: Outcome): Outcome =>
    (signal) => {
      asked.push(name);
      return outcome(signal);
    };
  const run = (first: Outcome, second: Outcome): Promise<string> =>
    hedged({
      ...{ afterMs: 1, signal: never, isFinal: (error) => error instanceof RangeError },
      first: noted('first', first),
      second: () => noted('second', second),
    });
  assert.is(await run(async () => 'a', slow), 'a');
  assert.equal(asked, ['first']);
  assert.is(await run(slow, async () => 'b'), 'b');
  // Fails when the second has been asked and has failed.
  const lateFailure: Outcome = async () => {
    await waitUntil(() => asked.at(-1) === 'second', { what: 'the second to be asked' });
    throw new Error('later');
  };
  const failure = (promise: Promise<string>): Promise<string> =>
    promise.then(
      (answer) => `answered ${answer}`,
      (error: unknown) => String(error),
    );
  const fails =
    (error: Error): Outcome =>
    () =>
      Promise.reject(error);
  assert.is(await failure(run(fails(new Error('early')), slow)), 'Error: early', 'the round goes on by itself');
  assert.is(await failure(run(slow, fails(new RangeError('final')))), 'RangeError: final');
  assert.is(await failure(run(lateFailure, fails(new Error('second')))), 'Error: second', 'the first that failed');
});

test('a read is answered by the second node while the first stands still; a write never has a second', async (t) => {
  const counts = { first: 0, second: 0, writes: 0 };
  const nodeOf =
    (name: 'first' | 'second', role: string): Handler =>
    async (request, response) => {
      if (request.path === '/health/ready') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ state: 'ready', role, epoch: 1 }));
        return null;
      }
      if (request.path.includes('/before/')) return { body: { count: 1 } };
      const isWrite = request.headers['idempotency-key'] !== undefined;
      counts[isWrite ? 'writes' : name] += 1;
      if (isWrite || name === 'first') return null;
      // A busy machine may let the second be asked sooner than the first hears of it.
      await waitUntil(() => counts.first >= counts.second, { what: 'the first to be asked' });
      return { body: { count: 1 } };
    };
  const [replica, master] = [await stubServer(t, nodeOf('first', 'replica')), await stubServer(t, nodeOf('second', 'master'))];
  const client = new SkeinClient({
    ...{ nodes: [replica.url, master.url], hedge: { afterMs: 20, shareMax: 1 }, tryTimeoutMs: 20_000 },
    ...{ readPreference: 'replica', session: false, transport: new UnhurriedTransport() },
  });
  t.after(() => client.close());
  await client.count('before');
  for (let i = 0; i < 5; i++) assert.is(await client.count('c'), 1);
  assert.equal(counts, { first: 5, second: 5, writes: 0 });
  const { latencyMs, failuresInRow } = client.nodes.find(({ url }) => url === replica.url) ?? {};
  assert.ok((latencyMs ?? 0) >= 300 && failuresInRow === 0, JSON.stringify(client.nodes));
  const giveUp = new AbortController();
  const writing = client.delete('c', { ids: [1] }, { signal: giveUp.signal }).catch(() => undefined);
  await waitUntil(() => counts.writes > 0, { what: 'the write to be asked for' });
  await client.count('c');
  giveUp.abort();
  await writing;
  assert.is(counts.writes, 1, 'the master alone, for longer than a read waits for its second');
});

test.run();
