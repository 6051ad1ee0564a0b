/** Numbers in sentences. */
import * as assert from 'uvu/assert';
import { counted, grouped, rateOf } from '../../src/cli/numbers.js';
import { suite } from '../support/suite.js';

const test = suite('cli/numbers');

test('digits are grouped by three, one is one, and no time gives no rate', () => {
  assert.equal([0, 999, 1_000, 1_234_567].map(grouped), ['0', '999', '1,000', '1,234,567']);
  assert.equal([counted(1, 'point'), counted(0, 'point'), counted(2_000, 'line')], ['1 point', '0 points', '2,000 lines']);
  assert.equal([rateOf(10, 0), rateOf(10, 4), rateOf(1, 3_000)], [0, 2_500, 0]);
});

test.run();
