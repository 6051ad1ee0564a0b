/** A bucket of an S3-compatible store as backup target: the key of an object stands behind the prefix.
 *
 *    put: fits into one part ─► PutObject        else ─► upload in parts, aborted when it fails
 *    get: ranges of one object, told by its ETag, so that a slow reader holds no connection and a broken one is taken up again
 *
 *  Atomic and durable by the promise of the store. Uploads that nobody completed or aborted for a day are aborted on opening; a lifecycle
 *  rule of the bucket does the same. Must not know: what the bytes mean. */

import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Clock } from '../model/clock.js';
import { partsOf } from './parts.js';
import { call, connectS3, S3CallFailed, type S3Calls, type S3Place, s3Name } from './s3-calls.js';
import { abortUpload, uploadInParts } from './s3-upload.js';
import {
  type BackupTarget,
  checkKey,
  type FailedCall,
  isKey,
  ObjectNotFound,
  type StoredObject,
  targetFailed,
} from './target.js';

const UPLOAD_AGE_MS_MAX = 24 * 3_600_000;
const PIECE_BYTES = 4 * 1024 * 1024;
/** Tries in a row to get one piece whose answer broke off. */
const PIECE_ATTEMPTS_MAX = 3;

export interface S3TargetOptions {
  readonly place: S3Place;
  /** False: leftovers of others are let be. */
  readonly tidies: boolean;
  /** The longest wait without a byte from or to the store, in milliseconds. */
  readonly stallMs: number;
  readonly clock: Clock;
}

type Call = Pick<FailedCall, 'operation' | 'key'>;

/** Asks the store once, so that a wrong address, bucket or key is seen at once. @throws BackupTargetFailed */
export async function openS3Target({ place, tidies, stallMs, clock }: S3TargetOptions): Promise<BackupTarget> {
  const target = new S3Target(place, await connectS3(place, stallMs));
  await target.check();
  if (tidies) await target.tidyUploads(clock);
  return target;
}

class S3Target implements BackupTarget {
  readonly name: string;
  readonly #place: S3Place;
  readonly #calls: S3Calls;

  constructor(place: S3Place, calls: S3Calls) {
    this.name = s3Name(place);
    this.#place = place;
    this.#calls = calls;
  }

