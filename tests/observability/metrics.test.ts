/** The meter prints what it was told, under skein_, refreshed at the moment of printing. */

import * as assert from 'uvu/assert';
import { createMetrics } from '../../src/observability/metrics.js';
import { measureProcess } from '../../src/observability/process-measures.js';
import { suite } from '../support/suite.js';

const test = suite('observability/metrics');

test('counters, histograms and gauges appear with their labels', async () => {
  const { meter, text } = createMetrics();
  meter
    .counter({ name: 'requests_total', help: 'h', labels: ['route'] })
    .series({ route: '/a' })
    .add(3);
  meter.histogram({ name: 'took_seconds', help: 'h' }, [0.1, 1]).series().observe(0.5);
  const gauge = meter.gauge({ name: 'size', help: 'h', labels: ['of'] });
  gauge.series({ of: 'gone' }).set(1);
  let points = 1;
  meter.beforePrinting(() => {
    gauge.clear();
    gauge.series({ of: 'points' }).set(points);
  });
  points = 7;
  const printed = await text();
  assert.match(printed, /skein_requests_total\{route="\/a"\} 3/);
  assert.match(printed, /skein_took_seconds_bucket\{le="1"\} 1/);
  assert.match(printed, /skein_took_seconds_bucket\{le="0.1"\} 0/);
  assert.match(printed, /skein_size\{of="points"\} 7/);
  assert.not.match(printed, /gone/);
});

test('the process measures itself and stops when told', async () => {
  const { meter, text } = createMetrics();
  const stop = measureProcess(meter);
  const printed = await text();
  stop();
  for (const name of [
    'process_memory_bytes\\{kind="rss"\\}',
    'process_cpu_seconds',
    'event_loop_delay_seconds\\{quantile="0.99"\\}',
  ]) {
    assert.match(printed, new RegExp(`skein_${name} [0-9.e+-]+`));
  }
});

test.run();
