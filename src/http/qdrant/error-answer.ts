/** Errors as the dialect tells them: statuses and the form of messages are its own, `{"status": {"error": "…"}, "time": …}`; who may not come
 *  in at all reads plain text. Types that are not named below keep their status. Must not know: who throws. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorType, SkeinError } from '../../model/errors.js';
import { sendValue } from '../answer.js';
import type { MistakeKind } from './mistakes.js';

interface Told {
  readonly status: number;
  readonly text: string;
}

/** The JS client reads the first digit of Retry-After only. */
const RETRY_AFTER_SECONDS_MAX = 9;
const TEXT = 'text/plain; charset=utf-8';

const STATUSES: Partial<Record<ErrorType, number>> = {
  Timeout: 408,
  WriteConcernTimeout: 408,
  SearchUnavailable: 503,
};

const MISTAKES: Readonly<Record<MistakeKind, { readonly status: number; readonly tell: (message: string) => string }>> = {
  body_form: { status: 400, tell: (message) => `Format error in JSON body: ${message}` },
  query_form: { status: 400, tell: (message) => `Deserialize error in query parameters: ${message}` },
  body_range: { status: 422, tell: (message) => `Validation error in JSON body: [${message}]` },
  path_range: { status: 422, tell: (message) => `Validation error in path parameters: [${message}]` },
  meaning: { status: 400, tell: (message) => `Wrong input: ${message}` },
};

export function toldError(error: SkeinError): Told {
  const { status, text } = told(error);
  const { operation } = error.details;
  return typeof operation === 'number' ? { status, text: `${text} (${stoppedAt(operation)})` } : { status, text };
}

/** How far a row of operations came. */
function stoppedAt(operation: number): string {
  const before = operation === 0 ? 'none was done before it' : `the ${operation} before it are done and stay`;
  return `operations[${operation}]: ${before}, none was begun behind it`;
}

function told(error: SkeinError): Told {
  const status = STATUSES[error.type] ?? error.status;
  const { details, message } = error;
  switch (error.type) {
    case 'InvalidRequest': {
      const { status: told, tell } = MISTAKES[(details['mistake'] as MistakeKind | undefined) ?? 'meaning'];
      return { status: told, text: tell(message) };
    }
    case 'InvalidJson':
      return { status, text: `Format error in JSON body: ${message}` };
    case 'InvalidCollectionName':
      return { status: 422, text: `Validation error in path parameters: [name: ${message}]` };
    case 'DimensionMismatch':
      return { status, text: `Wrong input: ${dimensionMistake(details)}` };
    case 'CollectionNotFound':
      return { status, text: `Not found: ${named(details['collection'], message)}` };
    case 'PointNotFound':
      return {
        status,
        text: `Not found: ${details['id'] === undefined ? message : `Point with id ${String(details['id'])} does not exists!`}`,
      };
    case 'CollectionAlreadyExists':
      return { status, text: `Wrong input: ${taken(details, message)}` };
    default:
      return { status, text: `${prefixOf(error.type, status)}: ${message}` };
  }
}

function dimensionMistake({ expected, got, vector_name: name }: SkeinError['details']): string {
  const where = typeof name === 'string' && name !== '' ? ` for vector ${name}` : '';
  return `Vector dimension error: expected dim: ${String(expected ?? '1 to 65535')}, got ${String(got)}${where}`;
}

function named(collection: unknown, message: string): string {
  return typeof collection === 'string' ? `Collection \`${collection}\` doesn't exist!` : message;
}

function taken({ collection, alias_of: owner }: SkeinError['details'], message: string): string {
  return owner === undefined && typeof collection === 'string' ? `Collection \`${collection}\` already exists!` : message;
}

/** What stands in front of a message, by what it is about. */
function prefixOf(type: ErrorType, status: number): string {
  if (type === 'RateLimited') return 'Rate limiting exceeded';
  if (type === 'ReadOnly') return 'Storage locked';
  if (status === 403) return 'Forbidden';
  if (status === 404) return 'Not found';
  if (status === 408) return 'Timeout';
  if (status === 503) return 'Service unavailable';
  if (status === 507) return 'Insufficient storage';
  if (status >= 500) return 'Service internal error';
  if (status === 400 || status === 409) return 'Wrong input';
  return 'Bad request';
}

/** Headers of the error itself (Location, Retry-After and the like) are set. */
export function sendQdrantError(request: FastifyRequest, reply: FastifyReply, error: SkeinError): FastifyReply {
  const { status, text } = toldError(error);
  const retryAfter = reply.getHeader('retry-after');
  if (status === 429 && retryAfter !== undefined)
    reply.header('retry-after', String(Math.min(Number(retryAfter), RETRY_AFTER_SECONDS_MAX)));
  if (isRefusedEntry(error)) return reply.code(status).header('content-type', TEXT).send(error.message);
  return sendValue(request, reply, { status: { error: text }, time: reply.elapsedTime / 1_000 }, status);
}

/** Nobody knows who asks, or it is a page that may not; whoever is known and lacks a right is told in JSON. */
function isRefusedEntry({ type, details }: SkeinError): boolean {
  return type === 'Unauthorized' || (type === 'Forbidden' && !('key_role' in details));
}
