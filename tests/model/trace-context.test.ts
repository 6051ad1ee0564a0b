/** Trace contexts read and written as W3C Trace Context says. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { parseTraceparent, traceparentOf } from '../../src/model/trace-context.js';
import { suite } from '../support/suite.js';

const test = suite('model/trace-context');
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const hex = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .filter((text) => /[^0]/.test(text));

test('what is written is read again', (t) => {
  const contexts = fc.record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() });
  fc.assert(
    fc.property(contexts, (context) => assert.equal(parseTraceparent(traceparentOf(context)), { ...context })),
    { seed: t.seed() },
  );
});

test('any text is a context or null, and never an error', (t) => {
  fc.assert(
    fc.property(fc.anything(), (value) => parseTraceparent(value) === null),
    { seed: t.seed() },
  );
});

test('flags that are not known are passed over, as is what a later version adds', () => {
  assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-03`)?.sampled, true);
  assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-02`)?.sampled, false);
  assert.equal(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`)?.traceId, TRACE);
});

test('bad headers are no context', () => {
  for (const bad of [
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `cc-${TRACE}-${SPAN}-01.more`,
    undefined,
    [`00-${TRACE}-${SPAN}-01`],
  ])
    assert.is(parseTraceparent(bad), null, String(bad));
});

test.run();
