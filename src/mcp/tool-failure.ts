/** What a caller is told when a tool fails: the error of the server with its type, or why there is none. Never a stack, never an address or a
 *  key of ours. The shape is that of the HTTP API: {"error": {type, message, details, retryable, request_id?}}. */

import { SkeinError } from '../model/errors.js';
import { SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from '../sdk/index.js';

const DETAILS_BYTES_MAX = 16 * 1024;

export interface ToolFailure {
  readonly type: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** May the same call succeed later? */
  readonly retryable: boolean;
  /** Leads to the server's log line. */
  readonly request_id?: string;
}

/** @returns null for what nobody expected: a defect of ours, for the log */
export function toolFailure(error: unknown): ToolFailure | null {
  if (error instanceof SkeinError) return { ...error.toRecord(), details: bounded(error.details), retryable: error.retryable };
  if (error instanceof SkeinApiError) {
    const { type, message, details, retryable, requestId } = error;
    return { type, message, details: bounded(details), retryable, ...(requestId !== null && { request_id: requestId }) };
  }
  if (error instanceof SkeinConnectionError) {
    const { code, maybeSent } = error;
    const message = `there is no connection to the server (${code})${maybeSent ? '; a write may have taken effect' : ''}`;
    return { type: 'SkeinConnectionError', message, details: { code, maybe_sent: maybeSent }, retryable: true };
  }
  if (error instanceof SkeinTimeoutError) {
    const { timeoutMs } = error;
    const message = `the server did not answer in ${timeoutMs} ms; a write may have taken effect`;
    return { type: 'SkeinTimeoutError', message, details: { timeout_ms: timeoutMs }, retryable: true };
  }
  return null;
}

function bounded(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const bytes = Buffer.byteLength(JSON.stringify(details));
  return bytes <= DETAILS_BYTES_MAX ? details : { details_left_out_bytes: bytes };
}
