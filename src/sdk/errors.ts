/** What a call can end with beside an answer: an error of the server, no connection, or no time left.
 *  An aborted call throws the reason of its signal. Must not know: how bytes travel. */

import type { ErrorType } from '../model/errors.js';

export interface ApiErrorParts {
  readonly type: string;
  readonly message: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
}

/** The server answered with an error. Types are those of docs/ERRORS.md; a newer server may have more. */
export class SkeinApiError extends Error {
  override readonly name = 'SkeinApiError';
  readonly type: ErrorType | (string & {});
  readonly status: number;
  /** As on the wire (snake_case), as docs/ERRORS.md names them. */
  readonly details: Readonly<Record<string, unknown>>;
  /** May the same request succeed later? */
  readonly retryable: boolean;
  /** Leads to the server's log line. */
  readonly requestId: string | null;
  /** When the server asked to come back, in milliseconds from its answer. */
  readonly retryAfterMs: number | null;

  constructor(parts: ApiErrorParts) {
    super(parts.message);
    this.type = parts.type;
    this.status = parts.status;
    this.details = parts.details;
    this.retryable = parts.retryable;
    this.requestId = parts.requestId;
    this.retryAfterMs = parts.retryAfterMs;
  }
}

/** No whole answer came: refused, reset, unknown host, or an answer that is not HTTP. */
export class SkeinConnectionError extends Error {
  override readonly name = 'SkeinConnectionError';
  /** Such as ECONNREFUSED, ECONNRESET, ENOTFOUND. */
  readonly code: string;
  readonly url: string;
  /** False when it is certain that the server saw nothing of the request. */
  readonly maybeSent: boolean;

  constructor(
    message: string,
    parts: { readonly code: string; readonly url: string; readonly maybeSent: boolean; readonly cause?: unknown },
  ) {
    super(message, { cause: parts.cause });
    this.code = parts.code;
    this.url = parts.url;
    this.maybeSent = parts.maybeSent;
  }
}

/** The call took longer than its timeoutMs. A write may still take effect. */
export class SkeinTimeoutError extends Error {
  override readonly name = 'SkeinTimeoutError';
  readonly timeoutMs: number;
  /** What the last attempt met, when there was one. */
  readonly lastError: unknown;

  constructor(what: string, timeoutMs: number, lastError: unknown) {
    const last = lastError instanceof Error ? `; last: ${lastError.message}` : '';
    super(`${what} took longer than ${timeoutMs} ms${last}`);
    this.timeoutMs = timeoutMs;
    this.lastError = lastError;
  }
}

/** Reads the error out of an answer that is not a success; an answer that no Skein server wrote becomes type `UnknownAnswer`. */
export function apiErrorFrom(status: number, body: unknown, headers: Readonly<Record<string, string>>): SkeinApiError {
  const record = recordOf(recordOf(body)['error']);
  const details = recordOf(record['details']);
  const known = typeof record['type'] === 'string' && typeof record['message'] === 'string';
  return new SkeinApiError({
    type: known ? String(record['type']) : 'UnknownAnswer',
    message: known ? String(record['message']) : `the server answered ${status} without an error that this client can read`,
    status,
    details,
    retryable: known ? record['retryable'] === true : status === 502 || status === 503 || status === 504,
    requestId: typeof record['request_id'] === 'string' ? record['request_id'] : (headers['x-request-id'] ?? null),
    retryAfterMs: retryAfterOf(details['retry_after_ms'], headers['retry-after']),
  });
}

function retryAfterOf(detail: unknown, header: string | undefined): number | null {
  if (typeof detail === 'number' && detail >= 0) return detail;
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
