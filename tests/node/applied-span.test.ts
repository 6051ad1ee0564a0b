/** The span of a write where it is applied: a part of the trace that came with the entry, as long as its group took. */
import * as assert from 'uvu/assert';
import { traceApplied } from '../../src/node/applied-span.js';
import { CALLER, CALLER_HEADER, KeptSpans } from '../support/kept-spans.js';
import { suite } from '../support/suite.js';

const test = suite('node/applied-span');

test('it hangs on the span of the write and ends when it was told of', () => {
  const tracer = new KeptSpans();
  traceApplied(tracer, { seq: 7, trace: CALLER_HEADER, tookMs: 5 }, 1_000);
  const { parent, context, startMs, endMs, attributes } = tracer.find('apply');
  assert.equal([parent, context.traceId, startMs, endMs], [CALLER.spanId, CALLER.traceId, 995, 1_000]);
  assert.equal(attributes, { 'skein.seq': 7 });
});

test('what is no trace context leaves nothing', () => {
  const tracer = new KeptSpans();
  for (const trace of ['', 'rubbish', `00-${'0'.repeat(32)}-${CALLER.spanId}-01`])
    traceApplied(tracer, { seq: 1, trace, tookMs: 1 }, 1);
  assert.equal(tracer.roots, []);
});

test.run();
