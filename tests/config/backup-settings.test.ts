/** The settings of backups: one place or none, its credentials, and what contradicts itself. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import type { BackupSettings } from '../../src/config/backup-settings.js';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../src/config/config.js';
import { describeConfig } from '../../src/config/describe.js';
import { ConfigError } from '../../src/config/resolve.js';
import { suite } from '../support/suite.js';

const test = suite('config/backup-settings');

function load(flags: ConfigSources['flags'], environment: ConfigSources['environment'] = {}): LoadedConfig {
  return loadConfig({ flags, environment, workingDir: '/srv' });
}

const backup = (flags: ConfigSources['flags']): BackupSettings => load(flags).config.backup;

function problemsOf(flags: ConfigSources['flags']): readonly string[] {
  try {
    load(flags);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('with nothing given there is no place for backups, and the rules have their defaults', () => {
  const settings = backup({});
  assert.is(settings.place, null);
  assert.equal(settings.schedule, {
    everyOperations: 100,
    intervalMs: 3_600_000,
    minIntervalMs: 10_000,
    fullIntervalMs: 86_400_000,
  });
  assert.equal(settings.retention, { fullsMax: 7, ageMsMax: null });
  assert.equal([settings.drillIntervalMs, settings.fromReplica, settings.stallMs], [7 * 86_400_000, false, 30_000]);
  assert.ok(Object.isFrozen(settings));
});

test('a folder is a place, unless it and the data lie in each other', () => {
  assert.equal(backup({ backupFolder: 'kept' }).place, { kind: 'folder', folder: '/srv/kept' });
  for (const [dataDir, backupFolder] of [
    ['/srv/data', '/srv/data'],
    ['/srv/data', '/srv/data/backups'],
    ['/srv/data', '/srv'],
    ['/', '/srv'],
  ])
    assert.match(problemsOf({ dataDir, backupFolder })[0] ?? '', 'lie in each other');
  assert.equal(problemsOf({ dataDir: '/srv/data', backupFolder: '/srv/data-backups' }), []);
});

test('a bucket is a place; without an endpoint it is one of AWS', () => {
  const bucket = { backupS3Bucket: 'my-bucket' };
  const place = { kind: 's3', bucket: 'my-bucket', prefix: '', region: 'us-east-1', credentials: null, partBytes: 16 * 2 ** 20 };
  assert.equal(backup(bucket).place, { ...place, endpoint: null, pathStyle: false });
  const endpoint = 'https://store.example:9000';
  assert.equal(backup({ ...bucket, backupS3Endpoint: endpoint }).place, { ...place, endpoint, pathStyle: true });
  const asHost = { ...bucket, backupS3Endpoint: endpoint, backupS3Addressing: 'host', backupS3Prefix: '/prod/skein/' };
  assert.equal(backup(asHost).place, { ...place, endpoint, pathStyle: false, prefix: 'prod/skein' });
});

test('two places, or parts of one, are contradictions', () => {
  assert.match(problemsOf({ backupFolder: '/b', backupS3Bucket: 'my-bucket' })[0] ?? '', 'both given');
  assert.match(problemsOf({ backupS3Prefix: 'x' })[0] ?? '', 'no backup_s3_bucket');
  for (const backupS3Bucket of ['My-Bucket', 'a', 'a/b', '-ab', 'a b'])
    assert.match(problemsOf({ backupS3Bucket })[0] ?? '', 'is not the name of a bucket');
  assert.match(problemsOf({ backupS3Bucket: 'my-bucket', backupS3Prefix: 'a b' })[0] ?? '', 'backup_s3_prefix must be');
  assert.match(problemsOf({ backupS3Bucket: 'my-bucket', backupS3PartBytes: '1MiB' })[0] ?? '', 'at least 5MiB');
  assert.match(problemsOf({ backupS3Bucket: 'my-bucket', backupS3Endpoint: 'https://id:key@store' })[0] ?? '', 'no user');
});

test('credentials come from a file of two lines, and are printed nowhere', (t) => {
  const path = join(t.folder(), 'credentials');
  writeFileSync(path, 'ACCESS-ID\nvery-secret-key\n', { mode: 0o644 });
  const loaded = load({ backupS3Bucket: 'my-bucket', backupS3CredentialsFile: path, backupS3Endpoint: 'http://store:9000' });
  const { place } = loaded.config.backup;
  assert.is(place?.kind === 's3' && place.credentials?.accessKeyId, 'ACCESS-ID');
  assert.is(place?.kind === 's3' && place.credentials?.secretAccessKey.reveal(), 'very-secret-key');
  assert.is(loaded.warnings.length, 2, 'readable by all, and no https');
  const shown = describeConfig(loaded.config, loaded.sources);
  assert.is(shown['backup_s3_credentials_file']?.value, path);
  for (const printed of [JSON.stringify([loaded, shown]), inspect(loaded, { depth: 9 }), ...loaded.warnings])
    assert.not.ok(printed.includes('very-secret-key'));
  writeFileSync(path, 'ACCESS-ID very-secret-key\n');
  const [problem = ''] = problemsOf({ backupS3Bucket: 'my-bucket', backupS3CredentialsFile: path });
  assert.match(problem, 'needs two lines');
  assert.not.match(problem, 'very-secret-key');
});

test.run();
