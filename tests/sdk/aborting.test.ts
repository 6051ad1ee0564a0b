/** Signals that hang on a caller's signal, and pauses that one cuts. */

import { getEventListeners } from 'node:events';
import * as assert from 'uvu/assert';
import { ChildAbort, pause } from '../../src/sdk/aborting.js';
import { SkeinClient } from '../../src/sdk/index.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { stubServer } from './stub-server.js';

const test = suite('sdk/aborting');

test('all that hang on a signal end with its reason, but for those that were let go, over one listener', () => {
  const parent = new AbortController();
  const children = Array.from({ length: 50 }, () => new ChildAbort(parent.signal));
  assert.is(getEventListeners(parent.signal, 'abort').length, 1);
  children[0]?.release();
  children[1]?.abort('its own');
  parent.abort('over');
  assert.equal(
    children.slice(0, 3).map(({ signal }) => signal.reason as unknown),
    [undefined, 'its own', 'over'],
  );
  assert.is(children.filter(({ signal }) => signal.aborted).length, 49);
  assert.is(new ChildAbort(parent.signal).signal.reason, 'over');
  const free = new ChildAbort(undefined);
  free.abort('enough');
  assert.is(free.signal.reason, 'enough');
});

test('a pause ends early with its signal, and is none where that has ended', async () => {
  const parent = new AbortController();
  const pausing = pause(1_000_000, parent.signal);
  parent.abort();
  await pausing;
  await pause(1_000_000, parent.signal);
  await pause(1, new AbortController().signal);
});

test('as many calls as one likes may share a signal: no warning of a leak, and it ends them all', async (t) => {
  const { url, received } = await stubServer(t, () => null);
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const all = new AbortController();
  const outcomes = Array.from({ length: 40 }, () =>
    client.count('c', undefined, { signal: all.signal }).catch((error: unknown) => error),
  );
  await waitUntil(() => received.length === 40, { what: 'all to be asked' });
  all.abort('enough');
  assert.equal(new Set(await Promise.all(outcomes)), new Set(['enough']));
  assert.equal(warnings, []);
});

test.run();
