/** Answers: JSON or MessagePack as asked, with the position. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { encodeToken, type Position } from '../model/position.js';
import { encodeAnswer } from '../wire/answer-writer.js';
import type { BodyForm } from '../wire/body-reader.js';

export const POSITION_HEADER = 'x-skein-position';
export const CONTENT_TYPES = { json: 'application/json; charset=utf-8', msgpack: 'application/msgpack' } as const;

/** Weight 0 means: not this. */
const REFUSED = /msgpack\s*;\s*q=0(?:\.0*)?\s*(?:,|$)/;

/** What the caller wants to get. JSON unless MessagePack is named. */
export function answerForm(request: FastifyRequest): BodyForm {
  const { accept } = request.headers;
  return accept?.includes('msgpack') === true && !REFUSED.test(accept) ? 'msgpack' : 'json';
}

/** Sends small plain data as a whole. */
export function sendValue(request: FastifyRequest, reply: FastifyReply, value: unknown, status = 200): FastifyReply {
  const form = answerForm(request);
  return reply.code(status).header('content-type', CONTENT_TYPES[form]).send(encodeAnswer(form, value));
}

/** Sets the position header and gives the token, for answers that hold it too. */
export function setPosition(reply: FastifyReply, position: Position): string {
  const token = tokenOf(position);
  reply.header(POSITION_HEADER, token);
  return token;
}

let lastPosition: Position = { historyId: '', epoch: 0, seq: 0 };
let lastToken = '';

/** The position changes with writes only; reads in between share its text. */
export function tokenOf(position: Position): string {
  if (
    position.seq !== lastPosition.seq ||
    position.epoch !== lastPosition.epoch ||
    position.historyId !== lastPosition.historyId
  ) {
    lastToken = encodeToken(position);
    lastPosition = position;
  }
  return lastToken;
}
