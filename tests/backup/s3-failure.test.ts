/** What stores and networks say, as reasons; and that an object is never longer than a store takes. */

import * as assert from 'uvu/assert';
import type { Part } from '../../src/backup/parts.js';
import type { S3Calls } from '../../src/backup/s3-calls.js';
import { readS3Failure } from '../../src/backup/s3-failure.js';
import { uploadInParts } from '../../src/backup/s3-upload.js';
import { Stalled } from '../../src/backup/stall-limit.js';
import { suite } from '../support/suite.js';

const test = suite('backup/s3-failure');

const said = (facts: { name?: string; code?: string; status?: number; message?: string }): Error =>
  Object.assign(
    new Error(facts.message ?? 'said'),
    facts,
    facts.status === undefined ? {} : { $metadata: { httpStatusCode: facts.status } },
  );

test('each failure has a reason', () => {
  const rows: readonly (readonly [string, unknown])[] = [
    ['timeout', new Stalled(5)],
    ['timeout', said({ name: 'TimeoutError', code: 'ETIMEDOUT' })],
    ['missing', said({ name: 'NoSuchKey', status: 404 })],
    ['refused', said({ name: 'NoSuchBucket', status: 404 })],
    ['refused', said({ name: 'PermanentRedirect', status: 301 })],
    ['denied', said({ name: 'SignatureDoesNotMatch', status: 403 })],
    ['denied', said({ name: 'CredentialsProviderError' })],
    ['denied', said({ name: 'UnknownError', status: 401 })],
    ['full', said({ name: 'XMinioStorageFull', status: 507 })],
    ['full', said({ name: 'QuotaExceeded', status: 403 })],
    ['unreachable', said({ code: 'ECONNREFUSED' })],
    ['unreachable', said({ code: 'ENOTFOUND' })],
    ['unreachable', said({ name: 'TimeoutError', code: 'ECONNRESET', message: 'socket hang up' })],
    ['unreachable', said({ message: 'aborted', code: 'ECONNRESET' })],
    ['unreachable', said({ name: 'SlowDown', status: 503 })],
    ['unreachable', said({ name: 'UnknownError', status: 429 })],
    ['refused', said({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
    ['refused', said({ name: 'SyntaxError', status: 200 })],
    ['refused', 'a text'],
  ];
  for (const [reason, error] of rows) assert.is(readS3Failure(error).reason, reason, String(error));
  assert.is(readS3Failure(said({ name: 'SlowDown', status: 503, message: 'later' })).message, 'SlowDown: later (status 503)');
  assert.is(readS3Failure(said({ message: 'x'.repeat(10_000) })).message.length, 500);
});

test('an object of more parts than a store takes is refused, and its upload aborted', async () => {
  const sent: string[] = [];
  class Command {
    readonly name = this.constructor.name;
  }
  const sdk = Object.fromEntries(
    ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'AbortMultipartUpload'].map((name) => {
      const made = { [name]: class extends Command {} }[name] ?? Command;
      return [`${name}Command`, made];
    }),
  );
  const client = {
    send: async ({ name }: Command) => {
      sent.push(name);
      return { UploadId: 'one', ETag: '"x"' };
    },
  };
  async function* parts(): AsyncGenerator<Part> {
    for (let i = 2; i <= 10_001; i++) yield { bytes: new Uint8Array(1), isLast: i === 10_001 };
  }
  const calls = { sdk, client } as unknown as S3Calls;
  const first = { bytes: new Uint8Array(1), isLast: false };
  const error = await uploadInParts({ calls, object: { Bucket: 'b', Key: 'k' }, first, rest: parts() }).catch(
    (thrown: Error) => thrown,
  );
  assert.match(String(error), 'more than 10000 parts');
  assert.is(sent.filter((name) => name === 'UploadPart').length, 10_000);
  assert.is(sent.at(-1), 'AbortMultipartUpload');
  assert.not.ok(sent.includes('CompleteMultipartUpload'));
});

test.run();
