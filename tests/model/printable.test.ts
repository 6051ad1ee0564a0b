/** Text for people's eyes. */

import * as assert from 'uvu/assert';
import { isPrintable, printable } from '../../src/model/printable.js';
import { suite } from '../support/suite.js';

const test = suite('model/printable');

test('what a terminal would obey is written out, and what it would show is left alone', () => {
  assert.is(printable('a\nb\u001b[31m\u009bc\u202e\u2028'), 'a\\u000ab\\u001b[31m\\u009bc\\u202e\\u2028');
  for (const plain of ['', 'Ökonomie 東京 🙂 \\n', "it's"]) assert.equal([printable(plain), isPrintable(plain)], [plain, true]);
  for (const bad of ['\0', 'a\tb', '\u007f', 'x\u2066']) assert.not.ok(isPrintable(bad));
});

test.run();
