/** The tracer of a node over its life: nothing is kept before the library is there, and a stop does not wait for a collector. */
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import { silentLog } from '../../src/model/log.js';
import { silentMeter } from '../../src/model/meter.js';
import { SpanCounts } from '../../src/observability/span-counts.js';
import { Tracing } from '../../src/observability/tracing.js';
import { Dependencies } from '../../src/resilience/dependencies.js';
import { suite, type TestContext } from '../support/suite.js';
import { startTraceCollector } from '../support/trace-collector.js';

const test = suite('observability/tracing');
const ROOT = { kind: 'server', parent: null } as const;

async function tracingTo(t: TestContext) {
  const collector = await startTraceCollector(t);
  const dependency = new Dependencies({ log: silentLog, wallMs: () => 0 }).add({ name: 'collector', isFailure: () => true });
  const settings = { endpoint: `${collector.url}/v1/traces`, sampleShare: 1, headers: {}, resource: { 'service.name': 'skein' } };
  const counts = new SpanCounts(silentMeter);
  return { collector, tracing: new Tracing({ settings, collector: dependency, counts, clock: systemClock, log: silentLog }) };
}

test('before it has begun, and after its stop, no span is to be had; the last ones are sent', async (t) => {
  const { collector, tracing } = await tracingTo(t);
  assert.is(tracing.start('early', ROOT), undefined);
  await tracing.begin('node-1');
  tracing.start('traced', ROOT)?.end();
  await tracing.stop();
  assert.equal(
    collector.spans.map(({ name, resource }) => [name, resource['service.instance.id']]),
    [['traced', 'node-1']],
  );
  assert.is(tracing.start('late', ROOT), undefined);
  await tracing.begin('node-1');
  assert.is(tracing.start('later still', ROOT), undefined);
});

test('a collector that hangs does not hold up a stop', async (t) => {
  const { collector, tracing } = await tracingTo(t);
  collector.status = null;
  await tracing.begin('node-1');
  tracing.start('traced', ROOT)?.end();
  const startMs = performance.now();
  await tracing.stop();
  assert.ok(performance.now() - startMs < 10_000);
});

test.run();
