/** The body thread: started when needed, bounded, replaced when it dies, ended with the server. */

import * as assert from 'uvu/assert';
import { BodyWorker } from '../../src/http/body-worker.js';
import { SkeinError } from '../../src/model/errors.js';
import { FIXED } from '../../src/model/limits.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/body-worker');
const PLAIN = { kind: 'plain' } as const;

function worker(t: TestContext): BodyWorker {
  const started = new BodyWorker();
  t.after(() => started.close());
  return started;
}

const typeOf = (outcome: PromiseSettledResult<unknown>): string =>
  outcome.status === 'fulfilled' ? 'done' : outcome.reason instanceof SkeinError ? outcome.reason.type : String(outcome.reason);

test('decodes in order, gives bytes back and refusals their type', async (t) => {
  const bodies = worker(t);
  const bytes = new TextEncoder().encode('{"a":[1,"é"]}');
  const { decoded, bytes: back } = await bodies.decode(bytes, 'json', PLAIN);
  assert.equal(decoded, { a: [1, 'é'] });
  assert.is(new TextDecoder().decode(back), '{"a":[1,"é"]}');
  const [refused] = await Promise.allSettled([bodies.decode(new TextEncoder().encode('{"a"'), 'json', PLAIN)]);
  assert.is(typeOf(refused), 'InvalidJson');
  assert.is(bodies.jobs, 0);
});

test('a view into a larger buffer is copied, not moved', async (t) => {
  const bodies = worker(t);
  const large = new TextEncoder().encode('xx{"a":1}yy');
  await bodies.decode(large.subarray(2, 9), 'json', PLAIN);
  assert.is(large.buffer.byteLength, 11);
});

test('what does not fit the queue is refused at once', async (t) => {
  const bodies = worker(t);
  const jobs = Array.from({ length: FIXED.bodyJobsMax + 3 }, () => bodies.decode(new TextEncoder().encode('{}'), 'json', PLAIN));
  const outcomes = (await Promise.allSettled(jobs)).map(typeOf);
  assert.is(outcomes.filter((type) => type === 'Overloaded').length, 3);
  assert.is(outcomes.filter((type) => type === 'done').length, FIXED.bodyJobsMax);
});

test('the end refuses what waits and what comes', async (t) => {
  const bodies = worker(t);
  const waiting = Promise.allSettled([bodies.decode(new TextEncoder().encode('{}'), 'json', PLAIN)]);
  await bodies.close();
  assert.is((await waiting).map(typeOf).join(), 'ShuttingDown');
  const [after] = await Promise.allSettled([bodies.decode(new TextEncoder().encode('{}'), 'json', PLAIN)]);
  assert.is(typeOf(after), 'ShuttingDown');
});

test.run();
