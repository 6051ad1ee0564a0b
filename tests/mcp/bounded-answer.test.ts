/** Answers of tools stay within their bound, and say what is missing. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { boundedList, leftOutFields } from '../../src/mcp/bounded-answer.js';
import { suite } from '../support/suite.js';

const test = suite('mcp/bounded-answer');
const bounds = { answerBytesMax: 2_000, pointBytesMax: 300 };
const points = fc.array(fc.record({ payload: fc.string({ maxLength: 500, unit: 'grapheme' }) }), { maxLength: 40 });

test('whatever is asked for, the answer is within its bound, in order, and counts what it left out', (t) => {
  fc.assert(
    fc.property(points, (payloads) => {
      const list = payloads.map((point, id) => ({ id, ...point }));
      const { items, leftOut } = boundedList(list, bounds);
      assert.is(items.length + leftOut, list.length);
      assert.ok(
        Buffer.byteLength(JSON.stringify(items)) <= bounds.answerBytesMax + items.length + 2,
        'commas and brackets aside',
      );
      for (const [index, item] of items.entries()) {
        assert.is(item['id'], index);
        const whole = JSON.stringify(item) === JSON.stringify(list[index]);
        assert.is(whole, Buffer.byteLength(JSON.stringify(list[index])) <= bounds.pointBytesMax);
        if (!whole) assert.ok((item['contents_left_out_bytes'] as number) > bounds.pointBytesMax);
      }
    }),
    { seed: t.seed() },
  );
});

test('more than fits is cut at the bound, and counted', () => {
  const list = Array.from({ length: 50 }, (_, id) => ({ id, payload: 'x'.repeat(100) }));
  const { items, leftOut } = boundedList(list, bounds);
  const bytes = Buffer.byteLength(JSON.stringify(list[0]));
  assert.ok(items.length > 10 && items.length * bytes <= bounds.answerBytesMax, `${items.length} of ${bytes} bytes`);
  assert.is(leftOut, 50 - items.length);
});

test('an answer that has everything says nothing of what is missing', () => {
  assert.equal(leftOutFields(0, 'hits'), {});
  assert.is(leftOutFields(3, 'hits')['left_out'], 3);
});

test.run();
