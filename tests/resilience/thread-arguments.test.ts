/** Words of a start that threads are not to have. */

import * as assert from 'uvu/assert';
import { threadArguments } from '../../src/resilience/thread-arguments.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/thread-arguments');

test('a thread inherits what the program was started with, unless the program was given as text', () => {
  assert.equal(threadArguments([]), {});
  assert.equal(threadArguments(['--import', 'tsx', '--expose-gc']), {});
  assert.equal(threadArguments(['--expose-gc', '--input-type=module', '-e', 'await 1']), { execArgv: [] });
  assert.equal(threadArguments(['--input-type', 'module', '-e', 'await 1']), { execArgv: [] });
});

test.run();
