/** Measures of the store's work as it ends: commits, reads of rows, points written. Series are made once and kept: well under a
 *  microsecond each. Must not know: how the work is done. */

import type { EngineWork } from '../engine/engine.js';
import type { Meter } from '../model/meter.js';
import type { OperationResult } from '../model/operation.js';
import { kept } from './kept-series.js';

/** Seconds: from a row in the cache to a scan of everything; from a fast disk to one that hangs. */
const READ_BUCKETS = [0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1, 10];
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** @returns takes each piece of work as it ends */
export function measureWork(meter: Meter): (work: EngineWork) => void {
  const commits = meter
    .histogram({ name: 'commit_duration_seconds', help: 'How long transactions took to become durable.' }, COMMIT_BUCKETS)
    .series();
  const reads = meter.histogram(
    {
      name: 'store_read_duration_seconds',
      help: 'How long reads of rows took, waiting for a thread included.',
      labels: ['kind'],
    },
    READ_BUCKETS,
  );
  const written = meter.counter({
    name: 'points_written_total',
    help: 'Points that requests to this node changed, by what was done to them.',
    labels: ['change'],
  });
  const operations = meter.counter({
    name: 'operations_total',
    help: 'Operations that requests to this node had written, by kind.',
    labels: ['kind'],
  });
  const readSeries = kept((kind: string) => reads.series({ kind }));
  const changeSeries = kept((change: string) => written.series({ change }));
  const kindSeries = kept((kind: string) => operations.series({ kind }));
  return (work) => {
    if (work.kind === 'commit') return commits.observe(work.tookMs / 1_000);
    if (work.kind === 'read') return readSeries(work.read).observe(work.tookMs / 1_000);
    for (const result of work.results) {
      kindSeries(result.kind).add(1);
      const points = pointsOf(result);
      if (points !== null) changeSeries(result.kind).add(points);
    }
  };
}

function pointsOf(result: OperationResult): number | null {
  switch (result.kind) {
    case 'upsert':
      return result.upserted;
    case 'patch':
      return result.patched;
    case 'delete':
      return result.deleted;
    default:
      return null;
  }
}
