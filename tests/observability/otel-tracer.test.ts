/** Spans of ours as the library sends them: sampled by the caller's word, in order in time, with no more than types of errors. */
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/model/clock.js';
import { silentLog } from '../../src/model/log.js';
import { silentMeter } from '../../src/model/meter.js';
import { OtelTracer } from '../../src/observability/otel-tracer.js';
import { SpanCounts } from '../../src/observability/span-counts.js';
import { Dependencies } from '../../src/resilience/dependencies.js';
import { CALLER } from '../support/kept-spans.js';
import { suite, type TestContext } from '../support/suite.js';
import { startTraceCollector, type TraceCollector } from '../support/trace-collector.js';

const test = suite('observability/otel-tracer');

const START_MS = 1_790_000_000_000;

interface Rig {
  readonly tracer: OtelTracer;
  readonly collector: TraceCollector;
  readonly clock: { wall: number; monotonic: number };
}

async function rig(t: TestContext, sampleShare: number): Promise<Rig> {
  const collector = await startTraceCollector(t);
  const clock = { wall: START_MS, monotonic: 1_000 };
  const own: Clock = { wallMs: () => clock.wall, monotonicMs: () => clock.monotonic };
  const dependency = new Dependencies({ log: silentLog, wallMs: own.wallMs }).add({ name: 'collector', isFailure: () => true });
  const settings = { endpoint: `${collector.url}/v1/traces`, sampleShare, headers: {}, resource: { 'service.name': 'skein' } };
  const tracer = new OtelTracer({ settings, collector: dependency, counts: new SpanCounts(silentMeter), clock: own });
  return { tracer, collector, clock };
}

test('the caller decides for its trace, the share for the others', async (t) => {
  const none = await rig(t, 0);
  const all = await rig(t, 1);
  const unsampled = { ...CALLER, sampled: false };
  assert.is(none.tracer.start('a', { kind: 'server', parent: null }), undefined);
  assert.is(none.tracer.start('a', { kind: 'server', parent: CALLER })?.context.traceId, CALLER.traceId);
  assert.is(all.tracer.start('a', { kind: 'server', parent: unsampled }), undefined);
  const begun = all.tracer.start('a', { kind: 'server', parent: null });
  assert.is(begun?.context.sampled, true);
  await Promise.all([none.tracer.shutdown(), all.tracer.shutdown()]);
});

test('spans fit into each other by the monotonic clock, also when the wall clock is set back meanwhile', async (t) => {
  const { tracer, collector, clock } = await rig(t, 1);
  const root = tracer.start('root', {
    kind: 'consumer',
    parent: CALLER,
    traceState: 'a=1',
    startMs: 990,
    attributes: { 'skein.seq': 7, absent: undefined },
  });
  clock.monotonic = 1_010;
  clock.wall -= 3_600_000;
  const child = root?.child('child', { startMs: 1_005.25 });
  child?.fail('Timeout');
  child?.end();
  root?.set({ more: 'x'.repeat(1_000) });
  root?.end(1_020);
  await tracer.shutdown();
  const [inner, outer] = collector.spans;
  const times = [outer, inner].map((span) => [tenths(span?.startMs), tenths(span?.endMs)]);
  assert.equal(times, [
    [-100, 200],
    [53, 100],
  ]);
  assert.equal([outer?.parentSpanId, inner?.parentSpanId], [CALLER.spanId, outer?.spanId]);
  assert.equal([outer?.traceState, outer?.kind, inner?.kind], ['a=1', 5, 1]);
  assert.equal([inner?.statusCode, inner?.attributes], [2, { 'error.type': 'Timeout' }]);
  assert.equal(outer?.attributes, { 'skein.seq': 7, more: 'x'.repeat(256) });
});

/** Of a millisecond, since the begin of the test. */
function tenths(wallMs = 0): number {
  return Math.round((wallMs - START_MS) * 10);
}

test.run();
