/** How long requests may take: each ordinary one has a deadline for all of it, its body included, and a cancellation when nobody
 *  waits for it any more, because the deadline passed or the caller has gone.
 *
 *    begun ── work ends ─► answered        begun ── deadline ─► 504 Timeout, cancelled        begun ── connection lost ─► cancelled
 *
 *  A request that asks for a longer wait itself has that, and a moment to tell how it ended; one whose work is long by its nature has none. The work of a write that is queued goes on: it
 *  says itself whether it may still happen. Must not know: routes, what is done. */

import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Cancellation } from '../model/cancellation.js';
import { SkeinError } from '../model/errors.js';

/** Whoever waits himself for so long as was asked for answers first, and says more. */
const GRACE_MS = 1_000;
/** Who closes his half of the connection may still read the answer, or may be gone: TCP does not tell. So long he is waited for. */
const HALF_CLOSED_MS = 2_000;
/** A silent connection is asked after so long whether anybody is there (TCP keep-alive); without an answer the system closes it some ten seconds later. */
const PROBED_AFTER_MS = 30_000;

interface OpenRequest {
  timer: NodeJS.Timeout | null;
  allowedMs: number;
  readonly startMs: number;
  readonly late: (error: SkeinError) => void;
  /** Made when somebody wants it. */
  cancellation: Cancellation | null;
  readonly reply: FastifyReply;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null for a request without a deadline of its own, and when it was answered. */
    open: OpenRequest | null;
  }
}

/** Before any request: so that all requests have one shape. */
export function addTimes(app: FastifyInstance): void {
  app.decorateRequest('open', null);
}

export class RequestTimes {
  readonly #timeoutMs: number;

  /** @param timeoutMs 0: no deadline; callers that have gone are noticed all the same */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Runs an ordinary request. @throws Timeout when its deadline comes first · as `handle` */
  async run(request: FastifyRequest, reply: FastifyReply, handle: () => Promise<FastifyReply> | FastifyReply): Promise<unknown> {
    let late: (error: SkeinError) => void = () => {};
    const tooLate = new Promise<never>((_, reject) => {
      late = reject;
    });
    const open: OpenRequest = {
      timer: null,
      allowedMs: this.#timeoutMs,
      startMs: performance.now(),
      late,
      cancellation: null,
      reply,
    };
    request.open = open;
    this.#arm(open);
    try {
      return await Promise.race([handle(), tooLate]);
    } finally {
      if (open.timer !== null) clearTimeout(open.timer);
      request.open = null;
    }
  }

  #arm(open: OpenRequest): void {
    if (this.#timeoutMs === 0) return;
    if (open.timer !== null) clearTimeout(open.timer);
    const leftMs = open.allowedMs - (performance.now() - open.startMs);
    open.timer = setTimeout(() => {
      // Who reads a long answer slowly has the clocks of his connection.
      if (open.reply.raw.headersSent) return;
      open.late(new SkeinError('Timeout', `The request took longer than ${open.allowedMs} ms`, { timeout_ms: open.allowedMs }));
      open.cancellation?.cancel();
    }, leftMs).unref();
  }

  /** What is left to a wait that the request did not ask for itself. */
  cap(waitMs: number): number {
    return this.#timeoutMs === 0 ? waitMs : Math.min(waitMs, this.#timeoutMs);
  }

  /** The request asks for so long a wait itself, from now on. */
  allow({ open }: FastifyRequest, waitMs: number | undefined): void {
    if (open === null || waitMs === undefined) return;
    const allowedMs = performance.now() - open.startMs + waitMs + GRACE_MS;
    if (allowedMs <= open.allowedMs) return;
    open.allowedMs = allowedMs;
    this.#arm(open);
  }

  /** The request says itself how long all of it may take, less or more than ordinary ones. */
  bound({ open }: FastifyRequest, waitMs: number): void {
    if (open === null) return;
    open.allowedMs = waitMs;
    this.#arm(open);
  }

  /** The request takes as long as it takes, and as its caller waits. */
  lift({ open }: FastifyRequest): void {
    if (open === null) return;
    open.allowedMs = Number.POSITIVE_INFINITY;
    if (open.timer !== null) clearTimeout(open.timer);
    open.timer = null;
  }

  /** Cancelled when nobody waits for the request any more. Undefined for a request without a deadline of its own (run). */
  cancellation({ open, raw }: FastifyRequest): Cancellation | undefined {
    if (open === null) return undefined;
    open.cancellation ??= cancelledWhenGone(raw.socket, open.reply);
    return open.cancellation;
  }
}

function cancelledWhenGone(socket: Socket, reply: FastifyReply): Cancellation {
  const cancellation = new Cancellation();
  let halfClosed: NodeJS.Timeout | undefined;
  const end = (): void => {
    halfClosed = setTimeout(() => cancellation.cancel(), HALF_CLOSED_MS);
  };
  if (socket.readableEnded) end();
  else socket.once('end', end);
  reply.raw.once('close', () => {
    clearTimeout(halfClosed);
    socket.off('end', end);
    if (!reply.raw.writableFinished) cancellation.cancel();
  });
  if (reply.raw.destroyed) cancellation.cancel();
  return cancellation;
}

/** However long it takes, with no byte in between: the clock of silent connections stands still meanwhile, and a caller whose machine is gone is
 *  noticed by probes. */
export async function patiently<T>({ raw }: FastifyRequest, work: Promise<T>): Promise<T> {
  const { socket } = raw;
  const before = socket.timeout ?? 0;
  socket.setTimeout(0);
  socket.setKeepAlive(true, PROBED_AFTER_MS);
  try {
    return await work;
  } finally {
    socket.setTimeout(before);
  }
}
