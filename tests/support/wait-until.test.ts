/** waitUntil: gives the condition's value, and an error that says what was waited for. */
import * as assert from 'uvu/assert';
import { suite } from './suite.js';
import { waitUntil } from './wait-until.js';

const test = suite('support/wait-until');

test('gives the first truthy value of the condition', async () => {
  let calls = 0;
  const value = await waitUntil(() => (++calls < 3 ? undefined : 'ready'), { what: 'the third call' });
  assert.is(value, 'ready');
  assert.is(calls, 3);
});

test('names what it waited for after the deadline', async () => {
  let message = '';
  await waitUntil(() => false, { what: 'the sun to rise', deadlineMs: 5 }).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, 'the sun to rise');
});

test('passes on what the condition throws', async () => {
  let message = '';
  const condition = async (): Promise<boolean> => {
    throw new Error('broken condition');
  };
  await waitUntil(condition, { what: 'nothing' }).catch((error: Error) => {
    message = error.message;
  });
  assert.is(message, 'broken condition');
});

test.run();
