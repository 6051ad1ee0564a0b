/** Rows of operations on points.
 *
 *    all forms read ─► one after the other, each durable ─► wait=true: searches show them, or the caller's time is over
 *
 *  Nothing is done before every form was read. What only its turn can tell (a point that is not there) ends the row, and the error says how far it
 *  came. The caller's timeout bounds the wait for searches alone, so that it leaves no row half done.
 *  Must not know: what the operations are. */

import type { Engine } from '../../engine/engine.js';
import { SkeinError } from '../../model/errors.js';
import { OwnCheck } from '../../wire/qdrant-parts.js';
import type { DialectOperation } from '../../wire/qdrant-points.js';
import { plainAsked } from '../asked.js';
import { ordinaryWriteMs } from '../parameters.js';
import type { Room } from '../room.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { preparedPlain } from './payload-writes.js';
import { preparedUpsert, preparedVectors, readPoints } from './point-writes.js';
import { type AskedWrite, beginPointUpdate, type PreparedWrite, type UpdateResult } from './update.js';

export function batchRoute(room: Room): DialectRoute {
  return {
    needs: 'write',
    master: true,
    timed: true,
    tag: 'points',
    method: 'POST',
    path: '/collections/:collection/points/batch',
    operationId: 'qdrantBatchUpdate',
    summary: 'Run operations on points one after the other, until one cannot be done',
    body: OwnCheck,
    // The engine, which sees what each operation is, refuses those for which there is no room.
    work: 'free',
    handle: async (request, reply) => {
      const asked = await beginPointUpdate(room, request, reply, 'batch');
      const operations = await readPoints(asked, request, 'qdrant_batch');
      plainAsked(request, { operations: operations.length });
      const prepared = operations.map((operation) => preparedOf(asked, operation));
      room.strict.more(asked.collection, 'write', operations.length - 1);
      const results: UpdateResult[] = [];
      for (const [i, run] of prepared.entries()) {
        // Each has the time of a write of its own.
        room.times.allow(request, ordinaryWriteMs(room));
        results.push(await inTurn(() => run(durably(asked), String(i)), i));
      }
      room.times.allow(request, ordinaryWriteMs(room));
      return sendResult(request, reply, await shown(asked, results));
    },
  };
}

function preparedOf(asked: AskedWrite, operation: DialectOperation): PreparedWrite {
  switch (operation.kind) {
    case 'upsert':
      return preparedUpsert(asked, operation, operation.path);
    case 'update_vectors':
      return preparedVectors(asked, operation, operation.path);
    default:
      return preparedPlain(asked, operation);
  }
}

/** The same write, that nobody waits for longer than until it is durable. */
function durably(asked: AskedWrite): AskedWrite {
  const { room, update } = asked;
  const timeoutMs = ordinaryWriteMs(room);
  const write = {
    ...update.write,
    parameters: { ...update.write.parameters, wait: 'durable', timeoutMs } as const,
    deadlineMs: room.clock.monotonicMs() + timeoutMs,
  };
  return { ...asked, update: { write, asked: { wait: false, timeoutMs: null } } };
}

/** @throws what `run` throws, with the place of the operation in its row */
async function inTurn(run: () => Promise<UpdateResult> | UpdateResult, operation: number): Promise<UpdateResult> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    throw new SkeinError(error.type, error.message, { ...error.details, operation }, error);
  }
}

/** All are durable. Indexes take them in their order, so who sees the last one sees all.
 *  @throws Timeout when the caller gave no time and searches do not show them within that of a write */
async function shown({ room, update, collection }: AskedWrite, results: readonly UpdateResult[]): Promise<UpdateResult[]> {
  const { write, asked } = update;
  const last = Math.max(0, ...results.map(({ operation_id: seq }) => seq));
  if (!asked.wait || results.length === 0) return [...results];
  const waitMs = asked.timeoutMs === null ? ordinaryWriteMs(room) : Math.max(0, write.deadlineMs - room.clock.monotonicMs());
  const shownSeq = await indexedUpTo(write.engine, collection, last, waitMs);
  if (shownSeq < last && asked.timeoutMs === null)
    throw new SkeinError('Timeout', 'All operations are durable; searches do not show them all yet', {
      state: 'durable',
      seq: last,
    });
  return results.map(({ operation_id: seq }) => ({
    operation_id: seq,
    status: seq <= shownSeq ? 'completed' : 'wait_timeout',
  }));
}

async function indexedUpTo(engine: Engine, collection: string, seq: number, waitMs: number): Promise<number> {
  try {
    await engine.waitFor({ ...engine.position(), seq }, 'indexed', collection, waitMs);
    return seq;
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    // Of a collection that has gone meanwhile nothing is to be waited for.
    if (error.type === 'CollectionNotFound') return seq;
    const { applied } = error.details;
    if (error.type !== 'IndexBehind' || typeof applied !== 'number') throw error;
    return applied;
  }
}
