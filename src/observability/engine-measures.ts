/** Measures of the engine and of the build: read from status() when they are printed, at no cost in between.
 *  Before the engine is open only the build is shown. Must not know: who serves it. */

import type { Engine } from '../engine/engine.js';
import type { Meter } from '../model/meter.js';
import type { ShowBreaker } from './breaker-measures.js';
import { measureCollections } from './collection-measures.js';
import { grown, grownCounter } from './grown-counter.js';
import { measureSearchEngines } from './search-measures.js';

export interface BuildFacts {
  readonly version: string;
  readonly nativeBuild: string;
}

/** @param engine null until it is open */
export function measureEngine(meter: Meter, build: BuildFacts, engine: () => Engine | null, showBreaker: ShowBreaker): void {
  const labels = { version: build.version, native: build.nativeBuild, node: process.version };
  meter
    .gauge({ name: 'build_info', help: 'Always 1; what runs is in the labels.', labels: Object.keys(labels) })
    .series(labels)
    .set(1);
  const gauge = (name: string, help: string) => meter.gauge({ name, help }).series();
  const counter = (name: string, help: string) => grownCounter(meter, name, help);

  const collections = gauge('collections', 'Collections.');
  const points = gauge('points', 'Live points in all collections.');
  const durableSeq = gauge('durable_seq', 'Seq of the last durable entry.');
  const indexedSeq = gauge('indexed_seq', 'Seq up to which every index has gone.');
  const queueRequests = gauge('write_queue_requests', 'Writes that wait for the writer.');
  const queueBytes = gauge('write_queue_bytes', 'Bytes of writes that wait for the writer.');
  const commits = counter('commits_total', 'Transactions that became durable.');
  const units = counter('units_total', 'Units (requests) that became durable; several share a commit.');
  const commitSeconds = gauge('last_commit_seconds', 'How long the last commit took.');
  const building = gauge('index_building', 'Indexes that are being built or rebuilt.');
  const indexLag = gauge('index_lag_bytes', 'Bytes that are durable and not yet found by searches.');
  const waiting = gauge('index_waiting_bytes', 'Bytes that searches find and compare one by one until their graph has them.');
  const searches = gauge('searches_waiting', 'Searches that wait for an index worker.');
  const searchesMax = gauge('searches_waiting_limit', 'How many may wait at the moment.');
  const rebuilds = counter('index_rebuilds_total', 'Rebuilds of indexes that ended.');
  const cacheHits = counter('query_cache_hits_total', 'Searches that were answered from what was kept of earlier ones.');
  const cacheMisses = counter('query_cache_misses_total', 'Searches that might have been, and were not.');
  const cacheEntries = gauge('query_cache_entries', 'Answers that are kept.');
  const cacheBytes = gauge('query_cache_bytes', 'Bytes of the answers that are kept.');
  const logBytes = gauge('log_bytes', 'Bytes of the operation log.');
  const logMinSeq = gauge('log_min_seq', 'First seq that is still in the log.');
  const database = gauge('database_bytes', 'Bytes of the database file.');
  const wal = gauge('wal_bytes', 'Bytes of the write-ahead log of the database.');
  const diskFree = gauge('disk_free_bytes', 'Bytes free where the data folder is.');
  const diskFull = gauge('disk_full', '1 while writes are refused for want of disk.');
  const diskTotal = gauge('disk_total_bytes', 'Bytes of the disk where the data folder is.');
  const walCheckpoints = counter('wal_checkpoints_total', 'Moves of the write-ahead log into the database file.');
  const walSeconds = counter('wal_checkpoint_seconds_total', 'Time that they took.');
  const taken = meter.counter({
    name: 'index_operations_total',
    help: 'Versions of points that indexes took in, by engine.',
    labels: ['engine'],
  });
  const takenVector = grown(taken.series({ engine: 'vector' }));
  const takenText = grown(taken.series({ engine: 'text' }));
  const showCollections = measureCollections(meter);
  const searching = measureSearchEngines(meter, showBreaker);

  meter.beforePrinting(() => {
    const open = engine();
    if (open === null) return;
    const status = open.status();
    collections.set(status.collections);
    points.set(status.points);
    durableSeq.set(status.position.seq);
    indexedSeq.set(status.indexedSeq);
    queueRequests.set(status.writeQueue.requests);
    queueBytes.set(status.writeQueue.bytes);
    commits(status.commits.count);
    units(status.commits.units);
    commitSeconds.set(status.commits.lastMs / 1_000);
    building.set(status.index.building);
    indexLag.set(status.index.lagBytes);
    waiting.set(status.index.waitingBytes);
    searches.set(status.index.searchesWaiting);
    searchesMax.set(status.index.searchesMax);
    rebuilds(status.index.rebuilds);
    cacheHits(status.queryCache.hits);
    cacheMisses(status.queryCache.misses);
    cacheEntries.set(status.queryCache.entries);
    cacheBytes.set(status.queryCache.bytes);
    logBytes.set(status.log.bytes);
    logMinSeq.set(status.log.minSeq);
    database.set(status.storage.databaseBytes);
    wal.set(status.storage.walBytes);
    diskFree.set(status.storage.diskFreeBytes);
    diskFull.set(status.storage.full ? 1 : 0);
    diskTotal.set(status.storage.diskTotalBytes);
    walCheckpoints(status.storage.walCheckpoints.count);
    walSeconds(status.storage.walCheckpoints.totalMs / 1_000);
    takenVector(status.index.taken.vector);
    takenText(status.index.taken.text);
    showCollections(open.collections());
    searching(status.search);
  });
}
