/** Wishes to read files again: early ones are kept, as one. */

import * as assert from 'uvu/assert';
import { Reloads } from '../../src/cli/reloads.js';
import { suite } from '../support/suite.js';

const test = suite('cli/reloads');

test('what is asked for before anybody listens is done once, and later wishes as they come', () => {
  const reloads = new Reloads();
  let done = 0;
  reloads.ask();
  reloads.ask();
  reloads.listen(() => {
    done += 1;
  });
  assert.is(done, 1);
  reloads.ask();
  reloads.ask();
  assert.is(done, 3);
});

test('nothing is done where nothing was asked for', () => {
  const reloads = new Reloads();
  let done = 0;
  reloads.listen(() => {
    done += 1;
  });
  assert.is(done, 0);
});

test.run();
