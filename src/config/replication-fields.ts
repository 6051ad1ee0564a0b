/** The settings of replication, as `skein serve` reads them; what they come to is in replication-settings.ts. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;

export const REPLICATION_FIELDS = {
  master: {
    kind: 'node',
    default: null,
    doc: 'Master to follow. Counts at the first start on a folder; afterwards the node keeps the role that it last had.',
  },
  takeMastership: {
    kind: 'boolean',
    default: false,
    doc: 'For one start on data whose NODE file is gone: this node is the master. A new epoch and history begin, as with a promotion by force. Without effect where NODE is there.',
  },
  clusterKeyFile: {
    kind: 'path',
    default: null,
    doc: 'File with the key that nodes prove to each other, 16 characters or more. While a key is replaced it has two lines: the first key is used, both are accepted.',
  },
  clusterKey: {
    kind: 'text',
    secret: true,
    default: null,
    doc: 'The key itself, where there is no file. Other users of a machine can read flags: prefer the file or the environment.',
  },
  advertise: {
    kind: 'node',
    default: null,
    doc: 'Address under which clients and other nodes reach this node; by default the one it listens on.',
  },
  voter: { kind: 'boolean', default: true, doc: 'Count in majorities, and be promoted without force.' },
  minReplicas: {
    kind: 'integer',
    unit: 'replicas',
    min: 0,
    max: 1_000,
    default: 0,
    doc: 'Writes are refused with Overloaded while fewer voters are connected and near enough.',
  },
  minReplicasMaxLagMs: {
    kind: 'duration',
    min: 1,
    default: 10_000,
    doc: 'How far behind a replica may be to count for min_replicas.',
  },
  heartbeatMs: { kind: 'duration', min: 10, default: 1_000, doc: 'How often nodes tell each other that they are there.' },
  replicaTimeoutMs: {
    kind: 'duration',
    min: 20,
    default: 10_000,
    doc: 'After so much silence a node counts as disconnected; at least two heartbeats.',
  },
  replicaLagMs: { kind: 'duration', min: 1, default: 1_000, doc: 'How far behind a replica must be to be called Lagging.' },
  streamWindowBytes: {
    kind: 'bytes',
    min: MIB,
    default: 8 * MIB,
    doc: 'Bytes on their way to one replica that it has not confirmed; a slower one falls behind in the log, not in memory.',
  },
  snapshotMinIntervalMs: {
    kind: 'duration',
    min: 0,
    default: 10_000,
    doc: 'Shortest time between two snapshots for the same replica.',
  },
  tlsCaFile: {
    kind: 'path',
    default: null,
    doc: 'Authorities (PEM) that other nodes’ certificates are checked with, instead of the system’s.',
  },
  tlsCertFile: {
    kind: 'path',
    default: null,
    doc: 'Certificate (PEM) of this node: with it the port speaks https and wss, and links show it to their master.',
  },
  tlsKeyFile: { kind: 'path', default: null, doc: 'Private key (PEM) of tls_cert_file.' },
  tlsPeers: {
    kind: 'choice',
    choices: ['any', 'verified'],
    default: 'any',
    doc: 'Replicas that may link over wss. verified: only those with a certificate of tls_ca_file, beside the cluster key.',
  },
} as const satisfies FieldTable;
