/** Slow queries are kept newest first, within bounds, counted, and logged at most once a second. */

import * as assert from 'uvu/assert';
import type { SlowQuery } from '../../src/model/slow-query.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { SlowQueries } from '../../src/observability/slow-queries.js';
import { keptLog } from '../support/kept-log.js';
import { suite } from '../support/suite.js';

const test = suite('observability/slow-queries');

function book(entriesMax = 3) {
  let nowMs = 0;
  const { log, lines } = keptLog();
  const metrics = createMetrics();
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const queries = new SlowQueries({ thresholdMs: 100, entriesMax, withContent: false, log, meter: metrics.meter, clock });
  return { queries, lines, metrics, pass: (ms: number) => (nowMs += ms) };
}

function query(requestId: string, asked: SlowQuery['asked'] = null): SlowQuery {
  const about = { endedAtMs: 0, method: 'POST', route: '/r', collection: 'c', status: 200, errorType: null, durationMs: 150 };
  return { ...about, requestId, traceId: null, asked, found: null };
}

test('the newest are kept, newest first, and all are counted', async () => {
  const { queries, metrics } = book();
  for (const id of ['a', 'b', 'c', 'd', 'e']) queries.note(query(id));
  assert.equal(
    queries.list(10).map(({ requestId }) => requestId),
    ['e', 'd', 'c'],
  );
  assert.equal(
    queries.list(1).map(({ requestId }) => requestId),
    ['e'],
  );
  assert.equal(queries.status(), { thresholdMs: 100, count: 5, kept: 3 });
  assert.match(await metrics.text(), /^skein_slow_queries_total\{route="\/r"\} 5$/m);
});

test('bytes are bounded too, whatever one of them has', () => {
  const { queries } = book(10_000);
  for (let number = 0; number < 200; number++) queries.note(query(String(number), { filter: 'x'.repeat(100_000) }));
  assert.ok(queries.list(10_000).length <= 42);
  assert.is(queries.list(1)[0]?.requestId, '199');
});

test('one a second is logged, with the number of those that were not', () => {
  const { queries, lines, pass } = book();
  for (const id of ['a', 'b', 'c']) queries.note(query(id));
  pass(1_000);
  queries.note(query('d'));
  assert.equal(
    lines.map(({ event, fields }) => [event, fields['request_id'], fields['left_out']]),
    [
      ['slow_query', 'a', undefined],
      ['slow_query', 'd', 2],
    ],
  );
});

test('a threshold of 0 means none, and it can be changed', async () => {
  const { queries, metrics } = book();
  assert.is(queries.fromMs, 100);
  queries.setThreshold(0);
  assert.is(queries.fromMs, Number.POSITIVE_INFINITY);
  queries.setThreshold(250);
  assert.is(queries.fromMs, 250);
  assert.match(await metrics.text(), /^skein_slow_query_threshold_seconds 0.25$/m);
});

test.run();
