/** Histograms that are cheap to tell something print what the library's own print. */

import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import { createMetrics } from '../../src/observability/metrics.js';
import { suite } from '../support/suite.js';

const test = suite('observability/bucket-counts');
const BUCKETS = [0.001, 0.01, 0.1, 1];

const told = fc.array(
  fc.record({
    route: fc.constantFrom('/a', '/b"c', ''),
    value: fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constantFrom(...BUCKETS)),
  }),
);

for (const labels of [['route', 'mode'], []]) {
  test(`what was told is printed as the library prints it, ${labels.length === 0 ? 'without labels' : 'by labels'}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(told, async (all) => {
        const registry = new Registry();
        const histogram = new Histogram({
          name: 'skein_h',
          help: 'h',
          labelNames: labels,
          buckets: BUCKETS,
          registers: [registry],
        });
        const { meter, text } = createMetrics();
        const ours = meter.histogram({ name: 'h', help: 'h', labels }, BUCKETS);
        // One that is never told anything is not printed.
        if (labels.length > 0) ours.series({ route: 'silent', mode: 'x' });
        for (const { route, value } of all) {
          const of = labels.length === 0 ? {} : { route, mode: 'vector' };
          histogram.labels(of).observe(value);
          ours.series(of).observe(value);
        }
        assert.is(await text(), await registry.metrics());
      }),
      { seed: t.seed(), numRuns: 60 },
    );
  });
}

test('a counter is printed with all that was added, and from nothing after it was cleared', async () => {
  const { meter, text } = createMetrics();
  const counter = meter.counter({ name: 'c_total', help: 'h', labels: ['of'] });
  const [one, same] = [counter.series({ of: 'x' }), counter.series({ of: 'x' })];
  for (const series of [one, same, one]) series.add(2);
  assert.match(await text(), /^skein_c_total\{of="x"\} 6$/m);
  assert.match(await text(), /^skein_c_total\{of="x"\} 6$/m);
  one.add(1);
  counter.clear();
  assert.not.match(await text(), /of="x"/);
  same.add(5);
  assert.match(await text(), /^skein_c_total\{of="x"\} 5$/m);
  assert.throws(() => one.add(-1), /cannot grow/);
});

test.run();
