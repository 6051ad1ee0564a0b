/** A target over the store of s3-server.ts, as tests open it. */

import { openS3Target } from '../../src/backup/s3-target.js';
import type { BackupTarget } from '../../src/backup/target.js';
import { systemClock } from '../../src/model/clock.js';
import { type S3Server, startS3 } from './s3-server.js';
import type { TestContext } from './suite.js';

/** Small parts, so that tests need not move much; real stores take none below 5 MiB. */
export const TEST_PART_BYTES = 64 * 1024;

export interface BucketOptions {
  readonly partBytes?: number;
  readonly pageKeys?: number;
  readonly prefix?: string;
  readonly stallMs?: number;
  readonly secretAccessKey?: string;
  readonly bucket?: string;
}

export async function openTestBucket(
  t: Pick<TestContext, 'after'>,
  options: BucketOptions = {},
): Promise<{ readonly store: S3Server; readonly target: BackupTarget }> {
  const store = await startS3(t);
  store.partBytesMin = options.partBytes ?? TEST_PART_BYTES;
  store.pageKeys = options.pageKeys ?? store.pageKeys;
  return { store, target: await openBucketOf(store, options) };
}

export function openBucketOf(store: S3Server, options: BucketOptions = {}): Promise<BackupTarget> {
  const { prefix = 'some/prefix', stallMs = 10_000, bucket = store.bucket, partBytes = TEST_PART_BYTES } = options;
  const secret = options.secretAccessKey ?? store.key.secretAccessKey;
  const credentials = { accessKeyId: store.key.accessKeyId, secretAccessKey: { reveal: () => secret } };
  const place = {
    bucket,
    prefix,
    endpoint: store.endpoint,
    region: 'test-region',
    pathStyle: true,
    credentials,
    partBytes,
  };
  return openS3Target({ place, tidies: true, stallMs, clock: systemClock });
}
