/** A node with an empty folder joins a filled master: from the start of its process until it serves and is equal, with its indexes taken
 *  from the snapshot and not built. */

import { atMost, type Bench, type BenchResult, type Progress, scaled } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream, type Shape } from './support/clusters.js';
import { fill, settled } from './support/loaded-collection.js';
import { readMetric } from './support/metrics.js';
import { knownStats } from './support/replication-stats.js';
import { ask, searchRequests } from './support/requests.js';

const COLLECTION = 'join';
const MIB = 2 ** 20;
const SMALL_DIMENSION = 128;
const JOIN_SECONDS_MAX = 10;
/** Searches that must be answered once it is equal. */
const SEARCHES = 10;

export const replicationJoin: Bench = {
  name: 'replication_join',
  about: 'an empty replica joins by snapshot',
  async run(progress) {
    const shapes = [
      { count: scaled(100_000, 2_000), dimension: SMALL_DIMENSION },
      { count: scaled(50_000, 1_000), dimension: 768 },
    ];
    const results: BenchResult[] = [];
    for (const shape of shapes) results.push(await runShape(shape, progress));
    return {
      tables: [
        {
          title: 'replication_join: from the start of the process, in seconds',
          columns: [
            'points',
            'answering',
            'equal',
            'searched',
            'index level',
            'snapshot MiB',
            'MiB/s',
            'from checkpoints',
            'builds',
          ],
          rows: results.flatMap(({ tables }) => tables.flatMap(({ rows }) => rows)),
        },
      ],
      figures: results.flatMap(({ figures }) => figures),
      notes: [
        'the time holds the making of the snapshot by the master, which had none; MiB/s until equal',
        'from checkpoints: points that the index had without inserting them; builds: rebuilds and refused checkpoints, and an index without one (a master of few points has none yet)',
      ],
    };
  },
};

function runShape(shape: Shape, progress: Progress): Promise<BenchResult> {
  const name = `${shape.count.toLocaleString('en-US')} × ${shape.dimension}`;
  return withCluster(0, async (cluster) => {
    progress(`${name}: filling the master`);
    const source = new ClusterStream(shape.dimension);
    await fill(cluster.master, source.take(shape.count), { collection: COLLECTION });
    progress(`${name}: joining`);
    const joined = await join(cluster, shape, source);
    const { answering, equal, searched, indexLevel, bytes, labels, builds } = joined;
    const bound = shape.dimension === SMALL_DIMENSION ? { bound: atMost(JOIN_SECONDS_MAX) } : {};
    return {
      tables: [
        {
          title: '',
          columns: [],
          rows: [[name, answering, equal, searched, indexLevel, bytes / MIB, bytes / MIB / equal, labels, builds]],
        },
      ],
      figures: [
        { name: `join ${name}, until equal and searched`, value: searched, unit: 's', ...bound },
        { name: `join ${name}, index builds`, value: builds, unit: '', bound: atMost(0) },
        { name: `join ${name}, share of the index from the snapshot`, value: labels / shape.count, unit: '' },
      ],
      notes: [],
    };
  });
}

async function join(cluster: Cluster, shape: Shape, { queries }: ClusterStream) {
  const startMs = performance.now();
  const seconds = (): number => (performance.now() - startMs) / 1000;
  const replica = await cluster.startReplica(0);
  const connection = await replica.connect();
  await cluster.equal([replica]);
  const equal = seconds();
  for (const request of searchRequests(queries, { collection: COLLECTION, form: 'msgpack' }).slice(0, SEARCHES)) {
    const { hits } = await ask(connection, request, 'msgpack');
    if ((hits as readonly unknown[]).length === 0) throw new Error(`a search among ${shape.count} points found nothing`);
  }
  const searched = seconds();
  await settled(connection, COLLECTION);
  const indexLevel = seconds();
  const { snapshotBytes } = await knownStats(connection);
  const rebuilds = await readMetric(connection, /^skein_index_rebuilds_total /);
  connection.close();
  const checkpoints = replica.events('index_checkpoint_loaded');
  const labels = checkpoints.reduce((sum, event) => sum + Number(event['labels']), 0);
  const builds = rebuilds + replica.events('index_checkpoint_refused').length + (checkpoints.length === 0 ? 1 : 0);
  return { answering: replica.listeningMs / 1000, equal, searched, indexLevel, bytes: snapshotBytes, labels, builds };
}
