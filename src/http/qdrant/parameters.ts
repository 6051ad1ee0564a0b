/** Query parameters of the dialect: wait and ordering of writes, consistency of reads, timeout of both (docs/QDRANT.md).
 *
 *  One master orders all writes, so weak, medium and strong are one thing. Every node answers with what it has itself, so any consistency is
 *  taken; who must not read an older state sends x-skein-min-position or reads at the master. */

import type { FastifyRequest } from 'fastify';
import type { Engine, WaitLevel } from '../../engine/engine.js';
import type { Limits } from '../../model/limits.js';
import { beFresh } from '../fresh-reads.js';
import { freshness } from '../parameters.js';
import type { Room } from '../room.js';
import { queryMistake } from './mistakes.js';

const ORDERINGS = ['weak', 'medium', 'strong'];
const CONSISTENCIES = ['majority', 'quorum', 'all'];
const COUNT = /^[1-9]\d{0,8}$/;
const MS_PER_SECOND = 1_000;

type Query = Readonly<Record<string, string | undefined>>;

export interface DialectWrite {
  /** `wait=true`: until searches show it. Else the answer comes when the write is durable. */
  readonly wait: boolean;
  /** Null: none was given. */
  readonly timeoutMs: number | null;
}

/** @throws InvalidRequest (query_form) naming a parameter that the request does not have, or one that stands twice */
export function dialectQuery(request: FastifyRequest, known: readonly string[]): Query {
  const query = request.query as Readonly<Record<string, unknown>>;
  for (const name in query) {
    if (!known.includes(name)) throw queryMistake(name, 'unknown parameter');
    if (typeof query[name] !== 'string') throw queryMistake(name, 'stands twice');
  }
  return query as Query;
}

export function writeQuery(request: FastifyRequest, limits: Limits): DialectWrite {
  const query = dialectQuery(request, ['wait', 'ordering', 'timeout']);
  oneOf(query, 'ordering', ORDERINGS);
  return { wait: flag(query, 'wait'), timeoutMs: timeoutMs(query, limits) };
}

/** How the collections themselves are written: their changes are always waited for. */
export function collectionQuery(request: FastifyRequest, limits: Limits): DialectWrite {
  return { wait: true, timeoutMs: timeoutMs(dialectQuery(request, ['timeout', 'wait', 'ordering']), limits) };
}

/** @returns the timeout in milliseconds, or null when none was given */
export function readQuery(request: FastifyRequest, limits: Limits): number | null {
  const query = dialectQuery(request, ['consistency', 'timeout']);
  const { consistency } = query;
  if (consistency !== undefined && consistency !== '' && !COUNT.test(consistency)) oneOf(query, 'consistency', CONSISTENCIES);
  return timeoutMs(query, limits);
}

/** What every read of the dialect begins with: its parameters, its deadline, and a state that is new enough.
 *  @param collection null: only the store must be so new  @returns the timeout in milliseconds, or null when none was given
 *  @throws InvalidRequest, PositionLost, ReplicaBehind, IndexBehind */
export async function beginRead(
  room: Room,
  request: FastifyRequest,
  engine: Engine,
  collection: string | null,
): Promise<number | null> {
  const waitMs = readQuery(request, room.limits);
  if (waitMs !== null) room.times.bound(request, waitMs);
  const wanted = freshness(request, {}, {}, room.limits);
  await beFresh(room, engine, wanted, collection === null ? 'durable' : 'indexed', collection);
  return waitMs;
}

export function waitLevel({ wait }: DialectWrite): WaitLevel {
  return wait ? 'indexed' : 'durable';
}

function timeoutMs(query: Query, { waitMsMax }: Limits): number | null {
  const text = query['timeout'];
  if (text === undefined || text === '') return null;
  if (!COUNT.test(text)) throw queryMistake('timeout', 'must be a count of seconds from 1 on');
  return Math.min(Number(text) * MS_PER_SECOND, waitMsMax);
}

function flag(query: Query, name: string): boolean {
  const text = query[name];
  if (text === undefined || text === '') return false;
  if (text !== 'true' && text !== 'false') throw queryMistake(name, 'must be true or false');
  return text === 'true';
}

function oneOf(query: Query, name: string, values: readonly string[]): void {
  const text = query[name];
  if (text !== undefined && text !== '' && !values.includes(text))
    throw queryMistake(name, `must be one of ${values.join(', ')}`);
}
