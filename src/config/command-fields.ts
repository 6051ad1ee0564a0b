/** The settings of the commands other than `serve`. They come from flags and the environment; there is no file for them. */

import { BACKUP_TARGET_FIELDS } from './backup-fields.js';
import { CLIENT_FIELDS, JSON_FIELD } from './client-fields.js';
import { COPY_FIELDS, EXPORT_FIELDS, SEARCH_FIELDS } from './data-command-fields.js';
import type { FieldTable } from './field.js';
import { IMPORT_FIELDS } from './import-fields.js';
import { CREATE_KEY_FIELDS, LIST_KEYS_FIELDS, ROTATE_KEY_FIELDS } from './key-fields.js';
import { CHANGES_FIELDS, TOP_FIELDS } from './look-command-fields.js';
import { PROBE_FIELDS } from './probe-fields.js';

/** How `serve` itself is started: where its file is, and whether it only prints what it would use. */
export const SERVE_COMMAND_FIELDS = {
  config: { kind: 'path', default: null, doc: 'JSON file with settings under their file keys.' },
  printConfig: {
    kind: 'boolean',
    default: false,
    doc: 'Print every setting with the source of its value, secrets masked, and end.',
  },
} as const satisfies FieldTable;

export const STATUS_FIELDS = { ...CLIENT_FIELDS, ...JSON_FIELD } as const satisfies FieldTable;

export const WAIT_FIELDS = {
  ...CLIENT_FIELDS,
  timeout: { kind: 'duration', min: 0, default: 180_000, doc: 'How long to wait in all before giving up.' },
  interval: { kind: 'duration', min: 10, default: 5_000, doc: 'How often to ask.' },
  healthy: { kind: 'boolean', default: false, doc: 'Wait until nothing is degraded, either; by default until all can serve.' },
  ...JSON_FIELD,
} as const satisfies FieldTable;

const REPLICA_FIELD = {
  replica: { kind: 'text', default: null, doc: 'Node id of the replica that is meant; asked of the master.' },
} as const satisfies FieldTable;

