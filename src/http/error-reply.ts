/** Errors become answers here, once: the shape of docs/HTTP_API.md §2, in the form that the caller reads.
 *  Whatever is not typed is a defect: the log gets all of it, the caller gets `Internal` and the request id. */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { checkCollectionName } from '../model/collection.js';
import type { ErrorSink } from '../model/error-report.js';
import { type ErrorType, invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { ErrorBody } from '../wire/http-bodies.js';
import { sendValue } from './answer.js';
import { BODY_TYPES, unsupported } from './body-type.js';
import { sendQdrantError } from './qdrant/error-answer.js';
import { isDialectPath } from './qdrant/paths.js';
import { retryAfterSeconds } from './retry-after.js';
import type { RouteTable } from './route-table.js';
import { traceFields } from './tracing.js';

export function errorBody(error: SkeinError, requestId: string): ErrorBody {
  return {
    error: {
      type: error.type,
      message: error.message,
      details: { ...error.details },
      retryable: error.retryable,
      request_id: requestId,
    },
  };
}

/** Anything thrown, as a typed error. @param contentType what the request said its body is */
export function asSkeinError(thrown: unknown, contentType: string | null = null): SkeinError {
  if (thrown instanceof SkeinError) return thrown;
  const status = statusOf(thrown);
  const type = status === undefined ? undefined : FRAMEWORK[status];
  if (type === 'UnsupportedMediaType') return unsupported(contentType, BODY_TYPES);
  if (type !== undefined) return new SkeinError(type, STATUS_CODES[status as number] ?? type, {}, thrown);
  return new SkeinError('Internal', 'The server failed; the request id leads to its log line', {}, thrown);
}

/** What the web framework refuses by itself. */
const FRAMEWORK: Readonly<Record<number, ErrorType>> = {
  400: 'InvalidRequest',
  404: 'RouteNotFound',
  408: 'RequestTimeout',
  413: 'PayloadTooLarge',
  414: 'InvalidRequest',
  415: 'UnsupportedMediaType',
};

function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown) || !('code' in thrown)) return undefined;
  return typeof thrown.statusCode === 'number' && String(thrown.code).startsWith('FST_') ? thrown.statusCode : undefined;
}

/** Conflict: the request cannot be done in the state of this node. */
const NOT_REDIRECTED = 409;

/** Who is told of errors. */
export interface ErrorTold {
  readonly log: Log;
  readonly errors: ErrorSink;
  /** Is the Qdrant dialect served? */
  readonly dialect: boolean;
}

export function replyWithError(
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
  { log, errors, dialect }: ErrorTold,
): FastifyReply {
  const error = asSkeinError(thrown, request.headers['content-type']);
  request.refusal = error.type;
  const about = { request_id: request.id, ...traceFields(request), method: request.method };
  // What is logged with its error is counted there.
  if (error.status !== 500) errors.note(error, { ...about, route: request.routeOptions?.url ?? null });
  // What stands in a query may be nobody's business.
  else log.error('request_failed', { ...about, path: request.url.split('?')[0], type: error.type, error: error.cause ?? error });
  setErrorHeaders(request, reply, error);
  if (dialect && isDialectPath(request.url)) return sendQdrantError(request, reply, error);
  return sendValue(request, reply, errorBody(error, request.id), statusFor(request, error));
}

/** A page in a browser cannot read a redirect, neither where it leads nor that it was one; so who says that he follows none gets a plain refusal. */
function statusFor({ headers }: FastifyRequest, error: SkeinError): number {
  return error.type === 'NotMaster' && headers['x-skein-redirect'] === 'off' ? NOT_REDIRECTED : error.status;
}

function setErrorHeaders(request: FastifyRequest, reply: FastifyReply, error: SkeinError): void {
  const { details } = error;
  if (error.type === 'Unauthorized') reply.header('www-authenticate', 'Bearer');
  if (error.type === 'MethodNotAllowed') reply.header('allow', (details['allowed'] as string[]).join(', '));
  if (error.type === 'NotMaster' && typeof details['master_url'] === 'string') {
    reply.header('location', details['master_url'].replace(/\/$/, '') + request.url);
  }
  if (error.status === 429 || error.status === 503) reply.header('retry-after', retryAfterSeconds(error, Math.random()));
}

/** A path or method that no route has. A name of a collection or an alias in it that could never be right is named first; a path whose route and
 *  method exist came here because its percent signs do not make UTF-8. */
export function routeError(method: string, path: string, routes: RouteTable): SkeinError {
  const allowed = routes.methodsFor(path);
  const name = routes.nameIn(path);
  if (name !== null) {
    try {
      checkCollectionName(name);
    } catch (error) {
      if (error instanceof SkeinError) return error;
    }
  }
  if (allowed.includes(method)) return invalidRequest('', 'the path is not percent-encoded UTF-8');
  if (allowed.length === 0) return new SkeinError('RouteNotFound', `No route has the path ${path}`, { method, path });
  return new SkeinError('MethodNotAllowed', `${method} is not allowed for ${path}`, { method, path, allowed });
}

/** Answers bytes that are not HTTP, or too slow to become it, on the bare socket. */
export function refuseConnection(socket: Socket, code: string | undefined, requestId: string): void {
  const [status, type, message] =
    code === 'HPE_HEADER_OVERFLOW'
      ? ([431, 'InvalidRequest', 'The headers are too large'] as const)
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, 'RequestTimeout', 'The headers did not arrive in time'] as const)
        : ([400, 'InvalidRequest', 'This is not an HTTP/1.1 request'] as const);
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const details = type === 'InvalidRequest' ? { issues: [{ path: '', message }] } : {};
  endWithError(socket, new SkeinError(type, message, details), requestId, { status });
}

/** The last answer of a connection that is no longer HTTP, or never was. One that does not read it is cut off. */
export function endWithError(
  socket: Duplex,
  error: SkeinError,
  requestId: string,
  { status = error.status, headers = '' }: { readonly status?: number; readonly headers?: string } = {},
): void {
  const body = JSON.stringify(errorBody(error, requestId));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\n` +
      `${status === 503 ? `retry-after: ${retryAfterSeconds(error, Math.random())}\r\n` : ''}${headers}connection: close\r\n\r\n${body}`,
  );
  const cut = setTimeout(() => socket.destroy(), FIXED.refusedBodyDrainMs).unref();
  socket.once('close', () => clearTimeout(cut));
}
