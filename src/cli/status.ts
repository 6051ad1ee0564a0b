/** `skein status`: what a server says about itself and its collections. Exit code 1 when it does not answer, or is unhealthy. */

import type { STATUS_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import {
  type CollectionInfo,
  type HealthAnswer,
  type ReadyAnswer,
  type ReplicationStatus,
  SkeinApiError,
  type SkeinClient,
  type VersionAnswer,
} from '../sdk/index.js';
import { grouped, roughBytes } from './numbers.js';
import { replicationLines, replicationObjects } from './replication-view.js';
import { connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';
import { tableLines } from './table.js';

export type StatusValues = ValuesOf<typeof STATUS_FIELDS>;

interface ServerStatus {
  readonly url: string;
  readonly version: VersionAnswer;
  readonly health: HealthAnswer;
  readonly ready: ReadyAnswer;
  /** Null while the server starts, which has none to show yet, and where the key is not for data. */
  readonly collections: readonly CollectionInfo[] | null;
  /** Null where the key is for some collections only. */
  readonly replication: ReplicationStatus | null;
}

export async function showStatus(values: StatusValues, surroundings: Surroundings): Promise<ExitCode> {
  const client = connectTo(values);
  try {
    const status = await ask(client, values.url, surroundings.stopping);
    const lines = values.json ? jsonLines(status) : textLines(status);
    for (const line of lines) print(surroundings.output, line);
    return status.health.status === 'unhealthy' ? EXIT.failed : EXIT.done;
  } finally {
    client.close();
  }
}

async function ask(client: SkeinClient, url: string, signal: AbortSignal): Promise<ServerStatus> {
  const ready = await client.ready({ signal });
  const [version, health, replication] = await Promise.all([
    client.version({ signal }),
    client.health({ signal }),
    ifAllowed(client.replication.status({ signal })),
  ]);
  const collections = ready.status === 'ready' ? await ifAllowed(client.collections({ signal })) : null;
  return { url, version, health, ready, collections, replication };
}

/** What the role or the scope of the key does not show is left out. */
async function ifAllowed<Value>(asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof SkeinApiError && error.type === 'Forbidden') return null;
    throw error;
  }
}

/** One object for the server, one for replication, then one for each replica and each collection. */
function jsonLines({ url, version, health, ready, collections, replication }: ServerStatus): string[] {
  const server = {
    kind: 'server',
    url,
    version: version.version,
    node: version.node,
    native_build: version.nativeBuild,
    status: health.status,
    reasons: health.reasons,
    ready: { status: ready.status, step: ready.step, progress: ready.progress, eta_ms: ready.etaMs, message: ready.message },
    collections: collections?.length ?? null,
  };
  return [
    server,
    ...(replication === null ? [] : replicationObjects(replication)),
    ...(collections ?? []).map(collectionObject),
  ].map((object) => JSON.stringify(object));
}

function collectionObject(info: CollectionInfo): Readonly<Record<string, unknown>> {
  return {
    kind: 'collection',
    name: info.name,
    dimension: info.dimension,
    distance: info.distance,
    points_count: info.pointsCount,
    status: info.status,
    progress: info.progress,
    memory_bytes: info.memoryBytes,
    disk_bytes: info.diskBytes,
    tombstone_ratio: info.tombstoneRatio,
    position: info.position,
  };
}

function textLines({ url, version, health, ready, collections, replication }: ServerStatus): string[] {
  const lines = [`${url}  ${version.name} ${version.version} on Node ${version.node}, native build ${version.nativeBuild}`];
  lines.push(`status ${health.status}${health.reasons.length === 0 ? '' : `: ${health.reasons.join('; ')}`}`);
  if (replication !== null) lines.push(...replicationLines(replication));
  if (collections === null && ready.status === 'ready') return lines;
  if (collections === null) {
    const eta = ready.etaMs === null ? '' : `, about ${Math.ceil(ready.etaMs / 1_000)} s to go`;
    lines.push(`${ready.status}: ${ready.message} (${Math.floor(ready.progress * 100)} % of step ${ready.step}${eta})`);
    return lines;
  }
  if (collections.length === 0) return [...lines, 'no collections yet; "skein import COLLECTION FILE" makes one'];
  const rows = collections.map((info) => [
    info.name,
    grouped(info.pointsCount),
    info.dimension === null ? '-' : String(info.dimension),
    info.distance ?? '-',
    info.status === 'ready' ? 'ready' : `${info.status} ${Math.floor(info.progress * 100)} %`,
    roughBytes(info.memoryBytes),
    roughBytes(info.diskBytes),
  ]);
  const columns = [
    { title: 'collection' },
    { title: 'points', right: true },
    { title: 'dimension', right: true },
    { title: 'distance' },
    { title: 'status' },
    { title: 'memory', right: true },
    { title: 'disk', right: true },
  ];
  return [...lines, '', ...tableLines(columns, rows)];
}
