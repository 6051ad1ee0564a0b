/** The way of every write: parameters, idempotency, the engine, the write concern, and what the answer says of them. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Engine, WriteOptions, WriteReceipt } from '../engine/engine.js';
import type { Cancellation } from '../model/cancellation.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Operation } from '../model/operation.js';
import { traceparentOf } from '../model/trace-context.js';
import { type Span, spanned } from '../model/tracer.js';
import { operationsHash, scopeHash } from '../wire/canonical-hash.js';
import { nameOf } from './access/principal.js';
import { setPosition, tokenOf } from './answer.js';
import { beFresh } from './fresh-reads.js';
import { type Freshness, freshness, queryOf, WRITE_PARAMETERS, type WriteParameters, writeParameters } from './parameters.js';
import type { Room } from './room.js';

/** A write that was asked for and not yet done. */
export interface WriteRequest {
  readonly engine: Engine;
  readonly parameters: WriteParameters;
  /** monotonicMs when the wait ends. */
  readonly deadlineMs: number;
  /** What the write is a part of. */
  readonly span: Span | undefined;
  /** Names what an idempotency key stands for: the route with its names filled in. */
  readonly scope: string;
  /** Whose idempotency keys they are; empty for all who are not told apart. */
  readonly caller: string;
  /** When nobody waits for it any more. */
  readonly cancellation: Cancellation | undefined;
}

/** What write answers end with. */
export interface Written {
  readonly seq: number;
  readonly position: string;
  readonly write_concern: { readonly required: number; readonly acknowledged: number };
}

/** A writer that has seen a lost branch of history is told so before anything is written on another one.
 *  @param scope method and path, decoded @throws Starting, InvalidRequest, WriteConcernImpossible, PositionLost, ReplicaBehind,
 *  Overloaded */
export async function startWrite(room: Room, request: FastifyRequest, scope: string): Promise<WriteRequest> {
  const engine = room.service.engine();
  const parameters = writeParameters(request, room);
  const wanted = freshness(request, queryOf(request, WRITE_PARAMETERS), {}, room.limits);
  return beginWrite(room, request, { engine, parameters, wanted, scope });
}

/** The same for parameters that were read elsewhere. @throws as startWrite, but for those of the parameters */
export async function beginWrite(
  room: Room,
  request: FastifyRequest,
  {
    engine,
    parameters,
    wanted,
    scope,
  }: Pick<WriteRequest, 'engine' | 'parameters' | 'scope'> & { readonly wanted: Freshness | null },
): Promise<WriteRequest> {
  room.times.allow(request, parameters.timeoutMs);
  const deadlineMs = room.clock.monotonicMs() + parameters.timeoutMs;
  await beFresh(room, engine, wanted, 'durable', null);
  await room.service.writeConcern.admit();
  const caller = callerOf(request);
  const { span } = request;
  const cancellation = room.times.cancellation(request);
  if (span === undefined) return { engine, parameters, deadlineMs, span, cancellation, scope, caller };
  return {
    engine,
    parameters: { ...parameters, trace: traceparentOf(span.context) },
    deadlineMs,
    span,
    cancellation,
    scope,
    caller,
  };
}

/** Who may be told what a key of idempotency stands for. A subject is a name that somebody else chose. */
function callerOf({ principal }: FastifyRequest): string {
  if (principal === null) return '';
  return principal.kind === 'token' ? nameOf(principal) : (principal.id ?? '');
}

/** Does this write need the hash of its body? */
export function isIdempotent(write: WriteRequest): boolean {
  return write.parameters.idempotencyKey !== null;
}

export function writeOptions(room: Room, write: WriteRequest, hash: Uint8Array | null, part = ''): WriteOptions {
  const { parameters } = write;
  const key = parameters.idempotencyKey;
  return {
    wait: parameters.wait,
    timeoutMs: Math.max(0, write.deadlineMs - room.clock.monotonicMs()),
    ...(key !== null && hash !== null
      ? {
          idempotency: { scope: scopeHash([key, write.scope, part, ...(write.caller === '' ? [] : [write.caller])]), body: hash },
        }
      : {}),
    ...(write.cancellation !== undefined && { cancellation: write.cancellation }),
    ...(parameters.trace === null ? {} : { trace: parameters.trace }),
    ...(write.span === undefined ? {} : { span: write.span }),
  };
}

/** Writes one unit. @param refused what the reader of the body had against it; it names the place, which the writer does not know
 *  @throws as Engine.write */
export async function writeUnit(
  room: Room,
  write: WriteRequest,
  operations: readonly Operation[],
  hash: Uint8Array | null,
  refused: ErrorRecord | null = null,
): Promise<WriteReceipt> {
  try {
    return await write.engine.write(operations, writeOptions(room, write, hash));
  } catch (error) {
    throw error instanceof SkeinError && error.type === refused?.type ? SkeinError.fromRecord(refused) : error;
  }
}

/** Writes one operation that came in a plain body or in none. @throws as writeUnit */
export async function writeOperation(room: Room, write: WriteRequest, operation: Operation): Promise<WriteReceipt> {
  const operations = [operation];
  return writeUnit(room, write, operations, isIdempotent(write) ? operationsHash(operations) : null);
}

/** Waits for the write concern and sets the position header. @throws WriteConcernTimeout */
export async function confirm(
  room: Room,
  reply: FastifyReply,
  write: WriteRequest,
  receipt: Pick<WriteReceipt, 'seq' | 'position'>,
): Promise<Written> {
  const { required } = write.parameters;
  const { writeConcern } = room.service;
  const position = setPosition(reply, receipt.position);
  const waitMs = Math.max(0, write.deadlineMs - room.clock.monotonicMs());
  const acknowledged = required > 1 ? await replicas(write, () => writeConcern.wait(receipt.seq, required, waitMs)) : 1;
  if (acknowledged >= required && writeConcern.mayAcknowledge())
    return { seq: receipt.seq, position, write_concern: { required, acknowledged } };
  const known = { required, acknowledged, position };
  if (acknowledged >= required)
    throw new SkeinError('WriteConcernTimeout', 'The write is durable here, and this node is not the master any more', known);
  throw new SkeinError(
    'WriteConcernTimeout',
    `The write is durable here; ${acknowledged} of ${required} nodes have confirmed it`,
    known,
  );
}

/** As confirm, for what the caller must have whether the nodes have confirmed it or not: a secret that is shown once.
 *  @returns confirmed: false where confirm throws WriteConcernTimeout */
export async function confirmIfPossible(
  room: Room,
  reply: FastifyReply,
  write: WriteRequest,
  receipt: Pick<WriteReceipt, 'seq' | 'position'>,
): Promise<Written & { readonly confirmed: boolean }> {
  try {
    return { ...(await confirm(room, reply, write, receipt)), confirmed: true };
  } catch (error) {
    if (!(error instanceof SkeinError && error.type === 'WriteConcernTimeout')) throw error;
    const { required, acknowledged } = error.details as Written['write_concern'];
    return { seq: receipt.seq, position: tokenOf(receipt.position), write_concern: { required, acknowledged }, confirmed: false };
  }
}

function replicas({ span, parameters }: WriteRequest, wait: () => Promise<number>): Promise<number> {
  return spanned(span, 'replicas', async (own) => {
    const acknowledged = await wait();
    own?.set({ 'skein.required': parameters.required, 'skein.acknowledged': acknowledged });
    return acknowledged;
  });
}
