/** Calls of tools are counted over all conversations: more than the bound are refused, and the end waits for those under way. */
import * as assert from 'uvu/assert';
import { CALLS_MAX, RunningCalls } from '../../src/mcp/running-calls.js';
import { suite } from '../support/suite.js';

const test = suite('mcp/running-calls');

test('one call too many is refused as overloaded, and a place that is free again is given', async () => {
  const calls = new RunningCalls();
  const ends: (() => void)[] = [];
  const running = Array.from({ length: CALLS_MAX }, () => calls.run(() => new Promise<void>((resolve) => ends.push(resolve))));
  const refused = await calls
    .run(async () => undefined)
    .then(
      () => null,
      (error: unknown) => error,
    );
  assert.is((refused as { type?: string } | null)?.type, 'Overloaded');
  ends.pop()?.();
  await Promise.race(running);
  assert.is(await calls.run(async () => 'done'), 'done');
  const ended = calls.ended();
  for (const end of ends) end();
  await ended;
  await Promise.all(running);
});

test('a call that fails gives its place back', async () => {
  const calls = new RunningCalls();
  for (let i = 0; i <= CALLS_MAX; i++) await calls.run(() => Promise.reject(new Error('no'))).catch(() => undefined);
  assert.is(await calls.run(async () => 1), 1);
});

test.run();
