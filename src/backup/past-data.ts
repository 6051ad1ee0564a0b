/** What the backups still have of rows that are damaged here: points out of the newest state that they hold, entries out of their increments.
 *
 *    first point asked for ─► newest state restored beside the data ─► points read from it ─► removed a minute after the last
 *
 *  What comes from here is checked and not proven: whoever writes it proves it. Must not know: what is damaged, how it is repaired. */

import type { ReplicatedLog } from '../engine/engine.js';
import { type RestoredPoints, restoredPoints } from '../engine/restored-store.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { PointVersion } from '../model/point.js';
import type { Archive } from './archive.js';
import type { BackupHead, IncrementHead } from './head.js';
import { runningOf } from './log-hold.js';
import { entriesOf, type PreparedRestore } from './restoring.js';
import { readSegment } from './segment.js';
import { isOn } from './standing.js';

export interface PastDataParts {
  readonly clock: Clock;
  /** Restores the newest state beside the data; its database is closed. @throws as planRestore, prepareRestore */
  prepare(): Promise<Pick<PreparedRestore, 'storePath' | 'discard'>>;
  /** @throws BackupsOff · BackupTargetFailed */
  known(): Promise<{ readonly archive: Archive; readonly backups: readonly BackupHead[]; readonly log: ReplicatedLog }>;
}

interface Held {
  readonly points: RestoredPoints;
  readonly preparedAtMs: number;
  discard(): Promise<void>;
}

/** After the last point that was asked for. */
const KEPT_MS = 60_000;
/** A restore is dear: one that failed, or did not reach far enough, is not made again sooner. */
const AGAIN_MS = 10_000;

export class PastData {
  readonly #parts: PastDataParts;
  readonly #keptMs: number;
  #held: Held | null = null;
  #failure: { readonly error: unknown; readonly atMs: number } | null = null;
  #idle: NodeJS.Timeout | null = null;
  /** One question after the other: they share the store. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: PastDataParts, keptMs = KEPT_MS) {
    this.#parts = parts;
    this.#keptMs = keptMs;
  }

  /** A point in the form of compare.ts; null: the backups do not have it in this version. Cost: the first one takes a whole restore.
   *  @throws BackupNotFound, BackupDamaged, BackupTargetFailed, DiskLimitExceeded · CorruptData · ShuttingDown */
  point(asked: PointVersion): Promise<Uint8Array | null> {
    return this.#inTurn(async () => {
      this.#endWaiting();
      try {
        return (await this.#reaching(asked.version)).points.value(asked);
      } finally {
        this.#idle = setTimeout(() => void this.#inTurn(() => this.#letGo()), this.#keptMs).unref();
      }
    });
  }

  /** Entries of the log that is followed here, without a gap; null: the backups do not have all of them.
   *  @throws RangeError beyond so many bytes · BackupsOff · BackupTargetFailed, BackupDamaged */
  async entries(fromSeq: number, count: number, bytesMax: number): Promise<Uint8Array[] | null> {
    const { archive, backups, log } = await this.#parts.known();
    const running = runningOf(log);
    const isHolding = (head: BackupHead): head is IncrementHead =>
      head.kind === 'incremental' && head.fromSeq < fromSeq + count && head.end.seq >= fromSeq && isOn(running, head.end);
    const found = new Map<number, Uint8Array>();
    for (const head of backups.filter(isHolding)) {
      await archive.fetch(() => collect(archive, head, { fromSeq, count, bytesMax }, found));
      if (found.size === count) return Array.from({ length: count }, (_, i) => found.get(fromSeq + i) as Uint8Array);
    }
    return null;
  }

  /** Removes what was restored. What is being prepared must have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    this.#endWaiting();
    await this.#letGo();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      if (this.#closed) throw new SkeinError('ShuttingDown', 'The server is stopping');
      return work();
    });
    // One that nobody waits for, the removal after a while, may fail as well: the next start removes what is left.
    this.#last = result.catch(() => {});
    return result;
  }

  #endWaiting(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  async #reaching(version: number): Promise<Held> {
    const nowMs = this.#parts.clock.monotonicMs();
    const held = this.#held;
    if (held !== null && (held.points.seq >= version || nowMs - held.preparedAtMs < AGAIN_MS)) return held;
    await this.#letGo();
    if (this.#failure !== null && nowMs - this.#failure.atMs < AGAIN_MS) throw this.#failure.error;
    try {
      const { storePath, discard } = await this.#parts.prepare();
      const made = { points: restoredPoints(storePath), preparedAtMs: this.#parts.clock.monotonicMs(), discard };
      this.#failure = null;
      this.#held = made;
      return made;
    } catch (error) {
      this.#failure = { error, atMs: this.#parts.clock.monotonicMs() };
      throw error;
    }
  }

  async #letGo(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    held?.points.close();
    await held?.discard();
  }
}

interface Stretch {
  readonly fromSeq: number;
  readonly count: number;
  readonly bytesMax: number;
}

async function collect(
  archive: Archive,
  head: IncrementHead,
  { fromSeq, count, bytesMax }: Stretch,
  found: Map<number, Uint8Array>,
): Promise<void> {
  let bytes = 0;
  for await (const { firstSeq, entries } of readSegment(archive.plain(head.id, entriesOf(head)))) {
    for (const [i, entry] of entries.entries()) {
      const seq = firstSeq + i;
      if (seq < fromSeq || seq >= fromSeq + count) continue;
      bytes += entry.length;
      if (bytes > bytesMax) throw new RangeError(`the entries have more than ${bytesMax} bytes`);
      found.set(seq, entry);
    }
    if (firstSeq + entries.length >= fromSeq + count) return;
  }
}
