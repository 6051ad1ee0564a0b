/** A load of writes that goes on through faults, each write in a ledger. Must not know: which node is the master, but asks for it each time. */

import type { Asked, WriteLedger } from './write-ledger.js';

export interface LoadOptions {
  readonly ledger: WriteLedger;
  /** Default 4. */
  readonly writers?: number;
  /** All writers together; default as fast as they can. */
  readonly pointsPerSecond?: number;
  /** Asked before every write; the load ends when it says yes. Default: only stop() ends it. */
  readonly until?: () => boolean;
}

export interface LoadResult {
  readonly tried: number;
  readonly acknowledged: number;
  /** Acknowledged writes a second: a test holds it to a minimum, as a dead cluster looks consistent. */
  readonly perSecond: number;
}

export interface Load {
  readonly ended: Promise<LoadResult>;
  /** Lets the writes under way end. */
  stop(): Promise<LoadResult>;
}

/** After a write that failed, so that a node that refuses everything is not drowned. */
const PAUSE_MS = 20;
/** A load that was held up this long does not make up for it. */
const MAKE_UP_MS = 1_000;

/** Writes to whichever node `target` names at the moment. A point whose last write is uncertain is not written again.
 *  The collections of the ledger must be there. */
export function startLoad(target: () => Asked, { ledger, writers = 4, pointsPerSecond, until = () => false }: LoadOptions): Load {
  if (ledger.ids < writers) throw new Error(`${writers} writers need a point each, and there are ${ledger.ids}`);
  let stopped = false;
  const before = { tried: ledger.tried, acknowledged: ledger.acknowledged };
  const beginMs = performance.now();
  const pace = pointsPerSecond === undefined ? () => Promise.resolve() : paced(1_000 / pointsPerSecond);
  let fresh = ledger.ids;
  const run = async (writer: number): Promise<void> => {
    const own = Array.from({ length: Math.floor(ledger.ids / writers) }, (_, index) => writer + writers * index);
    for (let turn = 0; ; turn++) {
      await pace();
      if (stopped || until()) return;
      const slot = turn % own.length;
      if (ledger.isUncertain(own[slot] as number)) own[slot] = fresh++;
      const outcome = await ledger.write(target(), own[slot] as number);
      if (outcome !== 'acknowledged') await pause(PAUSE_MS);
    }
  };
  const ended = Promise.all(Array.from({ length: writers }, (_, writer) => run(writer))).then((): LoadResult => {
    const acknowledged = ledger.acknowledged - before.acknowledged;
    const perSecond = (acknowledged * 1_000) / (performance.now() - beginMs);
    return { tried: ledger.tried - before.tried, acknowledged, perSecond };
  });
  return {
    ended,
    stop: () => {
      stopped = true;
      return ended;
    },
  };
}

/** @returns resolves when the next write is due; the writers share one timetable */
function paced(stepMs: number): () => Promise<void> {
  let dueMs = performance.now();
  return async () => {
    const nowMs = performance.now();
    dueMs = Math.max(dueMs + stepMs, nowMs - MAKE_UP_MS);
    if (dueMs > nowMs) await pause(dueMs - nowMs);
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
