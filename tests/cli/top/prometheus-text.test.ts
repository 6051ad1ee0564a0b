/** Metrics as text: values, rates over a restart, and quantiles between two readings. */
import * as assert from 'uvu/assert';
import { quantileBetween, rateBetween, readMetrics, sampleSum } from '../../../src/cli/top/prometheus-text.js';
import { suite } from '../../support/suite.js';

const test = suite('cli/top/prometheus-text');

const TEXT = `# HELP a words { } "
# TYPE a counter
a{x="1",y="with \\"quotes\\" and, commas"} 3
a{x="2"} 4.5e1
b 7 1700000000000
nonsense
h_bucket{le="0.1",mode="v"} 5
h_bucket{le="1",mode="v"} 9
h_bucket{le="+Inf",mode="v"} 10
`;

test('series are found by their labels, and summed over the others', () => {
  const metrics = readMetrics(TEXT);
  assert.is(sampleSum(metrics, 'a'), 48);
  assert.is(sampleSum(metrics, 'a', { x: '2' }), 45);
  assert.is(sampleSum(metrics, 'a', { y: 'with "quotes" and, commas' }), 3);
  assert.is(sampleSum(metrics, 'b'), 7);
  assert.is(sampleSum(metrics, 'c'), null);
  assert.is(sampleSum(metrics, 'a', { x: '3' }), null);
});

test('a counter that has counted nothing yet stands at 0, and what is not told of stays unknown', () => {
  const [before, now] = [readMetrics('# TYPE n counter\n'), readMetrics('# TYPE n counter\nn{mode="v"} 6\n')];
  assert.equal([sampleSum(before, 'n'), sampleSum(before, 'm')], [0, null]);
  assert.equal([rateBetween(before, before, 'n', 1_000), rateBetween(before, now, 'n', 2_000)], [0, 3]);
  assert.equal([rateBetween(null, before, 'n', 1_000), sampleSum(readMetrics('# TYPE g gauge\n'), 'g')], [null, null]);
});

test('a rate is of the time between two readings, and a counter that began anew counts from zero', () => {
  const [before, now] = [readMetrics('n 100\n'), readMetrics('n 150\n')];
  assert.is(rateBetween(before, now, 'n', 2_000), 25);
  assert.is(rateBetween(now, readMetrics('n 30\n'), 'n', 1_000), 30);
  assert.is(rateBetween(null, now, 'n', 1_000), null);
  assert.is(rateBetween(before, now, 'gone', 1_000), null);
});

test('a quantile is of what came between, inside its bucket, and nothing where nothing came', () => {
  const metrics = readMetrics(TEXT);
  assert.is(quantileBetween(null, metrics, 'h', 0.5), 0.1);
  assert.ok(Math.abs((quantileBetween(null, metrics, 'h', 0.7) ?? 0) - 0.55) < 1e-9);
  // Above every bound nothing is known but that.
  assert.is(quantileBetween(null, metrics, 'h', 0.99), 1);
  assert.is(quantileBetween(metrics, metrics, 'h', 0.99), null);
  const later = readMetrics('h_bucket{le="0.1"} 5\nh_bucket{le="1"} 19\nh_bucket{le="+Inf"} 20\n');
  assert.ok((quantileBetween(metrics, later, 'h', 0.99) ?? 0) > 0.9);
  assert.is(quantileBetween(null, metrics, 'none', 0.5), null);
});

test.run();
