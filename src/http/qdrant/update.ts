/** Writes of the dialect: the way of every write here (http/writes.ts), with the dialect's parameters and its answer
 *  `{operation_id, status}`.
 *
 *  completed: searches show it. acknowledged: it is durable. wait_timeout: it is durable, and the time that the caller gave was over
 *  before searches showed it. Must not know: bodies. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WriteOptions, WriteReceipt } from '../../engine/engine.js';
import { SkeinError } from '../../model/errors.js';
import type { Operation } from '../../model/operation.js';
import { operationsHash, scopeHash } from '../../wire/canonical-hash.js';
import { setPosition } from '../answer.js';
import { freshness, ordinaryWriteMs, unitWriteMs, writeHeaders } from '../parameters.js';
import { patiently } from '../request-times.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { beginWrite, confirm, isIdempotent, type WriteRequest, writeOptions } from '../writes.js';
import { collectionQuery, type DialectWrite, waitLevel, writeQuery } from './parameters.js';

export interface UpdateResult {
  readonly operation_id: number;
  readonly status: 'acknowledged' | 'completed' | 'wait_timeout';
}

/** A write that was asked for and not yet done. */
export interface Update {
  readonly write: WriteRequest;
  readonly asked: DialectWrite;
}

/** @param scope names what an idempotency key stands for: the route with its names filled in @throws as startWrite */
export function beginUpdate(room: Room, request: FastifyRequest, scope: string): Promise<Update> {
  return begin(room, request, scope, writeQuery(request, room.limits));
}

/** The same for a change of the collections themselves, which is always waited for. */
export function beginCollectionUpdate(room: Room, request: FastifyRequest, scope: string): Promise<Update> {
  return begin(room, request, scope, collectionQuery(request, room.limits));
}

async function begin(room: Room, request: FastifyRequest, scope: string, asked: DialectWrite): Promise<Update> {
  const engine = room.service.engine();
  const parameters = {
    required: room.service.writeConcern.defaultRequired(),
    timeoutMs: asked.timeoutMs ?? ordinaryWriteMs(room),
    wait: waitLevel(asked),
    ...writeHeaders(request),
  };
  const wanted = freshness(request, {}, {}, room.limits);
  return { write: await beginWrite(room, request, { engine, parameters, wanted, scope: `qdrant ${scope}` }), asked };
}

/** A write of points that was asked for: whatever its operations need. */
export interface AskedWrite {
  readonly room: Room;
  readonly reply: FastifyReply;
  readonly update: Update;
  readonly collection: string;
}

/** A write whose form was read: what it asks for is done when it is called. @param part which of a row it is, for idempotency keys */
export type PreparedWrite = (asked: AskedWrite, part: string) => Promise<UpdateResult> | UpdateResult;

/** @param what of the route, for idempotency keys @throws as beginUpdate */
export async function beginPointUpdate(
  room: Room,
  request: FastifyRequest,
  reply: FastifyReply,
  what: string,
): Promise<AskedWrite> {
  const collection = collectionOf(request);
  return { room, reply, collection, update: await beginUpdate(room, request, `${what} ${collection}`) };
}

/** The answer to a write of no points. @throws CollectionNotFound */
export function nothingToDo({ update: { write, asked }, reply, collection }: AskedWrite): UpdateResult {
  write.engine.collection(collection);
  const position = write.engine.position();
  setPosition(reply, position);
  return { operation_id: position.seq, status: asked.wait ? 'completed' : 'acknowledged' };
}

/** One unit of operations, and what came of it. @param told what it is, for whoever repeats it with the same idempotency key @throws as Engine.write · WriteConcernTimeout */
export function runUpdate(
  room: Room,
  reply: FastifyReply,
  update: Update,
  operations: readonly Operation[],
  part = '',
  told = operations,
): Promise<UpdateResult> {
  const { write } = update;
  const hash = isIdempotent(write) ? operationsHash(told) : null;
  return settle(room, reply, update, () => write.engine.write(operations, writeOptions(room, write, hash, part)));
}

/** What the engine does in units of its own, nobody knows how many. A timeout is for all of them; without one each has the time of a write, and all
 *  together as long as the caller waits. @param told what it is, for whoever repeats it with the same idempotency key */
export function runUnits(
  room: Room,
  reply: FastifyReply,
  update: Update,
  told: readonly string[],
  part: string,
  run: (options: WriteOptions) => Promise<WriteReceipt>,
): Promise<UpdateResult> {
  const { write, asked } = update;
  const hash = isIdempotent(write) ? scopeHash([...told]) : null;
  if (asked.timeoutMs !== null) return settle(room, reply, update, () => run(writeOptions(room, write, hash, part)));
  room.times.lift(reply.request);
  const anew = (): WriteRequest => ({ ...write, deadlineMs: room.clock.monotonicMs() + unitWriteMs(room.limits) });
  const options: WriteOptions = { ...writeOptions(room, anew(), hash, part), eachUnitAnew: true };
  const work = settle(room, reply, update, () => run(options), anew);
  return patiently(reply.request, work);
}

async function settle(
  room: Room,
  reply: FastifyReply,
  { write, asked }: Update,
  run: () => Promise<WriteReceipt>,
  confirmed: () => WriteRequest = () => write,
): Promise<UpdateResult> {
  try {
    const receipt = await run();
    await confirm(room, reply, confirmed(), receipt);
    return { operation_id: receipt.seq, status: asked.wait ? 'completed' : 'acknowledged' };
  } catch (error) {
    const seq = asked.timeoutMs === null ? null : durableSeq(error);
    if (seq === null) throw error;
    setPosition(reply, write.engine.position());
    return { operation_id: seq, status: 'wait_timeout' };
  }
}

/** Of a write that is durable and not yet in its index; null for all else. */
function durableSeq(error: unknown): number | null {
  if (!(error instanceof SkeinError) || error.type !== 'Timeout' || error.details['state'] !== 'durable') return null;
  const { seq } = error.details;
  return typeof seq === 'number' ? seq : null;
}
