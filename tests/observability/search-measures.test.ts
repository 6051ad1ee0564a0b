/** What /metrics shows of searching: each search in its series, and the engines behind them as their status says. */

import * as assert from 'uvu/assert';
import type { EndedSearch, SearchStatus } from '../../src/engine/engine.js';
import { measureBreakers } from '../../src/observability/breaker-measures.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { measureSearchEngines, measureSearches } from '../../src/observability/search-measures.js';
import { QUIET_SEARCH } from '../support/fake-engine.js';
import { suite } from '../support/suite.js';

const test = suite('observability/search-measures');

async function printed(searches: readonly EndedSearch[]): Promise<string> {
  const { meter, text } = createMetrics();
  const count = measureSearches(meter);
  for (const search of searches) count(search);
  return text();
}

function has(text: string, line: string): void {
  assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`);
}

const WHOLE: EndedSearch = { mode: 'vector', tookMs: 2, degradedTo: null, error: null };

test('searches are counted by what they asked for, with how long they took', async () => {
  const text = await printed([WHOLE, { ...WHOLE, tookMs: 40 }, { ...WHOLE, mode: 'hybrid', tookMs: 4_000 }]);
  has(text, 'skein_search_requests_total{mode="vector"} 2');
  has(text, 'skein_search_requests_total{mode="hybrid"} 1');
  has(text, 'skein_search_duration_seconds_bucket{le="0.001",mode="vector"} 0');
  has(text, 'skein_search_duration_seconds_bucket{le="0.0025",mode="vector"} 1');
  has(text, 'skein_search_duration_seconds_bucket{le="0.05",mode="vector"} 2');
  has(text, 'skein_search_duration_seconds_bucket{le="1",mode="hybrid"} 0');
  has(text, 'skein_search_duration_seconds_bucket{le="5",mode="hybrid"} 1');
  assert.not.match(text, /search_errors_total\{/);
  assert.not.match(text, /mode="text"/);
});

test('failures are counted by type, and what is no type of ours as Internal', async () => {
  const text = await printed([
    { ...WHOLE, error: 'Timeout' },
    { ...WHOLE, error: 'Timeout' },
    { ...WHOLE, error: 'made up' },
  ]);
  has(text, 'skein_search_errors_total{type="Timeout"} 2');
  has(text, 'skein_search_errors_total{type="Internal"} 1');
  has(text, 'skein_search_requests_total{mode="vector"} 3');
});

test('a search that less answered is counted by what did', async () => {
  const text = await printed([{ ...WHOLE, mode: 'hybrid', degradedTo: 'text' }]);
  has(text, 'skein_search_degraded_total{mode="text"} 1');
  has(text, 'skein_search_requests_total{mode="hybrid"} 1');
});

test('breakers, restarts and fallback are shown as they stand when they are printed', async () => {
  const { meter, text } = createMetrics();
  const show = measureSearchEngines(meter, measureBreakers(meter));
  show(QUIET_SEARCH);
  const quiet = await text();
  for (const engine of ['vector', 'text']) {
    has(quiet, `skein_circuit_breaker_state{dependency="${engine}"} 0`);
    has(quiet, `skein_circuit_breaker_failures_total{dependency="${engine}"} 0`);
    has(quiet, `skein_index_worker_restarts_total{engine="${engine}"} 0`);
  }
  has(quiet, 'skein_search_fallback_active 0');
  const broken: SearchStatus = {
    ...QUIET_SEARCH,
    text: { ...QUIET_SEARCH.text, breaker: 'open', failuresTotal: 5, restarts: 2, stalled: 1 },
    vector: { ...QUIET_SEARCH.vector, breaker: 'half_open' },
    fallback: { active: true, sinceMs: 1, count: 7 },
  };
  show(broken);
  show({ ...broken, text: { ...broken.text, failuresTotal: 6 } });
  const loud = await text();
  has(loud, 'skein_circuit_breaker_state{dependency="text"} 2');
  has(loud, 'skein_circuit_breaker_state{dependency="vector"} 1');
  has(loud, 'skein_circuit_breaker_failures_total{dependency="text"} 6');
  has(loud, 'skein_index_worker_restarts_total{engine="text"} 2');
  has(loud, 'skein_index_workers_stalled{engine="text"} 1');
  has(loud, 'skein_search_fallback_active 1');
});

test('recall is shown by collection and class, and a collection that is gone has no series any more', async () => {
  const { meter, text } = createMetrics();
  const show = measureSearchEngines(meter, measureBreakers(meter));
  const figures = [
    { collection: 'films', filterClass: 'none', recall: 0.97, checks: 12 },
    { collection: null, filterClass: 'below_1', recall: 1, checks: 3 },
  ] as const;
  const recall = { figures, shortfalls: [{ collection: 'films', count: 2 }], skipped: 5, discarded: 1 };
  show({ ...QUIET_SEARCH, recall });
  const first = await text();
  has(first, 'skein_search_recall{collection="films",filter_class="none"} 0.97');
  has(first, 'skein_search_recall{collection="(other)",filter_class="below_1"} 1');
  has(first, 'skein_search_recall_checks_total{collection="films",filter_class="none"} 12');
  has(first, 'skein_search_shortfall_total{collection="films"} 2');
  has(first, 'skein_search_recall_skipped_total 5');
  has(first, 'skein_search_recall_discarded_total 1');
  show({ ...QUIET_SEARCH, recall: { ...recall, figures: figures.slice(1), shortfalls: [] } });
  assert.not.match(await text(), /films/);
});

test('graphs show how worn they are, the reach of one only once it was looked at', async () => {
  const { meter, text } = createMetrics();
  const show = measureSearchEngines(meter, measureBreakers(meter));
  const graphs = [
    { collection: 'films', tombstoneRatio: 0.125, unreachableRatio: 0.02 },
    { collection: 'songs', tombstoneRatio: 0, unreachableRatio: null },
    { collection: null, tombstoneRatio: 0.5, unreachableRatio: 0.25 },
  ];
  show({ ...QUIET_SEARCH, graphs });
  const printed = await text();
  has(printed, 'skein_index_tombstone_ratio{collection="films"} 0.125');
  has(printed, 'skein_index_unreachable_ratio{collection="films"} 0.02');
  has(printed, 'skein_index_tombstone_ratio{collection="songs"} 0');
  has(printed, 'skein_index_unreachable_ratio{collection="(other)"} 0.25');
  assert.not.match(printed, /unreachable_ratio\{collection="songs"/);
});

test.run();
