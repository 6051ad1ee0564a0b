/** The settings of replication as a node uses them: keys and certificates read, contradictions named.
 *
 *  Rule: a node that can be reached from other machines, or that asks for keys, lets replicas in only with a cluster key: whoever links has all
 *  data. It starts without one, and refuses them. */

import { readFileSync } from 'node:fs';
import { messageOf } from '../model/errors.js';
import { checkClusterKey, readClusterKeyFile } from './cluster-key.js';
import type { ValuesOf } from './field.js';
import { isLoopback } from './loopback.js';
import type { REPLICATION_FIELDS } from './replication-fields.js';
import type { Source } from './resolve.js';
import { Secret } from './secret.js';

export type ReplicationValues = ValuesOf<typeof REPLICATION_FIELDS>;

/** null: the system's authorities, no certificate of our own. */
export interface LinkTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: Secret | null;
}

export interface ReplicationSettings extends Omit<ReplicationValues, 'clusterKey'> {
  readonly clusterKey: Secret | null;
  /** Keys that another node may prove; the first is the one this node uses. Empty: links are for this machine only. */
  readonly clusterKeys: readonly Secret[];
  readonly tls: LinkTls;
  /** False: there is no cluster key, and this node can be reached from other machines or asks for keys, so /replication/stream is refused. */
  readonly streamAllowed: boolean;
}

export interface ReplicationReading {
  readonly settings: ReplicationSettings;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** Who may reach the node. */
export interface Reach {
  /** Where it listens. */
  readonly host: string;
  /** Its settings name a key file, or tokens. */
  readonly asksForKeys: boolean;
}

/** Reads the files that the settings name. */
export function readReplication(
  values: ReplicationValues,
  sources: Readonly<Record<string, Source>>,
  reach: Reach,
): ReplicationReading {
  const problems = contradictions(values);
  const warnings: string[] = [];
  const attempt = <Value>(action: () => Value): Value | null => {
    try {
      return action();
    } catch (error) {
      problems.push(messageOf(error));
      return null;
    }
  };
  const { clusterKey, clusterKeyFile } = values;
  if (clusterKey !== null) {
    attempt(() => checkClusterKey(clusterKey, 'cluster_key'));
    if (sources['clusterKey'] !== 'environment')
      warnings.push('cluster_key stands where others may read it; --cluster-key-file or SKEIN_CLUSTER_KEY keeps it to itself');
  }
  const reading = clusterKeyFile === null ? null : attempt(() => readClusterKeyFile(clusterKeyFile));
  warnings.push(...(reading?.warnings ?? []));
  const own = clusterKey === null ? null : new Secret(clusterKey);
  const clusterKeys = reading?.keys ?? (own === null ? [] : [own]);
  const keyed = clusterKey !== null || clusterKeyFile !== null;
  if (values.master !== null && !keyed && !isLoopback(hostOf(values.master))) {
    problems.push(`master ${values.master} is another machine, and no cluster key is set: give --cluster-key-file FILE`);
  }
  const streamAllowed = keyed || (isLoopback(reach.host) && !reach.asksForKeys);
  if (!streamAllowed) problems.push(...needsLinks(values));
  if (!keyed && !isLoopback(reach.host))
    warnings.push(
      `listening on ${reach.host} without a cluster key: replicas are refused until --cluster-key-file FILE is given`,
    );
  const text = (path: string | null): string | null => (path === null ? null : attempt(() => readPem(path)));
  const tlsKey = text(values.tlsKeyFile);
  const tls = { ca: text(values.tlsCaFile), cert: text(values.tlsCertFile), key: tlsKey === null ? null : new Secret(tlsKey) };
  const settings = { ...used(values), clusterKey: own, clusterKeys, tls, streamAllowed };
  return { settings: Object.freeze(settings), warnings, problems };
}

/** Named one by one, so that no setting is there for show. */
function used(values: ReplicationValues): Omit<ReplicationValues, 'clusterKey'> {
  return {
    master: values.master,
    takeMastership: values.takeMastership,
    clusterKeyFile: values.clusterKeyFile,
    advertise: values.advertise,
    voter: values.voter,
    minReplicas: values.minReplicas,
    minReplicasMaxLagMs: values.minReplicasMaxLagMs,
    heartbeatMs: values.heartbeatMs,
    replicaTimeoutMs: values.replicaTimeoutMs,
    replicaLagMs: values.replicaLagMs,
    streamWindowBytes: values.streamWindowBytes,
    snapshotMinIntervalMs: values.snapshotMinIntervalMs,
    tlsCaFile: values.tlsCaFile,
    tlsCertFile: values.tlsCertFile,
    tlsKeyFile: values.tlsKeyFile,
    tlsPeers: values.tlsPeers,
  };
}

function contradictions(values: ReplicationValues): string[] {
  const found: string[] = [];
  if (values.master !== null && values.takeMastership)
    found.push('master and take_mastership contradict each other: the node follows, or is the master');
  if (values.clusterKey !== null && values.clusterKeyFile !== null)
    found.push('cluster_key and cluster_key_file are both given: one of them, please');
  if ((values.tlsCertFile === null) !== (values.tlsKeyFile === null))
    found.push('tls_cert_file and tls_key_file belong together: give both or none');
  if (values.tlsPeers === 'verified' && (values.tlsCertFile === null || values.tlsCaFile === null))
    found.push('tls_peers verified needs tls_cert_file, tls_key_file and tls_ca_file');
  if (values.replicaTimeoutMs < 2 * values.heartbeatMs)
    found.push(
      `replica_timeout_ms is ${values.replicaTimeoutMs} and heartbeat_ms ${values.heartbeatMs}: at least two must fit in`,
    );
  return found;
}

/** What cannot be had from a node that asks for keys, or is reachable, and has no cluster key. */
function needsLinks({ master, minReplicas }: ReplicationValues): string[] {
  const found: string[] = [];
  if (master !== null && isLoopback(hostOf(master)))
    found.push(
      `master ${master} is to be followed by a node that asks for keys or can be reached from other machines, and no cluster key is set: give --cluster-key-file FILE`,
    );
  if (minReplicas > 0)
    found.push(`min_replicas is ${minReplicas}, and without a cluster key no replica is let in: give --cluster-key-file FILE`);
  return found;
}

export type TlsPaths = Pick<ReplicationValues, 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile'>;

/** Reads the files again. @throws Error naming the file that cannot be used */
export function readLinkTls({ tlsCaFile, tlsCertFile, tlsKeyFile }: TlsPaths): LinkTls {
  const text = (path: string | null): string | null => (path === null ? null : readPem(path));
  const key = text(tlsKeyFile);
  return { ca: text(tlsCaFile), cert: text(tlsCertFile), key: key === null ? null : new Secret(key) };
}

function readPem(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`the file ${path} cannot be read: ${messageOf(error)}`);
  }
  if (!text.includes('-----BEGIN ')) throw new Error(`the file ${path} is not PEM`);
  return text;
}

function hostOf(nodeUrl: string): string {
  return new URL(nodeUrl).hostname.replace(/^\[|\]$/g, '');
}
