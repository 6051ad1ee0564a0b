/** Query parameters and headers of requests, read by hand: few, and on every path. Unknown ones are refused like unknown fields. */

import type { FastifyRequest } from 'fastify';
import type { WaitLevel } from '../engine/engine.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED, type Limits } from '../model/limits.js';
import { decodeToken, type Position } from '../model/position.js';
import { majorityOf } from '../model/replication.js';
import { traceparentOf } from '../model/trace-context.js';
import { join, overLimit } from '../wire/place.js';
import type { Room } from './room.js';
import type { WriteConcernService } from './service.js';
import { callersTrace } from './tracing.js';

const WRITE_TIMEOUT_MS = 30_000;
const MAX_WAIT_MS = 1_000;
const NOT_MILLISECONDS = 'must be a count of milliseconds';

export interface WriteParameters {
  /** Nodes that must hold the write. */
  readonly required: number;
  readonly timeoutMs: number;
  readonly wait: WaitLevel;
  readonly idempotencyKey: string | null;
  readonly trace: string | null;
}

export interface Freshness {
  /** At least as new as this, or null. */
  readonly position: Position | null;
  readonly maxWaitMs: number;
  /** At most as old as this, or null. */
  readonly maxStalenessMs: number | null;
  readonly askedBy: FastifyRequest;
}

type Query = Readonly<Record<string, unknown>>;

/** The query of a request. @throws InvalidRequest naming a parameter that is not among `known` or is given twice */
export function queryOf(request: FastifyRequest, known: readonly string[]): Query {
  const query = request.query as Query;
  for (const name in query) {
    if (!known.includes(name)) throw invalidRequest(name, 'unknown query parameter');
    if (typeof query[name] !== 'string') throw invalidRequest(name, 'stands twice in the query');
  }
  return query;
}

export const WRITE_PARAMETERS = ['w', 'timeout_ms', 'wait', 'max_wait_ms'];
export const READ_PARAMETERS = ['max_wait_ms', 'max_staleness_ms'];

/** @throws InvalidRequest, WriteConcernImpossible */
export function writeParameters(request: FastifyRequest, { limits, times, service }: Room): WriteParameters {
  const query = queryOf(request, WRITE_PARAMETERS);
  const wait = query['wait'] ?? 'indexed';
  if (wait !== 'indexed' && wait !== 'durable') throw invalidRequest('wait', 'must be indexed or durable');
  return {
    required: requiredNodes(query['w'], service.writeConcern),
    timeoutMs: milliseconds(query['timeout_ms'], 'timeout_ms', times.cap(WRITE_TIMEOUT_MS), limits.waitMsMax),
    wait,
    ...writeHeaders(request),
  };
}

/** How long a write may take that does not say it itself, in milliseconds. */
export function ordinaryWriteMs({ limits, times }: Pick<Room, 'limits' | 'times'>): number {
  return Math.min(times.cap(WRITE_TIMEOUT_MS), limits.waitMsMax);
}

/** How long one unit may take of a write that has no end of its own, in milliseconds: no bound of requests counts for it. */
export function unitWriteMs({ waitMsMax }: Limits): number {
  return Math.min(WRITE_TIMEOUT_MS, waitMsMax);
}

/** What the headers of a write say. @throws InvalidRequest */
export function writeHeaders(request: FastifyRequest): Pick<WriteParameters, 'idempotencyKey' | 'trace'> {
  const trace = callersTrace(request);
  return { idempotencyKey: idempotencyKey(request), trace: trace === null ? null : traceparentOf(trace) };
}

function requiredNodes(w: unknown, concern: WriteConcernService): number {
  if (w === undefined) return concern.defaultRequired();
  const voters = concern.voters();
  if (w === 'majority') return majorityOf(voters);
  const count = integer(w);
  if (count === null || count < 1) throw invalidRequest('w', 'must be majority or a count of nodes from 1 on');
  if (count > voters && count > voters + concern.joining()) {
    throw new SkeinError('WriteConcernImpossible', `w=${count} asks for more nodes than the ${voters} there are`, {
      required: count,
      voters,
    });
  }
  return count;
}

function idempotencyKey(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || key === '' || key.length > FIXED.idempotencyKeyLengthMax) {
    throw invalidRequest('idempotency-key', `a text of 1 to ${FIXED.idempotencyKeyLengthMax} characters`);
  }
  return key;
}

/** What the body of a read says of freshness. */
export interface FreshnessFields {
  readonly min_position?: string;
  readonly max_wait_ms?: number;
  readonly max_staleness_ms?: number;
}

/** How new an answer must be: header or body field for the token, query or body field for the rest; null when nothing was asked.
 *  @param inside where the body stands in the whole: '' or such as `searches[2]` @throws InvalidRequest naming a malformed token */
export function freshness(
  request: FastifyRequest,
  query: Query,
  body: FreshnessFields,
  limits: Limits,
  inside = '',
): Freshness | null {
  const header = request.headers['x-skein-min-position'];
  const token = body.min_position ?? header;
  const inBody = body.max_wait_ms;
  checkWait(inBody, join(inside, 'max_wait_ms'), limits);
  const maxWaitMs = inBody ?? milliseconds(query['max_wait_ms'], 'max_wait_ms', MAX_WAIT_MS, limits.waitMsMax);
  const maxStalenessMs = body.max_staleness_ms ?? staleness(query['max_staleness_ms']);
  if (token === undefined)
    return maxStalenessMs === null ? null : { position: null, maxWaitMs, maxStalenessMs, askedBy: request };
  const path = body.min_position === undefined ? 'x-skein-min-position' : join(inside, 'min_position');
  if (typeof token !== 'string') throw invalidRequest(path, 'not a position token of this server');
  return { position: decodeToken(token, path), maxWaitMs, maxStalenessMs, askedBy: request };
}

/** @throws InvalidRequest when a body asks for a longer wait than there is */
export function checkWait(waitMs: number | undefined, path: string, { waitMsMax }: Limits): void {
  if (waitMs !== undefined && waitMs > waitMsMax) throw overLimit(path, 'milliseconds', waitMsMax);
}

function staleness(text: unknown): number | null {
  if (text === undefined) return null;
  const value = integer(text);
  if (value === null) throw invalidRequest('max_staleness_ms', NOT_MILLISECONDS);
  return value;
}

function milliseconds(text: unknown, name: string, otherwise: number, most: number): number {
  if (text === undefined) return Math.min(otherwise, most);
  const value = integer(text);
  if (value === null) throw invalidRequest(name, NOT_MILLISECONDS);
  if (value > most) throw overLimit(name, 'milliseconds', most);
  return value;
}

/** @returns null when the text is not a plain count */
function integer(text: unknown): number | null {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** true or false in a query. @throws InvalidRequest */
export function flag(query: Query, name: string, otherwise: boolean): boolean {
  const text = query[name];
  if (text === undefined) return otherwise;
  if (text !== 'true' && text !== 'false') throw invalidRequest(name, 'must be true or false');
  return text === 'true';
}
