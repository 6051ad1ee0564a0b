/** Every source file has a sentence that says what it is, and the walk through them is the one that is printed. */

import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { architecturePage, firstSentence } from './file-walk.js';

const test = suite('house/file-walk');

test('the walk in docs/ARCHITECTURE.md is what the files say (npm run docs writes it)', () => {
  const { wanted, found } = architecturePage();
  assert.is(found, wanted);
});

test('a first sentence ends where the next one begins', () => {
  assert.is(firstSentence('/** Does this, e.g. v1.2 of it. And that.\n *\n *  More. */'), 'Does this, e.g. v1.2 of it.');
  assert.is(firstSentence('/** One thing\n *  over two lines.\n *\n *  Invariant: none. */'), 'One thing over two lines.');
});

test.run();
