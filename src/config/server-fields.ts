/** The settings of `skein serve`, in the order in which people read about them; replication and the limits have
 *  files of their own. */

import { LOG_LEVELS } from '../model/log.js';
import { BACKUP_FIELDS } from './backup-fields.js';
import { DEPENDENCY_FIELDS } from './dependency-fields.js';
import type { FieldTable } from './field.js';
import { GUARD_FIELDS } from './guard-fields.js';
import { HEALTH_FIELDS } from './health-fields.js';
import { LIMIT_FIELDS } from './limit-fields.js';
import { OBSERVING_FIELDS } from './observing-fields.js';
import { QDRANT_FIELDS } from './qdrant-fields.js';
import { RECOVERY_FIELDS } from './recovery-fields.js';
import { REPLICATION_FIELDS } from './replication-fields.js';
import { SECURITY_FIELDS } from './security-fields.js';
import { TOKEN_FIELDS } from './token-fields.js';
import { TRACING_FIELDS } from './tracing-fields.js';

const MIB = 1024 * 1024;

const LISTENING_FIELDS = {
  host: {
    kind: 'text',
    default: '127.0.0.1',
    doc: 'Address to listen on. One beyond this machine (0.0.0.0, ::) needs a key file, or insecure_no_auth.',
  },
  port: {
    kind: 'integer',
    unit: '',
    min: 0,
    max: 65_535,
    default: 7171,
    doc: 'Port of HTTP and replication; 0 takes a free one.',
  },
  apiKeyFile: {
    kind: 'path',
    default: null,
    doc: 'File whose first line is the admin key (16 characters or more) that every request must carry.',
  },
  insecureNoAuth: {
    kind: 'boolean',
    default: false,
    doc: 'Listen beyond this machine without any key: everybody who reaches the port may do everything.',
  },
  docs: { kind: 'boolean', default: true, doc: 'Serve the page for people at /docs.' },
  shutdownTimeoutMs: {
    kind: 'duration',
    min: 0,
    default: 30_000,
    doc: 'How long a whole stop may take, from the signal to the end of the process; most of it is for running requests, which are then cut off.',
  },
} as const satisfies FieldTable;

const DATA_FIELDS = {
  dataDir: {
    kind: 'path',
    default: './data',
    doc: 'Folder that holds everything: store, operation log, index checkpoints, manifest.',
  },
  verifyAtStart: {
    kind: 'choice',
    choices: ['auto', 'full', 'quick'],
    default: 'auto',
    doc: 'Check of the store at start. auto: full when the last stop was not clean or the store is at most 4 GiB, else quick.',
  },
  acceptLostTail: {
    kind: 'boolean',
    default: false,
    doc: 'Start although the store is behind its manifest, giving up the writes that are missing: a new history begins, and old positions answer PositionLost; a replica takes them from its master.',
  },
  writerCacheBytes: { kind: 'bytes', min: MIB, default: 8 * MIB, doc: 'Page cache of the write thread.' },
  readerCacheBytes: { kind: 'bytes', min: MIB, default: 2 * MIB, doc: 'Page cache of each reading connection.' },
} as const satisfies FieldTable;

const WORK_FIELDS = {
  defaultW: {
    kind: 'integer',
    unit: 'nodes',
    min: 1,
    max: 1_000,
    words: ['auto', 'majority'],
    default: 'auto',
    doc: 'Write concern of writes that name none. auto: majority from 3 voters on, else 1.',
  },
  indexWorkers: {
    kind: 'integer',
    unit: 'threads',
    min: 1,
    max: 256,
    words: ['auto'],
    default: 'auto',
    doc: 'Threads that own indexes and search them. auto: one for each core but one, at least one.',
  },
} as const satisfies FieldTable;

const WATCH_FIELDS = {
  recallCheckShare: {
    kind: 'share',
    default: 0.001,
    doc: 'Share of the vector searches that are repeated exactly in the background, to see what approximate search finds; 0: none.',
  },
  recallCheckMsPerS: {
    kind: 'integer',
    unit: 'milliseconds a second',
    min: 0,
    max: 1_000,
    default: 10,
    doc: 'Time of index workers that repeating searches may take, on average; what would be more is skipped.',
  },
  indexHealthIntervalMs: {
    kind: 'duration',
    min: 0,
    default: 600_000,
    doc: 'How often every graph is looked at for points that it does not find any more; 0: never.',
  },
} as const satisfies FieldTable;

const LOG_FIELDS = {
  logLevel: {
    kind: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    doc: 'Least important events that are logged; PATCH /v1/log changes it while the server runs.',
  },
  logFormat: {
    kind: 'choice',
    choices: ['auto', 'json', 'pretty'],
    default: 'auto',
    doc: 'One JSON object per line, or text for people. auto: pretty on a terminal, else json.',
  },
} as const satisfies FieldTable;

/** The same fields in sections, for pages and help. */
export const SERVER_SECTIONS: readonly { readonly title: string; readonly fields: FieldTable }[] = [
  { title: 'Listening', fields: LISTENING_FIELDS },
  { title: 'Security', fields: SECURITY_FIELDS },
  { title: 'Tokens', fields: TOKEN_FIELDS },
  { title: 'Data', fields: DATA_FIELDS },
  { title: 'Writing and searching', fields: WORK_FIELDS },
  { title: 'Self-checks', fields: WATCH_FIELDS },
  { title: 'Damage', fields: RECOVERY_FIELDS },
  { title: 'Replication', fields: REPLICATION_FIELDS },
  { title: 'Backups', fields: BACKUP_FIELDS },
  { title: 'Outside dependencies', fields: DEPENDENCY_FIELDS },
  { title: 'Guards and stopping', fields: GUARD_FIELDS },
  { title: 'Health', fields: HEALTH_FIELDS },
  { title: 'Logging', fields: LOG_FIELDS },
  { title: 'Log file, metrics and slow queries', fields: OBSERVING_FIELDS },
  { title: 'Traces', fields: TRACING_FIELDS },
  { title: 'Qdrant dialect', fields: QDRANT_FIELDS },
  { title: 'Limits', fields: LIMIT_FIELDS },
];

export const SERVER_FIELDS = { ...LISTENING_FIELDS, ...DATA_FIELDS, ...WORK_FIELDS, ...WATCH_FIELDS, ...LOG_FIELDS } as const;
