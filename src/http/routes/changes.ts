/** The change feed over HTTP: what happened to the data, in the order of the log, for as long as somebody reads.
 *
 *  What is wrong with the request is an ordinary error answer; what ends a feed later is its last event. */

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SkeinError } from '../../model/errors.js';
import { ChangeBody, type ErrorBody } from '../../wire/http-bodies.js';
import { setPosition } from '../answer.js';
import { ChangeFeed } from '../changes/change-feed.js';
import { ChangesHeaders, ChangesQuery, wantedChanges } from '../changes/change-query.js';
import { eventStream } from '../changes/event-stream.js';
import { asSkeinError, errorBody } from '../error-reply.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import type { Recheck } from './import.js';

export const CHANGES_PATH = '/v1/changes';
const EVENT_STREAM = 'text/event-stream';
/** What is written and not taken by the connection. */
const WAITING_BYTES_MAX = 64 * 1024;
/** Whoever takes nothing for so long is gone, or will come back. */
const STALLED_MS = 60_000;
const STILL_THERE = ': still there?\n\n';
const ASK_AGAIN_MS = 200;

export function changesRoute(room: Room, recheck: Recheck): Route {
  return {
    method: 'GET',
    path: CHANGES_PATH,
    operationId: 'followChanges',
    needs: 'read',
    looksAtScope: true,
    summary: 'Follow the changes of points, collections and aliases, as Server-Sent Events or over a WebSocket',
    tag: 'points',
    work: 'read',
    query: ChangesQuery,
    headers: ChangesHeaders,
    answer: ChangeBody,
    answerTypes: [EVENT_STREAM],
    handle: (request, reply) => sendEvents(room, request, reply, recheck),
  };
}

async function sendEvents(room: Room, request: FastifyRequest, reply: FastifyReply, recheck: Recheck): Promise<FastifyReply> {
  const { changes } = room;
  const wanted = wantedChanges(request, room);
  const { collection, filter } = wanted.selection;
  if (collection !== null) {
    room.strict.begin(collection, 'read', undefined);
    room.strict.read(collection, filter === null ? {} : { filter });
  }
  changes.admit();
  const feed = new ChangeFeed({ room, request, wanted, recheck });
  const first = await feed.begin();
  const leave = changes.enter(feed, 'sse');
  let isGone = false;
  const { socket } = request.raw;
  // Who closes his half may read on or be gone, and TCP does not tell. Whoever is gone answers the first byte with a reset, and that is
  // noticed at the second.
  let again: NodeJS.Timeout | undefined;
  const ask = (): void => {
    reply.raw.write(STILL_THERE);
    again = setTimeout(() => reply.raw.write(STILL_THERE), ASK_AGAIN_MS);
  };
  socket.once('end', ask);
  const gone = (): void => {
    isGone = true;
    clearTimeout(again);
    socket.off('end', ask);
    feed.end(new SkeinError('Timeout', 'Nobody reads any more'));
    leave();
  };
  reply.raw.once('close', gone);
  // While the feed was begun.
  if (socket.destroyed) gone();
  const stream = eventStream({
    pages: feed.pages(first),
    heartbeatMs: room.limits.changeHeartbeatMs,
    monotonicMs: () => room.clock.monotonicMs(),
    countSent: (count) => changes.countSent(count),
    ended: (thrown) => (isGone ? null : lastWords(room, request, thrown)),
  });
  setPosition(reply, first.place.position);
  return reply
    .header('content-type', EVENT_STREAM)
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .header('x-skein-heartbeat-ms', room.limits.changeHeartbeatMs)
    .send(
      Readable.from(
        unlessStalled(stream, () => reply.raw.destroy()),
        { objectMode: false, highWaterMark: WAITING_BYTES_MAX },
      ),
    );
}

/** What ends a feed is an answer of its own: an error that is no fault of the reader is logged as any other. */
function lastWords({ log }: Room, request: FastifyRequest, thrown: unknown): ErrorBody {
  const error = asSkeinError(thrown);
  request.refusal = error.type;
  if (error.status === 500)
    log.error('change_feed_failed', { request_id: request.id, type: error.type, error: error.cause ?? error });
  return errorBody(error, request.id);
}

/** @param cut is called when a slice has not been taken for long */
async function* unlessStalled(slices: AsyncIterable<Buffer>, cut: () => void): AsyncGenerator<Buffer, void, undefined> {
  for await (const slice of slices) {
    const timer = setTimeout(cut, STALLED_MS);
    try {
      yield slice;
    } finally {
      clearTimeout(timer);
    }
  }
}
