/** Who waits long is told so, once; who does not is told nothing. */

import * as assert from 'uvu/assert';
import { sayingThatItWaits } from '../../src/cli/waiting-notice.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('cli/waiting-notice');
const MINUTE_MS = 60_000;

test('a wait that is long is said once, whatever comes of it; a short one is not', async () => {
  let said = '';
  const write = (text: string): boolean => {
    said += text;
    return true;
  };
  const errors = { write, once: () => undefined };
  assert.is(await sayingThatItWaits('it', errors, Promise.resolve(7), MINUTE_MS), 7);
  assert.is(said, '');
  let end = (_: Error): void => {};
  const work = new Promise<number>((_, reject) => {
    end = reject;
  });
  const waited = sayingThatItWaits('it', errors, work, 1).catch((error: Error) => error.message);
  await waitUntil(() => said !== '', { what: 'a word' });
  end(new Error('gone'));
  assert.is(await waited, 'gone');
  assert.is(said, 'skein: waiting for it\n');
});

test.run();
