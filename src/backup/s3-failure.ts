/** What an S3-compatible store, or the way to it, said when it failed, as a reason that a target tells.
 *
 *  Sources: the error codes of the S3 API reference; MinIO's own for full disks; errno(3). Nothing but names, messages and statuses is read,
 *  so that no header and no credential can get into an error or a log. Must not know: which call it was. */

import { messageOf } from '../model/errors.js';
import { Stalled } from './stall-limit.js';
import type { TargetFailure } from './target.js';

export interface S3Failure {
  readonly reason: TargetFailure | 'missing';
  readonly message: string;
}

const DENIED = new Set([
  'AccessDenied',
  'AccountProblem',
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);
const FULL = new Set(['QuotaExceeded', 'XMinioAdminBucketQuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage']);
const LATER = new Set([
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
]);
const NETWORK =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ENOTFOUND|EAI_AGAIN|E(HOST|NET)(UNREACH|DOWN)|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_SOCKET)$/;

export function readS3Failure(error: unknown): S3Failure {
  const name = textOf(error, 'name') || 'Error';
  const code = textOf(error, 'code');
  const status = statusOf(error);
  const message = `${name === 'Error' ? '' : `${name}: `}${messageOf(error)}${status === null ? '' : ` (status ${status})`}`;
  return { reason: reasonOf({ error, name, code, status }), message: message.slice(0, MESSAGE_CHARACTERS_MAX) };
}

/** A store may answer a page. */
const MESSAGE_CHARACTERS_MAX = 500;

interface Facts {
  readonly error: unknown;
  readonly name: string;
  readonly code: string;
  readonly status: number | null;
}

function reasonOf({ error, name, code, status }: Facts): S3Failure['reason'] {
  // AWS's client calls a broken connection a TimeoutError too.
  if (NETWORK.test(code) || messageOf(error) === 'aborted') return 'unreachable';
  if (error instanceof Stalled || name === 'TimeoutError' || name === 'AbortError' || code === 'ETIMEDOUT') return 'timeout';
  if (name === 'NoSuchKey' || name === 'NotFound') return 'missing';
  if (FULL.has(name) || status === 507) return 'full';
  if (DENIED.has(name) || status === 401 || status === 403) return 'denied';
  if (LATER.has(name)) return 'unreachable';
  return status !== null && (status >= 500 || status === 429 || status === 408) ? 'unreachable' : 'refused';
}

function textOf(error: unknown, key: 'name' | 'code'): string {
  const value = error instanceof Error ? (error as Error & { readonly code?: unknown })[key] : undefined;
  return typeof value === 'string' ? value : '';
}

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null;
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: unknown };
  return typeof httpStatusCode === 'number' ? httpStatusCode : null;
}
