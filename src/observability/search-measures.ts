/** Measures of searching. Each search is counted as it ends, in series that are kept: about a microsecond. What the engine keeps itself
 *  (breakers, fallback, restarts) is read from its status when it is printed. Must not know: how a search is answered, HTTP. */

import type { EndedSearch, GraphFigure, RecallStatus, SearchStatus } from '../engine/engine.js';
import { ERRORS } from '../model/errors.js';
import type { Meter } from '../model/meter.js';
import type { ShowBreaker } from './breaker-measures.js';
import { grown, grownCounter } from './grown-counter.js';
import { kept } from './kept-series.js';

/** Seconds: from a search in a small collection to one that a deadline ends. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const ENGINES = ['vector', 'text'] as const;

type Mode = EndedSearch['mode'];

/** @returns takes each search as it ends */
export function measureSearches(meter: Meter): (search: EndedSearch) => void {
  const requests = meter.counter({
    name: 'search_requests_total',
    help: 'Searches that ended, by what they asked for.',
    labels: ['mode'],
  });
  const durations = meter.histogram(
    {
      name: 'search_duration_seconds',
      help: 'From the request to the hits, also of searches that failed, by what they asked for.',
      labels: ['mode'],
    },
    BUCKETS,
  );
  const degraded = meter.counter({
    name: 'search_degraded_total',
    help: 'Searches that less answered than was asked for, by what did.',
    labels: ['mode'],
  });
  const errors = meter.counter({ name: 'search_errors_total', help: 'Searches that failed, by error type.', labels: ['type'] });
  const byMode = kept((mode: Mode) => ({
    requests: requests.series({ mode }),
    seconds: durations.series({ mode }),
    degraded: degraded.series({ mode }),
  }));
  const byType = kept((type: string) => errors.series({ type }));
  return ({ mode, tookMs, degradedTo, error }) => {
    const series = byMode(mode);
    series.requests.add(1);
    series.seconds.observe(tookMs / 1_000);
    if (degradedTo !== null) byMode(degradedTo).degraded.add(1);
    if (error !== null) byType(error in ERRORS ? error : 'Internal').add(1);
  };
}

/** @returns takes the figures before they are printed */
export function measureSearchEngines(meter: Meter, showBreaker: ShowBreaker): (status: SearchStatus) => void {
  const restarts = meter.counter({
    name: 'index_worker_restarts_total',
    help: 'Index workers that were started again after they died.',
    labels: ['engine'],
  });
  const stalled = meter.gauge({
    name: 'index_workers_stalled',
    help: 'Index workers that have said nothing for seconds.',
    labels: ['engine'],
  });
  const showRecall = recallMeasures(meter);
  const showGraphs = graphMeasures(meter);
  const fallback = meter
    .gauge({ name: 'search_fallback_active', help: '1 while hybrid searches are answered by less than both engines.' })
    .series();
  const engines = ENGINES.map((engine) => ({
    engine,
    restarts: grown(restarts.series({ engine })),
    stalled: stalled.series({ engine }),
  }));
  return (status) => {
    fallback.set(status.fallback.active ? 1 : 0);
    showRecall(status.recall);
    showGraphs(status.graphs);
    for (const { engine, ...series } of engines) {
      const { breaker, failuresTotal, restarts: restarted, stalled } = status[engine];
      showBreaker(engine, { state: breaker, failuresTotal });
      series.stalled.set(stalled);
      series.restarts(restarted);
    }
  };
}

/** No collection has this name. */
const REST = '(other)';

/** Collections come and go, so their series are made anew each time; the engine bounds how many there are. */
function recallMeasures(meter: Meter): (status: RecallStatus) => void {
  const labels = ['collection', 'filter_class'];
  const recall = meter.gauge({
    name: 'search_recall',
    help: 'Share of the true nearest points that live searches found, by how much their filter lets pass; mean of the newest checks.',
    labels,
  });
  const checks = meter.counter({
    name: 'search_recall_checks_total',
    help: 'Live searches whose answer was held against an exact one.',
    labels,
  });
  const shortfalls = meter.counter({
    name: 'search_shortfall_total',
    help: 'Searches that gave fewer hits than there are (complete is false).',
    labels: ['collection'],
  });
  const skipped = grownCounter(meter, 'search_recall_skipped_total', 'Checks that were not made, for want of time.');
  const discarded = grownCounter(meter, 'search_recall_discarded_total', 'Checks without a result: the index moved meanwhile.');
  return (status) => {
    for (const measure of [recall, checks, shortfalls]) measure.clear();
    for (const { collection, filterClass, recall: mean, checks: count } of status.figures) {
      const of = { collection: collection ?? REST, filter_class: filterClass };
      recall.series(of).set(mean);
      checks.series(of).add(count);
    }
    for (const { collection, count } of status.shortfalls) shortfalls.series({ collection: collection ?? REST }).add(count);
    skipped(status.skipped);
    discarded(status.discarded);
  };
}

function graphMeasures(meter: Meter): (figures: readonly GraphFigure[]) => void {
  const labels = ['collection'];
  const unreachable = meter.gauge({
    name: 'index_unreachable_ratio',
    help: 'Share of a sample of points that a graph does not find by their own vectors; of the newest look.',
    labels,
  });
  const tombstones = meter.gauge({
    name: 'index_tombstone_ratio',
    help: 'Share of the places of a graph that stand for no point any more.',
    labels,
  });
  return (figures) => {
    for (const measure of [unreachable, tombstones]) measure.clear();
    for (const { collection, tombstoneRatio, unreachableRatio } of figures) {
      const of = { collection: collection ?? REST };
      tombstones.series(of).set(tombstoneRatio);
      if (unreachableRatio !== null) unreachable.series(of).set(unreachableRatio);
    }
  };
}