export const VERIFY_FIELDS = {
  ...CLIENT_FIELDS,
  url: { kind: 'url', default: null, doc: 'Server whose replicas to compare, instead of a folder to check.' },
  ...REPLICA_FIELD,
  repair: { kind: 'boolean', default: false, doc: 'Fetch what differs again; with --url.' },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export const PROMOTE_FIELDS = {
  ...CLIENT_FIELDS,
  force: {
    kind: 'boolean',
    default: false,
    doc: 'Also when the old master cannot hand over: writes that only it has are lost.',
  },
  ...JSON_FIELD,
} as const satisfies FieldTable;

export const FOLLOW_FIELDS = { ...CLIENT_FIELDS, ...JSON_FIELD } as const satisfies FieldTable;

export const RESYNC_FIELDS = {
  ...CLIENT_FIELDS,
  full: { kind: 'boolean', default: false, doc: 'Take a snapshot, even where the log would do.' },
  ...REPLICA_FIELD,
  ...JSON_FIELD,
} as const satisfies FieldTable;

export const MCP_FIELDS = {
  ...CLIENT_FIELDS,
  readOnly: { kind: 'boolean', default: false, doc: 'Offer no tool that changes data.' },
  http: {
    kind: 'boolean',
    default: false,
    doc: 'Speak over HTTP, at /mcp, instead of standard input and output. Then callers bring their own keys.',
  },
  host: {
    kind: 'text',
    default: '127.0.0.1',
    doc: 'Address to listen on with --http. Beyond this machine every caller needs a key, and the server must ask for one.',
  },
  port: {
    kind: 'integer',
    unit: '',
    min: 0,
    max: 65_535,
    default: 7180,
    doc: 'Port to listen on with --http; 0 takes a free one.',
  },
  allowedHosts: {
    kind: 'text',
    default: null,
    doc: 'With --http on a loopback address: further names, separated by commas, under which a proxy calls.',
  },
  insecureNoAuth: {
    kind: 'boolean',
    default: false,
    doc: 'With --http: listen beyond this machine although callers may come without a key.',
  },
} as const satisfies FieldTable;
export {
  CHANGES_FIELDS,
  COPY_FIELDS,
  CREATE_KEY_FIELDS,
  EXPORT_FIELDS,
  IMPORT_FIELDS,
  LIST_KEYS_FIELDS,
  ROTATE_KEY_FIELDS,
  SEARCH_FIELDS,
  TOP_FIELDS,
};

export const LOGS_FIELDS = { ...JSON_FIELD } as const satisfies FieldTable;

const PATIENCE = {
  timeoutMs: { kind: 'duration', min: 1, default: 3_600_000, doc: 'How long it may take.' },
  json: { kind: 'boolean', default: false, doc: 'One JSON object per line instead of text.' },
} as const satisfies FieldTable;

export const BACKUP_COMMAND_FIELDS = {
  ...CLIENT_FIELDS,
  ...PATIENCE,
  full: { kind: 'boolean', default: false, doc: 'Make a full backup, even where an increment would do.' },
  increments: {
    kind: 'boolean',
    default: false,
    doc: 'With remove: increments that lead nowhere without the backup go as well, where a newer full one leads to all behind them.',
  },
} as const satisfies FieldTable;

export const RESTORE_FIELDS = {
  ...CLIENT_FIELDS,
  ...BACKUP_TARGET_FIELDS,
  ...PATIENCE,
  to: {
    kind: 'path',
    default: null,
    doc: 'New data folder to restore into, from the place of the backup settings, with no server.',
  },
  inPlace: {
    kind: 'boolean',
    default: false,
    doc: 'Replace the data of the server at --url, and so of its replicas, by what is in its own backups.',
  },
  at: { kind: 'text', default: null, doc: 'Instant (ISO 8601) to restore to: the state before the first later write.' },
  position: { kind: 'text', default: null, doc: 'Position token, or seq, to restore to.' },
  backup: {
    kind: 'text',
    default: null,
    doc: 'Full backup to begin from, or increment to end with; by default the newest there is.',
  },
  cluster: {
    kind: 'text',
    default: null,
    doc: 'With --to: whose backups, by cluster id, where those of several lie in one place.',
  },
  keepClusterId: {
    kind: 'boolean',
    default: false,
    doc: 'With --to: the copy is this cluster, not another one. Nothing else may serve as its master any more.',
  },
  dryRun: { kind: 'boolean', default: false, doc: 'Say what would be done, and do nothing.' },
} as const satisfies FieldTable;

/** Commands and their fields, for help and pages. */
export const COMMAND_SECTIONS: readonly { readonly title: string; readonly fields: FieldTable }[] = [
  { title: 'skein serve', fields: SERVE_COMMAND_FIELDS },
  { title: 'skein import', fields: IMPORT_FIELDS },
  { title: 'skein export', fields: EXPORT_FIELDS },
  { title: 'skein copy', fields: COPY_FIELDS },
  { title: 'skein search', fields: SEARCH_FIELDS },
  { title: 'skein changes', fields: CHANGES_FIELDS },
  { title: 'skein status', fields: STATUS_FIELDS },
  { title: 'skein top', fields: TOP_FIELDS },
  { title: 'skein wait', fields: WAIT_FIELDS },
  { title: 'skein probe', fields: PROBE_FIELDS },
  { title: 'skein verify', fields: VERIFY_FIELDS },
  { title: 'skein promote', fields: PROMOTE_FIELDS },
  { title: 'skein follow', fields: FOLLOW_FIELDS },
  { title: 'skein resync', fields: RESYNC_FIELDS },
  { title: 'skein logs summarize', fields: LOGS_FIELDS },
  { title: 'skein backup', fields: BACKUP_COMMAND_FIELDS },
  { title: 'skein restore', fields: RESTORE_FIELDS },
  { title: 'skein mcp', fields: MCP_FIELDS },
  { title: 'skein keys create', fields: CREATE_KEY_FIELDS },
  { title: 'skein keys list', fields: LIST_KEYS_FIELDS },
  { title: 'skein keys revoke', fields: LIST_KEYS_FIELDS },
  { title: 'skein keys rotate', fields: ROTATE_KEY_FIELDS },
];
