/** A change feed as Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
 *
 *    retry: 1000                                 how soon to come back, said once
 *    id: <token> / data: {…}                     a change
 *    : heartbeat / id: <token>                   nothing for a while: the place has moved on all the same
 *    event: error / data: {"error": {…}}         the last, with the reason
 *
 *  An event without data is not dispatched, but its id counts, so that a reader of nothing still comes back to where it was.
 *  Must not know: requests, who reads. */

import { setImmediate as turn } from 'node:timers/promises';
import type { ChangePage } from '../../engine/engine.js';
import { encodeChangeToken } from '../../model/change-place.js';
import { framedWriter } from '../../wire/answer-writer.js';
import type { ErrorBody } from '../../wire/http-bodies.js';
import { writeServerEvent } from './change-writer.js';

const RETRY_MS = 1_000;
const SLICE_BYTES = 64 * 1024;

export interface EventStreamParts {
  readonly pages: AsyncIterable<ChangePage>;
  /** The place is told at least so often. */
  readonly heartbeatMs: number;
  readonly monotonicMs: () => number;
  readonly countSent: (changes: number) => void;
  /** Why the pages ended, as its reader is told; null: nobody reads any more. */
  readonly ended: (error: unknown) => { readonly body: ErrorBody } | null;
}

/** Slices of about 64 KiB, made as they are taken. */
export async function* eventStream(parts: EventStreamParts): AsyncGenerator<Buffer, void, undefined> {
  const out = framedWriter();
  out.frame(`retry: ${RETRY_MS}\n\n`);
  let toldMs = Number.NEGATIVE_INFINITY;
  try {
    for await (const { changes, place } of parts.pages) {
      let count = 0;
      for (const change of changes) {
        writeServerEvent(out, change);
        count += 1;
        if (out.length < SLICE_BYTES) continue;
        yield out.take();
        await turn();
      }
      parts.countSent(count);
      const nowMs = parts.monotonicMs();
      if (count > 0) toldMs = nowMs;
      else if (nowMs - toldMs >= parts.heartbeatMs) {
        out.frame(`: heartbeat\nid: ${encodeChangeToken(place)}\n\n`);
        toldMs = nowMs;
      }
      if (out.length > 0) yield out.take();
    }
  } catch (error) {
    const end = parts.ended(error);
    if (end !== null) yield Buffer.from(`event: error\ndata: ${JSON.stringify(end.body)}\n\n`);
  }
}
