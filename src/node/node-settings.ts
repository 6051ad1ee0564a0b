/** From the configuration to what the rooms of a node are set to. Pure.
 *  Must not know: what the rooms do with it. */

import { hostname } from 'node:os';
import { hostNames } from '../config/allowed-hosts.js';
import type { Config } from '../config/config.js';
import { originsOf } from '../config/cors-origins.js';
import type { EngineOptions } from '../engine/open-engine.js';
import type { HttpConfig } from '../http/http.js';
import type { ScrubSettings } from './recovery/scrubber.js';
import type { RoleSettings } from './role-parts.js';

const OPENING_MS = 5_000;
const HANDOVER_MS = 10_000;

export type EngineSettings = Pick<
  EngineOptions,
  'dataDir' | 'limits' | 'writerCacheBytes' | 'readerCacheBytes' | 'indexWorkers' | 'watching'
>;

export function engineSettings(config: Config): EngineSettings {
  const { dataDir, limits, writerCacheBytes, readerCacheBytes, indexWorkers } = config;
  return {
    ...{ dataDir, limits, writerCacheBytes, readerCacheBytes },
    indexWorkers: indexWorkers === 'auto' ? null : indexWorkers,
    watching: {
      recall: { share: config.recallCheckShare, msPerS: config.recallCheckMsPerS },
      indexHealthIntervalMs: config.indexHealthIntervalMs,
    },
  };
}

/** @param tls what links are made with; it may change while the node runs */
export function roleSettings(config: Config, tls: RoleSettings['tls']): RoleSettings {
  const { replication } = config;
  return {
    dataDir: config.dataDir,
    rules: {
      windowBytes: replication.streamWindowBytes,
      heartbeatMs: replication.heartbeatMs,
      timeoutMs: replication.replicaTimeoutMs,
      openingMs: OPENING_MS,
      lagMs: replication.replicaLagMs,
      snapshotMinIntervalMs: replication.snapshotMinIntervalMs,
    },
    keys: replication.clusterKeys.map((key) => Buffer.from(key.reveal())),
    tls,
    voter: replication.voter,
    writes: {
      defaultW: config.defaultW,
      minReplicas: replication.minReplicas,
      minReplicasMaxLagMs: replication.minReplicasMaxLagMs,
    },
    handoverMs: HANDOVER_MS,
    secure: secured(config),
  };
}

export function httpSettings(config: Config): HttpConfig {
  const { host, port, limits, docs, replication } = config;
  const apiKey = config.apiKey === null ? null : Buffer.from(config.apiKey.reveal());
  const { requestTimeoutMs } = config.guards;
  const callers = { hosts: calledNames(config), origins: originsOf(config.security.corsOrigins) };
  const { qdrantApi, qdrantVersion: version } = config.qdrant;
  const qdrant = qdrantApi ? { version } : null;
  return { host, port, limits, apiKey, docs, qdrant, requestTimeoutMs, callers, ...listeningTls(replication) };
}

/** Names under which the operator says that the node is called. */
function calledNames({ host, replication, security }: Config): string[] {
  const { advertise } = replication;
  return [host.toLowerCase(), ...(advertise === null ? [] : [new URL(advertise).hostname]), ...hostNames(security.allowedHosts)];
}

export function slowQuerySettings({ observing }: Config) {
  const { slowQueryMs, slowQueriesMax, slowQueryContent } = observing;
  return { thresholdMs: slowQueryMs, entriesMax: slowQueriesMax, withContent: slowQueryContent };
}

export function scrubSettings({ recovery }: Config): ScrubSettings {
  return { bytesPerS: recovery.scrubBytesPerS, intervalMs: recovery.scrubIntervalMs };
}

/** Of a node that listens nowhere, for requests from inside its process: a name that no server can have (RFC 6761). */
export const INSIDE_URL = 'http://this-program.invalid';

/** Where others reach the node; one that does not listen names its machine, and 0 as its port.
 *  @param ownUrl where it listens, null before it does */
export function advertisedAddress({ replication }: Config, ownUrl: string | null): { host: string; port: number } {
  if (replication.advertise === null && ownUrl === INSIDE_URL) return { host: hostname(), port: 0 };
  const url = new URL(replication.advertise ?? callableUrl(ownUrl ?? ''));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port) };
}

/** An address that means "all" is reached as this machine, from this machine. */
function callableUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function secured({ replication }: Config): boolean {
  return replication.advertise === null ? replication.tls.cert !== null : replication.advertise.startsWith('https:');
}

function listeningTls({ tls, tlsPeers }: Config['replication']): Pick<HttpConfig, 'tls'> {
  const { ca, cert, key } = tls;
  if (cert === null || key === null) return {};
  return { tls: { cert, key: key.reveal(), ca, verifiedPeers: tlsPeers === 'verified' } };
}
