/** What a call can end with beside an answer: an error of the server, no connection, or no time left.
 *  An aborted call throws the reason of its signal.
 *
 *  Of the errors of the server each type has a class, made from the one table of errors; a type that this client does not know yet is a
 *  plain SkeinApiError. Must not know: how bytes travel. */

import { ERRORS, type ErrorType } from '../model/errors.js';
import type { ErrorDetailsOf } from './error-details.js';

export interface ApiErrorParts {
  readonly type: string;
  readonly message: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
}

/** The server answered with an error. Types are those of docs/ERRORS.md; a newer server may have more. `errors` has a class for each. */
export class SkeinApiError extends Error {
  override readonly name: string = 'SkeinApiError';
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

/** An error of one type, with the details that it has. */
export interface ApiErrorOf<Type extends ErrorType> extends SkeinApiError {
  readonly type: Type;
  readonly details: ErrorDetailsOf<Type>;
}

export interface ApiErrorClass<Type extends ErrorType> {
  new (parts: ApiErrorParts): ApiErrorOf<Type>;
  readonly prototype: ApiErrorOf<Type>;
  /** Of the whole type; an error says of itself what holds for it. */
  readonly retryable: boolean;
}

/** A class for each type of error: `if (error instanceof errors.VersionConflict) …error.details.actual`. All are SkeinApiErrors. */
export const errors = Object.freeze(
  Object.fromEntries((Object.keys(ERRORS) as ErrorType[]).map((type) => [type, classOf(type)])),
) as unknown as { readonly [Type in ErrorType]: ApiErrorClass<Type> };

function classOf(type: ErrorType): unknown {
  const made = class extends SkeinApiError {
    static readonly retryable = ERRORS[type].retryable;
    override readonly name = type;
  };
  Object.defineProperty(made, 'name', { value: type });
  return made;
}

/** The error of its own class, where its type is one that this client knows. */
export function apiError(parts: ApiErrorParts): SkeinApiError {
  const { type } = parts;
  return Object.hasOwn(errors, type) ? new errors[type as ErrorType](parts) : new SkeinApiError(parts);
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
  return apiError({
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
