/** Filling a collection of a running server and waiting until nothing is left to do. */

import type { Distance } from '../../src/model/distance.js';
import type { VectorRows } from './clusters.js';
import type { HttpConnection, PreparedRequest } from './http-connection.js';
import { drive, type LoadResult } from './load.js';
import { readMetric } from './metrics.js';
import { ask, createRequest, get, upsertRequests } from './requests.js';
import type { ServerProcess } from './server-process.js';
import { waitFor } from './waiting.js';

export const BULK_POINTS = 1_000;
export const BULK_IN_FLIGHT = 4;
const SETTLE_DEADLINE_MS = 600_000;
const SETTLE_POLL_MS = 20;
/** Above this share of tombstones a rebuild comes as soon as writing pauses. */
const TOMBSTONES_AT_REST = 0.1;

export interface Filling {
  readonly collection: string;
  readonly distance?: Distance;
  readonly idOf?: (row: number) => number;
}

export interface Filled {
  /** From the first request until every point has its place in the graph and no rebuild is due. */
  readonly seconds: number;
  readonly load: LoadResult;
}

/** Creates the collection and makes the requests that fill it: 1,000 points a body, msgpack. */
export async function prepareFilling(server: ServerProcess, rows: VectorRows, filling: Filling): Promise<PreparedRequest[]> {
  const { collection, distance = 'euclid', ...rest } = filling;
  const connection = await server.connect();
  await ask(connection, createRequest(collection, rows.dimension, distance));
  connection.close();
  return upsertRequests(rows, { collection, form: 'msgpack', size: BULK_POINTS, ...rest });
}

/** Sends the requests, four at a time.
 *  @param answered is called when all are answered, before the wait for the graph, which reads /metrics */
export async function sendFilling(
  server: ServerProcess,
  collection: string,
  requests: readonly PreparedRequest[],
  answered: () => Promise<void> = async () => {},
): Promise<Filled> {
  const connection = await server.connect();
  try {
    const startMs = performance.now();
    const load = await drive({ port: server.port, connections: BULK_IN_FLIGHT, requests });
    await answered();
    await settled(connection, collection);
    return { load, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    connection.close();
  }
}

/** Both at once. */
export async function fill(server: ServerProcess, rows: VectorRows, filling: Filling): Promise<Filled> {
  return sendFilling(server, filling.collection, await prepareFilling(server, rows, filling));
}

/** Waits until every graph has its points and no rebuild runs or is due. */
export async function settled(connection: HttpConnection, collection: string): Promise<void> {
  await waitFor(`rest in ${collection}`, SETTLE_DEADLINE_MS, SETTLE_POLL_MS, async () => {
    const info = await get(connection, `/v1/collections/${collection}`);
    if (info['status'] !== 'ready' || Number(info['tombstone_ratio']) >= TOMBSTONES_AT_REST) return null;
    const notFound = await readMetric(connection, /^skein_index_lag_bytes /);
    const waiting = await readMetric(connection, /^skein_index_waiting_bytes /);
    return notFound + waiting === 0 ? true : null;
  });
}

export async function pointsCount(connection: HttpConnection, collection: string): Promise<number> {
  const { points_count: count } = await get(connection, `/v1/collections/${collection}`);
  return Number(count);
}
