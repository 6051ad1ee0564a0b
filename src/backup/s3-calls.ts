/** Calls to one bucket of an S3-compatible store, over AWS's client, which is loaded when it is first needed (0.1 s, 23 MB).
 *
 *  Each call is tried three times by the client (it also sets its clock by the store's), each try for a third of the stall limit without
 *  a byte. Checksums only where the API asks for them: other stores than AWS's do not know the newer ones; what is sent is signed anyway.
 *  Must not know: keys of objects, parts. */

import type * as Sdk from '@aws-sdk/client-s3';
import { readS3Failure, type S3Failure } from './s3-failure.js';

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** null: that of AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly pathStyle: boolean;
  /** null: from the environment, or where else AWS’s own tools find them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: { reveal(): string } } | null;
  readonly partBytes: number;
}

/** Without anything secret. */
export function s3Name({ bucket, prefix }: Pick<S3Place, 'bucket' | 'prefix'>): string {
  return `s3 ${prefix === '' ? bucket : `${bucket}/${prefix}`}`;
}

const ATTEMPTS_MAX = 3;
/** A wish to be told to go on before a body is sent; some stores never answer it. */
const EXPECT_CONTINUE = false;

/** What the store or the way to it said; made by `call`, read by whoever knows what for. */
export class S3CallFailed extends Error {
  override readonly name = 'S3CallFailed';
  readonly failure: S3Failure;

  constructor(failure: S3Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

export interface S3Calls {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
}

export async function connectS3(place: S3Place, stallMs: number): Promise<S3Calls> {
  const sdk = await import('@aws-sdk/client-s3');
  const tryMs = Math.max(1, Math.floor(stallMs / ATTEMPTS_MAX));
  const { endpoint, credentials } = place;
  const client = new sdk.S3Client({
    region: place.region,
    forcePathStyle: place.pathStyle,
    followRegionRedirects: endpoint === null,
    maxAttempts: ATTEMPTS_MAX,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: EXPECT_CONTINUE,
    requestHandler: { connectionTimeout: tryMs, socketTimeout: tryMs },
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === null
      ? {}
      : { credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey.reveal() } }),
  });
  return { sdk, client };
}

/** @throws S3CallFailed */
export async function call<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new S3CallFailed(readS3Failure(error));
  }
}
