/** How soon a server serves again: after a clean stop (its index comes from the checkpoint, nothing is rebuilt), and after kill -9 in the middle of
 *  a load (everything acknowledged is there, and the index is not built from zero). */

import { atLeast, atMost, type Bench, type BenchResult, type Progress, scaled } from './support/bench.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import { HttpConnection, type PreparedRequest } from './support/http-connection.js';
import { BULK_IN_FLIGHT, BULK_POINTS, fill, pointsCount, prepareFilling } from './support/loaded-collection.js';
import { ask, prepare } from './support/requests.js';
import { ServerProcess } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';

const COLLECTION = 'restart';
const DIMENSION = 128;
const READY_MS_MAX = 3_000;
const KILL_AT_SHARE = 0.7;
const LOADED = 'index_checkpoint_loaded';

export const restart: Bench = {
  name: 'restart',
  about: 'ready again after a clean stop and after kill -9 in the middle of a load',
  async run(progress) {
    const shape = { count: scaled(100_000, 10_000), dimension: DIMENSION };
    const base = new ClusterStream(DIMENSION).take(shape.count);
    const results = [await clean(base, progress), await killed(base, progress)];
    return {
      tables: results.flatMap(({ tables }) => tables),
      figures: results.flatMap(({ figures }) => figures),
      notes: ['ready: from the start of the process to the first 200 of /health/ready, verification of the whole store included'],
    };
  },
};

function clean(base: VectorRows, progress: Progress): Promise<BenchResult> {
  return withFolder(async (dataDir) => {
    progress('clean: filling');
    const first = await ServerProcess.start({ dataDir });
    await fill(first, base, { collection: COLLECTION });
    const stopMs = await first.stop();
    progress('clean: starting again');
    const second = await ServerProcess.start({ dataDir });
    const fromCheckpoint = labelsLoaded(second);
    const rebuilds = second.events('index_rebuild_started').length + second.events('index_checkpoint_refused').length;
    const { readyMs, listeningMs } = second;
    await second.stop();
    const name = `${base.count.toLocaleString('en-US')} × ${DIMENSION}`;
    return {
      tables: [
        {
          title: `restart ${name}, clean: ms`,
          columns: ['stop', 'answering', 'ready', 'labels from the checkpoint', 'rebuilds'],
          rows: [[stopMs, listeningMs, readyMs, fromCheckpoint, rebuilds]],
        },
      ],
      figures: [
        { name: `clean restart ${name}, ready`, value: readyMs, unit: 'ms', bound: atMost(READY_MS_MAX) },
        { name: 'clean restart, points not in the checkpoint', value: base.count - fromCheckpoint, unit: '', bound: atMost(0) },
        { name: 'clean restart, rebuilds', value: rebuilds, unit: '', bound: atMost(0) },
      ],
      notes: [],
    };
  });
}

function killed(base: VectorRows, progress: Progress): Promise<BenchResult> {
  return withFolder(async (dataDir) => {
    progress('killed: filling');
    const first = await ServerProcess.start({ dataDir });
    const acknowledged = await loadUntilKilled(first, base);
    progress(`killed after ${acknowledged.length} acknowledged points: starting again`);
    const second = await ServerProcess.start({ dataDir });
    const fromCheckpoint = labelsLoaded(second);
    const { readyMs, listeningMs } = second;
    const connection = await second.connect();
    const missing = await missingOf(connection, acknowledged);
    const points = await pointsCount(connection, COLLECTION);
    connection.close();
    await second.stop();
    return {
      tables: [
        {
          title: 'restart after kill -9 in the middle of a load: ms, points',
          columns: ['answering', 'ready', 'acknowledged', 'there', 'missing', 'labels from the checkpoint'],
          rows: [[listeningMs, readyMs, acknowledged.length, points, missing, fromCheckpoint]],
        },
      ],
      figures: [
        { name: 'after kill -9, ready', value: readyMs, unit: 'ms' },
        { name: 'after kill -9, acknowledged points missing', value: missing, unit: '', bound: atMost(0) },
        {
          name: 'after kill -9, share of points from the checkpoint',
          value: fromCheckpoint / points,
          unit: '',
          bound: atLeast(0.01),
        },
      ],
      notes: [],
    };
  });
}

/** Sends the load and kills the server once enough was acknowledged. @returns the ids whose request was answered */
async function loadUntilKilled(server: ServerProcess, base: VectorRows): Promise<number[]> {
  const requests = await prepareFilling(server, base, { collection: COLLECTION });
  const acknowledged: number[] = [];
  let next = 0;
  const killing: Promise<void>[] = [];
  const work = async (connection: HttpConnection): Promise<void> => {
    for (let at = next++; at < requests.length && killing.length === 0; at = next++) {
      // The connection breaks when the server is killed; what was under way then was not acknowledged.
      const answer = await connection.send(requests[at] as PreparedRequest).catch(() => null);
      if (answer === null) return;
      if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
      const from = at * BULK_POINTS;
      for (let id = from; id < Math.min(from + BULK_POINTS, base.count); id += 1) acknowledged.push(id);
      if (acknowledged.length >= base.count * KILL_AT_SHARE) killing.push(server.kill());
    }
  };
  const connections = await Promise.all(Array.from({ length: BULK_IN_FLIGHT }, () => HttpConnection.open(server.port)));
  await Promise.all(connections.map(work));
  for (const connection of connections) connection.close();
  await Promise.all(killing);
  return acknowledged;
}

async function missingOf(connection: HttpConnection, ids: readonly number[]): Promise<number> {
  let missing = 0;
  for (let from = 0; from < ids.length; from += BULK_POINTS) {
    const body = { ids: ids.slice(from, from + BULK_POINTS), with_vector: false, with_payload: false };
    const answer = await ask(connection, prepare('POST', `/v1/collections/${COLLECTION}/points/get`, 'json', body));
    missing += (answer['missing'] as readonly unknown[]).length;
  }
  return missing;
}

/** Labels that the index took from its checkpoint, as the server's log says. */
function labelsLoaded(server: ServerProcess): number {
  return Number(server.events(LOADED)[0]?.['labels'] ?? 0);
}
