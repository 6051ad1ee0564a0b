/** The settings of backups: where they are kept, when they are made and how long they stay; what they come to is in backup-settings.ts.
 *  The place stands apart, because commands that restore need it too. */

import type { FieldTable } from './field.js';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const BACKUP_TARGET_FIELDS = {
  backupFolder: {
    kind: 'path',
    default: null,
    doc: 'Folder that backups are kept in, on another disk or machine than the data. Without it and backup_s3_bucket there are no backups.',
  },
  backupS3Bucket: { kind: 'text', default: null, doc: 'Bucket of an S3-compatible store that backups are kept in.' },
  backupS3Prefix: { kind: 'text', default: null, doc: 'What the keys of this server begin with, inside the bucket.' },
  backupS3Endpoint: {
    kind: 'url',
    default: null,
    doc: 'Address of the S3-compatible store; by default that of AWS in backup_s3_region.',
  },
  backupS3Region: { kind: 'text', default: 'us-east-1', doc: 'Region of the bucket; many stores take any.' },
  backupS3Addressing: {
    kind: 'choice',
    choices: ['auto', 'path', 'host'],
    default: 'auto',
    doc: 'Where the bucket stands: in the path or in the host name. auto: in the path when there is a backup_s3_endpoint.',
  },
  backupS3CredentialsFile: {
    kind: 'path',
    default: null,
    doc: 'File with the access key id on its first line and the secret key on its second. Without it they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from where else AWS’s own tools find them (profiles, roles of the machine or the pod).',
  },
  backupS3PartBytes: {
    kind: 'bytes',
    min: 5 * MIB,
    default: 16 * MIB,
    doc: 'Larger objects are sent in parts of this size, at most 10,000; up to three parts are in memory.',
  },
  backupStallMs: {
    kind: 'duration',
    min: 1,
    default: 30_000,
    doc: 'Longest wait for one step of the place where backups are kept; then the backup fails, and is tried again later.',
  },
} as const satisfies FieldTable;

export const BACKUP_FIELDS = {
  ...BACKUP_TARGET_FIELDS,
  backupEveryOperations: {
    kind: 'integer',
    unit: 'operations',
    min: 0,
    max: 1_000_000_000,
    default: 100,
    doc: 'A backup is due after so many operations since the newest one; 0: none for that reason.',
  },
  backupIntervalMs: {
    kind: 'duration',
    min: 0,
    default: HOUR_MS,
    doc: 'A backup is due so long after the newest one, if anything was written since; 0: none for that reason.',
  },
  backupMinIntervalMs: {
    kind: 'duration',
    min: 0,
    default: 10_000,
    doc: 'Shortest time from the end of one automatic backup to the next, so that many writes share one.',
  },
  backupFullIntervalMs: {
    kind: 'duration',
    min: MINUTE_MS,
    default: DAY_MS,
    doc: 'A backup is a full one when the newest full one is so old; otherwise it holds what was written since the newest.',
  },
  backupKeepFulls: {
    kind: 'integer',
    unit: 'full backups',
    min: 1,
    max: 10_000,
    default: 7,
    doc: 'So many of the newest good full backups stay, and the first one of each of as many days (UTC), each with what was written after it; others are removed.',
  },
  backupKeepMs: {
    kind: 'duration',
    min: MINUTE_MS,
    default: null,
    doc: 'Full backups that no moment of this last stretch of time needs are removed too, however few they are; the newest good one always stays. By default age removes nothing.',
  },
  backupDrillIntervalMs: {
    kind: 'duration',
    min: 0,
    default: 7 * DAY_MS,
    doc: 'How often the newest backup is restored into a scratch folder, checked and removed again, to prove that it can be; 0: never.',
  },
  backupFromReplica: {
    kind: 'boolean',
    default: false,
    doc: 'Make backups while this node is a replica too; give it a place or prefix of its own. Otherwise only the master makes them.',
  },
} as const satisfies FieldTable;
