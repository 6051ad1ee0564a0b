/** The settings of backups as a node and the commands use them: one place or none, its credentials read, contradictions named.
 *
 *  Invariant: no credential is part of a message, an address or anything printed. */

import { relative } from 'node:path';
import { messageOf } from '../model/errors.js';
import { readKeyLines } from './api-key.js';
import type { BACKUP_FIELDS, BACKUP_TARGET_FIELDS } from './backup-fields.js';
import type { ValuesOf } from './field.js';
import { Secret } from './secret.js';

export type BackupValues = ValuesOf<typeof BACKUP_FIELDS>;
export type BackupTargetValues = ValuesOf<typeof BACKUP_TARGET_FIELDS>;

interface FolderPlace {
  readonly kind: 'folder';
  readonly folder: string;
}

interface S3Place {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** null: that of AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly pathStyle: boolean;
  /** null: from the environment, or where else AWS’s own tools find them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: Secret } | null;
  readonly partBytes: number;
}

export type BackupPlace = FolderPlace | S3Place;

export interface BackupSettings {
  /** null: none is configured, so there are no backups. */
  readonly place: BackupPlace | null;
  readonly stallMs: number;
  /** When one is due; 0 switches a reason off. */
  readonly schedule: {
    readonly everyOperations: number;
    readonly intervalMs: number;
    readonly minIntervalMs: number;
    readonly fullIntervalMs: number;
  };
  readonly retention: { readonly fullsMax: number; readonly ageMsMax: number | null };
  /** 0: never. */
  readonly drillIntervalMs: number;
  readonly fromReplica: boolean;
  /** As they were given, to be shown. */
  readonly values: BackupValues;
}

export interface PlaceReading {
  readonly place: BackupPlace | null;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** Reads the file with credentials, if there is one. */
export function readBackupPlace(values: BackupTargetValues): PlaceReading {
  const { backupFolder, backupS3Bucket } = values;
  if (backupFolder !== null && backupS3Bucket !== null)
    return { place: null, warnings: [], problems: ['backup_folder and backup_s3_bucket are both given: one of them, please'] };
  if (backupFolder !== null) return { place: { kind: 'folder', folder: backupFolder }, warnings: [], problems: [] };
  if (backupS3Bucket !== null) return readBucket(values, backupS3Bucket);
  const idle = (['backupS3Prefix', 'backupS3Endpoint', 'backupS3CredentialsFile'] as const).some((key) => values[key] !== null);
  return { place: null, warnings: [], problems: idle ? ['settings of backup_s3 are given, but no backup_s3_bucket'] : [] };
}

/** The whole group of a server. @param dataDir where the data is that backups must outlive */
export function readBackups(
  values: BackupValues,
  dataDir: string,
): { readonly settings: BackupSettings; readonly warnings: readonly string[]; readonly problems: readonly string[] } {
  const { place, warnings, problems } = readBackupPlace(values);
  const found = [...problems];
  if (values.backupFolder !== null && (isWithin(values.backupFolder, dataDir) || isWithin(dataDir, values.backupFolder)))
    found.push(`backup_folder ${values.backupFolder} and data_dir ${dataDir} lie in each other: backups must outlive the data`);
  const settings: BackupSettings = {
    place,
    stallMs: values.backupStallMs,
    schedule: {
      everyOperations: values.backupEveryOperations,
      intervalMs: values.backupIntervalMs,
      minIntervalMs: values.backupMinIntervalMs,
      fullIntervalMs: values.backupFullIntervalMs,
    },
    retention: { fullsMax: values.backupKeepFulls, ageMsMax: values.backupKeepMs },
    drillIntervalMs: values.backupDrillIntervalMs,
    fromReplica: values.backupFromReplica,
    values,
  };
  return { settings: Object.freeze(settings), warnings, problems: found };
}

function readBucket(values: BackupTargetValues, bucket: string): PlaceReading {
  const problems: string[] = [];
  const warnings: string[] = [];
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    problems.push(`backup_s3_bucket ${JSON.stringify(bucket)} is not the name of a bucket`);
  const prefix = (values.backupS3Prefix ?? '').replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9._/-]{0,400}$/.test(prefix))
    problems.push('backup_s3_prefix must be at most 400 of A–Z a–z 0–9 . _ - and slashes');
  let credentials: S3Place['credentials'] = null;
  if (values.backupS3CredentialsFile !== null) {
    try {
      const reading = readCredentials(values.backupS3CredentialsFile);
      credentials = reading.credentials;
      warnings.push(...reading.warnings);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  const { backupS3Endpoint: endpoint, backupS3Region: region, backupS3Addressing: addressing } = values;
  const pathStyle = addressing === 'path' || (addressing === 'auto' && endpoint !== null);
  if (endpoint?.startsWith('http://') === true)
    warnings.push('backup_s3_endpoint is not https: backups cross the network in the clear');
  const partBytes = values.backupS3PartBytes;
  return { place: { kind: 's3', bucket, prefix, endpoint, region, pathStyle, credentials, partBytes }, warnings, problems };
}

function readCredentials(path: string): { credentials: NonNullable<S3Place['credentials']>; warnings: readonly string[] } {
  const { lines, warnings } = readKeyLines(path);
  const [accessKeyId = '', secretAccessKey = ''] = lines;
  if (accessKeyId === '' || secretAccessKey === '')
    throw new Error(`the credentials file ${path} needs two lines: the access key id and the secret key`);
  return { credentials: { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }, warnings };
}

function isWithin(inner: string, outer: string): boolean {
  const path = relative(outer, inner);
  return path === '' || !(path === '..' || path.startsWith('../'));
}
