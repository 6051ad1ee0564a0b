/** The change feed over HTTP: what happened to the data, in the order of the log, for as long as somebody reads.
 *
 *  What is wrong with the request is an ordinary error answer; what ends a feed later is its last event or message. */

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChangePage } from '../../engine/engine.js';
import { SkeinError } from '../../model/errors.js';
import { ChangeBody } from '../../wire/http-bodies.js';
import { POSITION_HEADER, setPosition, tokenOf } from '../answer.js';
import { ChangeFeed } from '../changes/change-feed.js';
import { ChangesHeaders, ChangesQuery, wantedChanges } from '../changes/change-query.js';
import { sendOver } from '../changes/change-socket.js';
import { eventStream } from '../changes/event-stream.js';
import { asSkeinError, errorBody } from '../error-reply.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { CHANGES_PATH } from '../upgrade.js';
import type { Recheck } from './import.js';

const EVENT_STREAM = 'text/event-stream';
const HEARTBEAT_HEADER = 'x-skein-heartbeat-ms';
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
    handle: async (request, reply) => {
      const begun = await begin(room, request, recheck);
      if (room.sockets.wants(request.raw)) return sendMessages(room, begun, request, reply);
      return sendEvents(room, begun, request, reply);
    },
  };
}

interface Begun {
  readonly feed: ChangeFeed;
  readonly first: ChangePage;
}

/** @throws whatever is wrong with the request, or keeps the feed from beginning */
async function begin(room: Room, request: FastifyRequest, recheck: Recheck): Promise<Begun> {
  const wanted = wantedChanges(request, room);
  const { collection, filter } = wanted.selection;
  if (collection !== null) {
    room.strict.begin(collection, 'read', undefined);
    room.strict.read(collection, filter === null ? {} : { filter });
  }
  room.changes.admit();
  const feed = new ChangeFeed({ room, request, wanted, recheck });
  return { feed, first: await feed.begin() };
}

/** What both carriers are given. @param isGone nobody reads any more */
function carried(room: Room, { feed, first }: Begun, request: FastifyRequest, isGone: () => boolean) {
  return {
    pages: feed.pages(first),
    heartbeatMs: room.limits.changeHeartbeatMs,
    monotonicMs: () => room.clock.monotonicMs(),
    countSent: (count: number) => room.changes.countSent(count),
    ended: (thrown: unknown) => (isGone() ? null : lastWords(room, request, thrown)),
  };
}

/** What ends a feed is an answer of its own: an error that is no fault of the reader is logged as any other. */
function lastWords({ log }: Room, request: FastifyRequest, thrown: unknown) {
  const error = asSkeinError(thrown);
  request.refusal = error.type;
  const about = { request_id: request.id, type: error.type };
  if (error.status === 500) log.error('change_feed_failed', { ...about, error: error.cause ?? error });
  return { status: error.status, body: errorBody(error, request.id) };
}

function nobody(): SkeinError {
  return new SkeinError('Timeout', 'Nobody reads any more');
}

function sendEvents(room: Room, begun: Begun, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { feed, first } = begun;
  const leave = room.changes.enter(feed, 'sse');
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
    feed.end(nobody());
    leave();
  };
  reply.raw.once('close', gone);
  // While the feed was begun.
  if (socket.destroyed) gone();
  const events = eventStream(carried(room, begun, request, () => isGone));
  setPosition(reply, first.place.position);
  return reply
    .header('content-type', EVENT_STREAM)
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .header(HEARTBEAT_HEADER, room.limits.changeHeartbeatMs)
    .send(
      Readable.from(
        unlessStalled(events, () => reply.raw.destroy()),
        { objectMode: false, highWaterMark: WAITING_BYTES_MAX },
      ),
    );
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

function sendMessages(room: Room, begun: Begun, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { feed, first } = begun;
  // While it was begun others may have come: what is refused now is still an ordinary answer.
  const leave = room.changes.enter(feed, 'websocket');
  reply.hijack();
  const headers = [
    `x-request-id: ${request.id}`,
    `${POSITION_HEADER}: ${tokenOf(first.place.position)}`,
    `${HEARTBEAT_HEADER}: ${room.limits.changeHeartbeatMs}`,
  ];
  const socket = room.sockets.accept(request.raw, reply.raw, headers);
  if (socket === null) {
    feed.end(nobody());
    leave();
    reply.raw.statusCode = 400;
    reply.raw.emit('finish');
    return reply;
  }
  let isGone = false;
  socket.on('error', () => socket.terminate());
  socket.once('close', () => {
    isGone = true;
    feed.end(nobody());
    leave();
    // The request has ended for those who count and log it.
    reply.raw.statusCode = 101;
    reply.raw.emit('finish');
  });
  void sendOver(socket, {
    ...carried(room, begun, request, () => isGone || socket.readyState !== socket.OPEN),
    stalledMs: STALLED_MS,
  });
  return reply;
}
