/** What of the operation log is kept for backups: what is in none yet, up to the log's hard bound, and while the disk has room for it.
 *
 *  Invariant: backups that fail never cost the room of writes; what is let go then is in the next full backup, and never a hole.
 *  Must not know: when backups are made, how the log is pruned. */

import { statfs } from 'node:fs/promises';
import type { ReplicatedLog } from '../engine/engine.js';
import type { Listing } from './archive.js';
import { keepLogFrom, type Running, standingOf } from './standing.js';

export interface LogHoldParts {
  readonly dataDir: string;
  readonly limits: { readonly diskFreeBytesMin: number };
}

/** Over the watermark of writes by so much: pruning takes its time. */
const ROOM_FACTOR = 4;

export class LogHold {
  readonly #parts: LogHoldParts;
  #told: { readonly log: ReplicatedLog; readonly seq: number | null } | null = null;

  constructor(parts: LogHoldParts) {
    this.#parts = parts;
  }

  /** What the next increment begins with is kept. */
  keepFor(log: ReplicatedLog, listing: Listing): void {
    const running = runningOf(log);
    this.#keepFrom(log, keepLogFrom(standingOf(listing, running), running));
  }

  /** What the target holds is not known, and nobody has said yet from where on the log is needed: from its beginning. */
  keepWhole(log: ReplicatedLog): void {
    if (this.#told?.log !== log || this.#told.seq === null) this.#keepFrom(log, log.state().logMinSeq);
  }

  /** It goes as it would without backups. */
  letGo(log: ReplicatedLog): void {
    this.#keepFrom(log, null);
  }

  /** Does the disk of the data come near to where writes are refused? @throws Error when it cannot be asked */
  async isShortOfRoom(): Promise<boolean> {
    const { dataDir, limits } = this.#parts;
    const { bavail, bsize } = await statfs(dataDir);
    return bavail * bsize < limits.diskFreeBytesMin * ROOM_FACTOR;
  }

  #keepFrom(log: ReplicatedLog, seq: number | null): void {
    if (this.#told?.log === log && this.#told.seq === seq) return;
    log.keepFrom('backups', seq);
    this.#told = { log, seq };
  }
}

export function runningOf(log: ReplicatedLog): Running {
  const { seq, logMinSeq } = log.state();
  return { seq, logMinSeq, lineage: log.lineage() };
}
