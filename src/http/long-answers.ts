/** Answers of any length: written step by step; long ones go out in slices that leave room for other requests.
 *
 *  Who reads slowly keeps in memory what was found for him, so all long answers together have a bound in bytes. */

import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FoundPoint } from '../engine/engine.js';
import { pointBytes } from '../model/answer-budget.js';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { type AnswerWriter, answerWriter } from '../wire/answer-writer.js';
import { answerForm, CONTENT_TYPES } from './answer.js';

export class LongAnswers {
  readonly #sliceBytes: number;
  readonly #heldBytesMax: number;
  #heldBytes = 0;

  /** @param sliceBytes up to about this an answer is sent as a whole */
  constructor(sliceBytes: number, heldBytesMax: number = FIXED.answerBytesHeldMax) {
    this.#sliceBytes = sliceBytes;
    this.#heldBytesMax = heldBytesMax;
  }

  /** Bytes that wait for their readers. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Writes and sends. `write` yields where the answer may be cut; `points` are those in it. @throws Overloaded (nothing was sent) */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    points: Iterable<FoundPoint>,
    write: (out: AnswerWriter) => Generator<void>,
  ): FastifyReply {
    const form = answerForm(request);
    const out = answerWriter(form);
    const steps = write(out);
    if (fillSlice(out, steps, this.#sliceBytes)) {
      const bytes = out.take();
      if (bytes.length > FIXED.shortAnswerBytesMax) this.#hold(reply, bytes.length);
      return reply.header('content-type', CONTENT_TYPES[form]).send(bytes);
    }
    let bytes = out.length;
    for (const point of points) bytes += pointBytes(point);
    this.#hold(reply, bytes);
    return reply.header('content-type', CONTENT_TYPES[form]).send(Readable.from(slices(out, steps, this.#sliceBytes)));
  }

  /** Counts the bytes until the answer is out or its connection is gone. */
  #hold(reply: FastifyReply, bytes: number): void {
    if (this.#heldBytes + bytes > this.#heldBytesMax) {
      throw new SkeinError('Overloaded', 'Too many long answers are on their way out', { reason: 'answer_bytes' });
    }
    const { raw } = reply;
    const { socket } = reply.request.raw;
    // Answered by somebody else meanwhile, as with a timeout: nothing goes out.
    if (socket.destroyed || raw.writableEnded) return;
    this.#heldBytes += bytes;
    let open = true;
    const release = (): void => {
      if (open) this.#heldBytes -= bytes;
      open = false;
      raw.off('close', release);
      socket.off('close', release);
    };
    raw.once('close', release);
    // An answer that waits behind others of its connection is never told that the connection is gone.
    socket.once('close', release);
  }
}

/** True when the answer is written to its end. */
function fillSlice(out: AnswerWriter, steps: Generator<void>, sliceBytes: number): boolean {
  while (out.length < sliceBytes) if (steps.next().done === true) return true;
  return false;
}

async function* slices(out: AnswerWriter, steps: Generator<void>, sliceBytes: number): AsyncGenerator<Buffer> {
  for (let last = false; !last; ) {
    yield out.take();
    await turn();
    last = fillSlice(out, steps, sliceBytes);
  }
  yield out.take();
}
