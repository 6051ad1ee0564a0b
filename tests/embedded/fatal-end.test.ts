/** What a program sees of a database that has failed: every call ends at once, also those that run or would be tried again. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FatalEnd } from '../../src/embedded/fatal-end.js';
import { openSkein, type SkeinClient, SkeinConnectionError } from '../../src/embedded/skein.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('embedded/fatal-end', { deadlineMs: 60_000 });
/** An index worker that dies so often is not started again. */
const DEATHS = 4;

async function endWorkers(t: TestContext, client: SkeinClient, fault: string): Promise<void> {
  t.after(() => delete process.env['SKEIN_TEST_ENGINE_FAULT']);
  for (let death = 0; death < DEATHS; death++) {
    writeFileSync(fault, 'vector end\n');
    await waitUntil(
      async () => {
        await client.search('c', { vector: [1], limit: 1 }, { timeoutMs: 200 }).catch(() => undefined);
        return !existsSync(fault);
      },
      { what: 'the death of the worker' },
    );
  }
}

test('a lost thread ends running calls, iterations and all later calls with the reason, at once; then it can be closed', async (t) => {
  const fault = join(t.folder(), 'fault');
  process.env['SKEIN_TEST_ENGINE_FAULT'] = fault;
  const told: Error[] = [];
  const opened = await openSkein({ dataDir: t.folder(), logLevel: 'silent', onFatal: (reason) => void told.push(reason) });
  t.after(() => opened.close());
  const { client } = opened;
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  await client.upsert('c', [{ id: 1, vector: [1] }]);
  async function* unending() {
    yield { id: 2, vector: [1] };
    await new Promise(() => undefined);
  }
  const running = [client.changes().next(), client.importPoints('c', unending())].map((call) => call.catch((error) => error));
  await endWorkers(t, client, fault);
  await waitUntil(() => told.length > 0, { what: 'the program to be told' });
  const startMs = performance.now();
  const { position } = client;
  const later = [
    client.count('c'),
    client.upsert('c', [{ id: 1, vector: [1] }]),
    client.waitFor(position ?? ''),
    client.changes().next(),
    client.importPoints('c', []),
    client.session().health(),
  ].map((call) => call.catch((error: unknown) => error));
  for (const ended of await Promise.all([...running, ...later])) {
    assert.ok(ended instanceof SkeinConnectionError, String(ended));
    assert.is(ended.code, 'FAILED');
    assert.match(ended.message, 'the embedded node has failed: an index worker failed');
  }
  assert.ok(performance.now() - startMs < 5_000, 'nothing is tried again');
  await opened.close();
  assert.is(told.length, 1);
});

test('what fails before the database is open fails the opening, and the program is told once by that', async () => {
  const ended: Error[] = [];
  const told: Error[] = [];
  const fatal = new FatalEnd({ endCalls: (error) => void ended.push(error), tell: (error) => void told.push(error) });
  fatal.happened('first');
  fatal.happened('second');
  assert.match(await fatal.duringOpening.catch((error: Error) => error.message), 'has failed: first');
  assert.throws(() => fatal.opened(), /has failed: first/);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal([ended.length, told.length], [1, 0]);
});

test('the program is told from outside of what failed, so that it may close or throw', async () => {
  const told: Error[] = [];
  const fatal = new FatalEnd({ endCalls: () => undefined, tell: (error) => void told.push(error) });
  fatal.opened();
  fatal.happened('a commit failed');
  assert.equal([told.length, fatal.reason], [0, 'a commit failed']);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(
    told.map(({ message }) => message),
    ['the embedded node has failed: a commit failed'],
  );
});

test.run();
