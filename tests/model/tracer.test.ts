/** Work under a span of its own, or under none. */
import * as assert from 'uvu/assert';
import { spanned } from '../../src/model/tracer.js';
import { KeptSpans } from '../support/kept-spans.js';
import { suite } from '../support/suite.js';

const test = suite('model/tracer');

test('without a span above it work is done as it is', async () => {
  assert.is(await spanned(undefined, 'work', async (span) => span), undefined);
});

test('a span begins and ends with its work, and fails with it', async () => {
  const tracer = new KeptSpans();
  const root = tracer.start('root', { kind: 'server', parent: null });
  const good = await spanned(root, 'good', async (span) => {
    span?.set({ a: 1 });
    return 7;
  });
  assert.is(good, 7);
  const failure = new TypeError('no');
  const met = await spanned(root, 'bad', () => Promise.reject(failure)).catch((error: unknown) => error);
  assert.is(met, failure);
  assert.equal(tracer.under('root'), ['good', 'bad']);
  const [first, second] = [tracer.find('good'), tracer.find('bad')];
  assert.equal([first.attributes, first.failed, second.failed], [{ a: 1 }, null, 'TypeError']);
  assert.ok(first.endMs !== null && second.endMs !== null && first.endMs <= second.startMs);
});

test.run();
