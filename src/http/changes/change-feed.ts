/** One change feed while it runs: page after page from the engine, as fast as they are taken.
 *
 *    begin ─► page ─► (taken) ─► still allowed, still fresh? ─► next page ─► …  until it is ended, or what it follows is gone or lost
 *
 *  Nothing is read ahead, so whoever takes slowly costs one page. An engine that is exchanged or busy for a moment is waited for.
 *  Must not know: how pages are sent. */

import type { FastifyRequest } from 'fastify';
import type { ChangePage } from '../../engine/engine.js';
import type { Need } from '../../model/access-key.js';
import { Cancellation } from '../../model/cancellation.js';
import type { ChangePlace } from '../../model/change-place.js';
import { SkeinError } from '../../model/errors.js';
import { beFresh } from '../fresh-reads.js';
import type { Room } from '../room.js';
import type { EndableFeed } from './change-feeds.js';
import type { WantedChanges } from './change-query.js';

/** A key that was revoked is noticed after so long, or with the next page or heartbeat. */
const RECHECK_MS = 1_000;
const PAUSE_MS = 100;

export interface ChangeFeedParts {
  readonly room: Room;
  readonly request: FastifyRequest;
  readonly wanted: WantedChanges;
  /** Is the key still good? @throws Unauthorized, Forbidden, RateLimited */
  readonly recheck: (request: FastifyRequest, needs: Need) => Promise<void> | undefined;
}

export class ChangeFeed implements EndableFeed {
  readonly #parts: ChangeFeedParts;
  readonly #cancellation = new Cancellation();
  #endReason: SkeinError | null = null;
  #checkedMs: number;

  constructor(parts: ChangeFeedParts) {
    this.#parts = parts;
    this.#checkedMs = parts.room.clock.monotonicMs();
  }

  /** @throws as ChangeLog.begin, beFresh */
  async begin(): Promise<ChangePage> {
    const { room, wanted } = this.#parts;
    const engine = room.service.engine();
    await beFresh(room, engine, wanted.freshness, 'durable', null);
    return engine.changes.begin(wanted.start, wanted.selection, wanted.reachMs);
  }

  /** Whoever takes pages sees the reason as what they throw. */
  end(reason: SkeinError): void {
    this.#endReason ??= reason;
    this.#cancellation.cancel();
  }

  /** Ends by throwing alone: why, is what is thrown. An empty page is a sign of life. */
  async *pages(first: ChangePage): AsyncGenerator<ChangePage, never, undefined> {
    for (let page = first; ; page = await this.#next(page.place)) yield page;
  }

  async #next(place: ChangePlace): Promise<ChangePage> {
    const { room, wanted } = this.#parts;
    for (;;) {
      this.#mustRun();
      try {
        const { changeHeartbeatMs } = room.limits;
        const page = await room.service.engine().changes.next(place, wanted.selection, changeHeartbeatMs, this.#cancellation);
        await this.#mayGoOn();
        return page;
      } catch (error) {
        this.#mustRun();
        if (!isMomentary(error)) throw error;
      }
      await this.#pause();
    }
  }

  #mustRun(): void {
    if (this.#endReason !== null) throw this.#endReason;
  }

  async #mayGoOn(): Promise<void> {
    const { room, request, wanted, recheck } = this.#parts;
    const nowMs = room.clock.monotonicMs();
    if (nowMs - this.#checkedMs >= RECHECK_MS) {
      this.#checkedMs = nowMs;
      await recheck(request, 'read');
    }
    if (wanted.freshness === null || wanted.freshness.maxStalenessMs === null) return;
    await beFresh(room, room.service.engine(), { ...wanted.freshness, position: null }, 'durable', null);
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const timer = setTimeout(() => done(), PAUSE_MS);
      const stopListening = this.#cancellation.onCancel(() => setImmediate(done));
    });
  }
}

/** The queue of the feeds is full, or the store is being exchanged for another. */
function isMomentary(error: unknown): boolean {
  return (
    error instanceof SkeinError && (error.type === 'Overloaded' || error.type === 'ShuttingDown' || error.type === 'Starting')
  );
}
