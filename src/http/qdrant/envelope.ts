/** What answers of the dialect are wrapped in: `{"result": …, "status": "ok", "time": seconds}`. Must not know: what results are. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FoundPoint } from '../../engine/engine.js';
import type { AnswerWriter } from '../../wire/answer-writer.js';
import { sendValue } from '../answer.js';
import type { Room } from '../room.js';

/** Sends small plain data. */
export function sendResult(request: FastifyRequest, reply: FastifyReply, result: unknown): FastifyReply {
  return sendValue(request, reply, { result, status: 'ok', time: secondsOf(reply) });
}

/** Sends a result of any length. `write` writes it as one value and yields where the answer may be cut; `points` are those in it.
 *  @throws Overloaded (nothing was sent) */
export function sendLongResult(
  { answers }: Pick<Room, 'answers'>,
  request: FastifyRequest,
  reply: FastifyReply,
  points: Iterable<FoundPoint>,
  write: (out: AnswerWriter) => Generator<void>,
): FastifyReply {
  const seconds = secondsOf(reply);
  return answers.send(request, reply, points, function* (out) {
    out.openObject(3);
    out.key('result');
    yield* write(out);
    out.key('status');
    out.value('ok');
    out.key('time');
    out.number(seconds);
    out.closeObject();
  });
}

function secondsOf(reply: FastifyReply): number {
  return reply.elapsedTime / 1_000;
}
