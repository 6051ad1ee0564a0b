/** The route of imports: an NDJSON stream of points in, an NDJSON stream of progress out, the outcome as its last line.
 *
 *  The status is sent with the first progress, so what fails before anything was written is an ordinary error answer; after that
 *  an error is the last line. A key that was revoked or has expired meanwhile ends the import before its next chunk. Progress is dropped while the caller does not read; reading never waits on writing. */

import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Need } from '../../model/access-key.js';
import { SkeinError } from '../../model/errors.js';
import type { Limits } from '../../model/limits.js';
import { logOperation } from '../../model/log-operation.js';
import { ImportAnswer, UpsertBody } from '../../wire/http-bodies.js';
import { setPosition, tokenOf } from '../answer.js';
import { checkImportType, IMPORT_TYPES } from '../body-type.js';
import { asSkeinError, errorBody } from '../error-reply.js';
import { ByteSource } from '../import/byte-source.js';
import { ImportRun } from '../import/import-run.js';
import { WriteHeaders, WriteQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { traceIdOf } from '../tracing.js';
import { confirm, isIdempotent, startWrite, type WriteRequest, type Written, writeOptions } from '../writes.js';
import { collectionOf } from './collections.js';

const NDJSON = 'application/x-ndjson';

/** Is the key of a running request still good? @throws Unauthorized, Forbidden, RateLimited */
export type Recheck = (request: FastifyRequest, needs: Need) => Promise<void> | undefined;

export function importRoutes(room: Room, recheck: Recheck): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/collections/:collection/points/import',
      operationId: 'importPoints',
      needs: 'write',
      master: true,
      summary: 'Import points as NDJSON, one point a line; good lines go on where others fail',
      tag: 'points',
      work: 'write',
      query: WriteQuery,
      headers: WriteHeaders,
      body: UpsertBody.properties.points.items,
      bodyTypes: IMPORT_TYPES,
      answer: ImportAnswer,
      answerTypes: [NDJSON],
      handle: (request, reply) => runImport(room, request, reply, recheck),
    },
  ];
}

async function runImport(room: Room, request: FastifyRequest, reply: FastifyReply, recheck: Recheck): Promise<FastifyReply> {
  const name = collectionOf(request);
  const write = await startWrite(room, request, `import ${name}`);
  const collection = write.engine.collection(name);
  checkImportType(request.raw.headers);
  const answer = new ImportStream(reply);
  const run = new ImportRun({
    engine: write.engine,
    collection,
    limits: importLimits(room, name),
    bodies: room.bodies,
    hashed: isIdempotent(write),
    stillAllowed: () => recheck(request, 'write'),
    options: (hash, part) => {
      // Every chunk has the whole time: a long import is not a slow one. Waiting for the index comes once, at the end.
      // They are as many as there are, so they hang on the trace and are no spans here.
      const fresh: WriteRequest = {
        ...write,
        span: undefined,
        deadlineMs: room.clock.monotonicMs() + write.parameters.timeoutMs,
      };
      return { ...writeOptions(room, fresh, hash, part), wait: 'durable' };
    },
    onProgress: (state) => answer.progress(state),
  });
  const fields = { request_id: request.id, trace_id: traceIdOf(request) ?? undefined, collection: collection.name };
  try {
    await logOperation({ log: room.log, clock: room.clock, name: 'import', fields }, async (scope) => {
      try {
        await run.run(new ByteSource(request.raw, room.limits, room.clock));
        // An alias may stand for another collection by now.
        const written = await finish(room, reply, write, run, collection.name);
        answer.end({ ...written, failed: run.failed, failed_count: run.failedCount });
      } finally {
        scope.add({ lines: run.lines, imported: run.imported, failed_lines: run.failedCount });
      }
    });
  } catch (error) {
    if (!answer.started) throw error;
    const known = asSkeinError(error);
    request.refusal = known.type;
    answer.end(errorBody(known, request.id));
  }
  return reply;
}

/** A chunk is one write, and as large as the collection's strict mode lets it be. */
function importLimits({ limits, strict }: Room, collection: string): Limits {
  const pointsMax = strict.pointsMax(collection);
  return pointsMax === null ? limits : { ...limits, importChunkPoints: Math.min(limits.importChunkPoints, pointsMax) };
}

/** Waits for what the caller asked of the whole import. */
async function finish(
  room: Room,
  reply: FastifyReply,
  write: WriteRequest,
  run: ImportRun,
  collection: string,
): Promise<{ imported: number } & Pick<Written, 'position' | 'write_concern'>> {
  const { engine, parameters } = write;
  const last = run.receipt ?? { seq: 0, position: engine.position() };
  const end: WriteRequest = { ...write, deadlineMs: room.clock.monotonicMs() + parameters.timeoutMs };
  if (parameters.wait === 'indexed' && run.receipt !== null) {
    await engine.waitFor(last.position, 'indexed', collection, parameters.timeoutMs).catch((error: unknown) => {
      if (error instanceof SkeinError && error.type === 'IndexBehind') {
        throw new SkeinError('Timeout', 'The import is durable, its points are not all indexed yet', {
          position: tokenOf(last.position),
        });
      }
      throw error;
    });
  }
  const { position, write_concern } = await confirm(room, reply, end, last);
  return { imported: run.imported, position, write_concern };
}

/** The answer while it grows. */
class ImportStream {
  readonly #reply: FastifyReply;
  #out: PassThrough | null = null;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  get started(): boolean {
    return this.#out !== null;
  }

  progress(run: ImportRun): void {
    if (run.receipt === null) return;
    const out = this.#started(run);
    if (out.writableNeedDrain) return;
    const position = tokenOf(run.receipt.position);
    out.write(
      `${JSON.stringify({ progress: { lines: run.lines, imported: run.imported, failed_count: run.failedCount, position } })}\n`,
    );
  }

  end(line: object): void {
    const text = `${JSON.stringify(line)}\n`;
    if (this.#out === null) this.#reply.header('content-type', NDJSON).send(Buffer.from(text));
    else this.#out.end(text);
  }

  #started(run: ImportRun): PassThrough {
    if (this.#out !== null) return this.#out;
    const out = new PassThrough();
    // The caller may be gone; what it can no longer be told is dropped.
    out.on('error', () => {});
    if (run.receipt !== null) setPosition(this.#reply, run.receipt.position);
    this.#reply.header('content-type', NDJSON).send(out);
    this.#out = out;
    return out;
  }
}