  async check(): Promise<void> {
    const { sdk, client } = this.#calls;
    const asked = { Bucket: this.#place.bucket, Prefix: this.#keyOf(''), MaxKeys: 1 };
    await this.#run({ operation: 'open', key: '' }, () => call(() => client.send(new sdk.ListObjectsV2Command(asked))));
  }

  /** A key that may not list uploads leaves them to the lifecycle rule. */
  async tidyUploads(clock: Clock): Promise<void> {
    const { sdk, client } = this.#calls;
    const { bucket: Bucket } = this.#place;
    const found = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: this.#keyOf('') })).catch(() => null);
    for (const { Key, UploadId, Initiated } of found?.Uploads ?? []) {
      const old = Initiated !== undefined && clock.wallMs() - Initiated.getTime() > UPLOAD_AGE_MS_MAX;
      if (old && Key !== undefined && UploadId !== undefined) await abortUpload(this.#calls, { Bucket, Key }, UploadId);
    }
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const { sdk, client } = this.#calls;
    const asked = { Bucket: this.#place.bucket, Prefix: this.#keyOf(prefix) };
    const rootLength = this.#keyOf('').length;
    for (let token: string | undefined, page = 1; page === 1 || token !== undefined; page++) {
      const next = token === undefined ? asked : { ...asked, ContinuationToken: token };
      const answer = await this.#run({ operation: 'list', key: prefix }, () =>
        call(() => client.send(new sdk.ListObjectsV2Command(next))),
      );
      for (const { Key = '', Size = 0, LastModified } of answer.Contents ?? []) {
        const key = Key.slice(rootLength);
        if (isKey(key)) yield { key, bytes: Size, modifiedAtMs: LastModified?.getTime() ?? 0 };
      }
      token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
      if (answer.IsTruncated === true && (token === undefined || token === ''))
        throw this.#failed(
          { operation: 'list', key: prefix },
          'refused',
          'the store cut a list off and does not say how it goes on',
        );
    }
  }

  async put(key: string, body: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    checkKey(key);
    const { sdk, client } = this.#calls;
    const parts = partsOf(body, this.#place.partBytes);
    const { value: first } = await parts.next();
    const object = this.#object(key);
    const run: Call = { operation: 'put', key };
    if (!first.isLast)
      return { bytes: await this.#run(run, () => uploadInParts({ calls: this.#calls, object, first, rest: parts })) };
    const whole = { ...object, Body: first.bytes, ContentLength: first.bytes.length };
    await this.#run(run, () => call(() => client.send(new sdk.PutObjectCommand(whole))));
    return { bytes: first.bytes.length };
  }

  async *get(key: string): AsyncGenerator<Uint8Array> {
    checkKey(key);
    let found = { total: Number.POSITIVE_INFINITY, tag: '' };
    for (let at = 0; at < found.total; ) {
      const piece = await this.#run({ operation: 'get', key }, () => this.#piece(key, at));
      if (at > 0 && (piece.total !== found.total || piece.tag !== found.tag))
        throw this.#failed({ operation: 'get', key }, 'refused', 'the object was replaced while it was read');
      found = piece;
      if (piece.bytes.length > 0) yield piece.bytes;
      at += piece.bytes.length;
    }
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    const { sdk, client } = this.#calls;
    try {
      await this.#run({ operation: 'remove', key }, () =>
        call(() => client.send(new sdk.DeleteObjectCommand(this.#object(key)))),
      );
    } catch (error) {
      if (!(error instanceof ObjectNotFound)) throw error;
    }
  }

  /** A range of an object, asked for again when its answer breaks off. */
  async #piece(key: string, at: number): Promise<{ bytes: Uint8Array; total: number; tag: string }> {
    for (let attempt = 1; ; attempt++) {
      const { Body, ContentRange, ContentLength = 0, ETag = '' } = await call(() => this.#range(key, at));
      const total = ContentRange === undefined ? ContentLength : Number(ContentRange.split('/')[1]);
      if (Body === undefined || !Number.isSafeInteger(total) || (ContentRange === undefined && (at > 0 || total > PIECE_BYTES)))
        throw new S3CallFailed({ reason: 'refused', message: 'the store does not answer ranges' });
      try {
        const bytes = await call(() => Body.transformToByteArray());
        if (bytes.length === Math.min(PIECE_BYTES, total - at)) return { bytes, total, tag: ETag };
        throw new S3CallFailed({ reason: 'unreachable', message: `${bytes.length} bytes of a range came` });
      } catch (error) {
        if (attempt === PIECE_ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #range(key: string, at: number): Promise<GetObjectCommandOutput> {
    const { sdk, client } = this.#calls;
    try {
      return await client.send(new sdk.GetObjectCommand({ ...this.#object(key), Range: `bytes=${at}-${at + PIECE_BYTES - 1}` }));
    } catch (error) {
      // An object without bytes has no ranges.
      if (at > 0 || !(error instanceof Error) || error.name !== 'InvalidRange') throw error;
      return client.send(new sdk.GetObjectCommand(this.#object(key)));
    }
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#keyOf(key) };
  }

  #keyOf(key: string): string {
    return this.#place.prefix === '' ? key : `${this.#place.prefix}/${key}`;
  }

  /** Says for which call it was what the store said; what is not of the store, such as an error of a body, passes as it is. */
  async #run<T>(run: Call, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof S3CallFailed)) throw error;
      const { reason, message } = error.failure;
      if (reason === 'missing' && (run.operation === 'get' || run.operation === 'remove'))
        throw new ObjectNotFound(this.name, run.key);
      throw this.#failed(run, reason === 'missing' ? 'refused' : reason, message);
    }
  }

  #failed(run: Call, reason: FailedCall['reason'], message: string): Error {
    return targetFailed({ target: this.name, ...run, reason, message });
  }
}
