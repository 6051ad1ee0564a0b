/** How much may wait in a queue, found out from how fast the queue goes: as much as is done within a wait that is bearable (Little's law).
 *
 *    calm ── for a second even the luckiest waited longer than the target ─► standing ── waits of half the target ─► calm
 *
 *  A queue that empties now and then takes up a burst and does good, so while it is calm, waits of several targets are borne. A standing one
 *  does no work sooner: from then on only so much may wait as the target allows (the idea of CoDel, RFC 8289, for admission).
 *  Invariant: min ≤ bound ≤ max. Must not know: what waits, a clock of its own. */

export interface QueueLimitRules {
  /** So many may always wait, however long each takes. */
  readonly min: number;
  readonly max: number;
  /** The longest wait that is no sign of too much; 0: the bound is always max. */
  readonly targetMs: number;
}

/** One that leaves the queue. */
export interface LeftQueue {
  /** From when it was put there, without the work itself. */
  readonly waitedMs: number;
  /** How many there are, this one included. */
  readonly queued: number;
}

const INTERVAL_MS = 100;
/** So long with nothing but long waits: the queue stands. */
const STANDING_MS = 1_000;
/** Waits that are borne in a burst, in targets. */
const BURST_TARGETS = 5;
/** Nothing left the queue for so long: whether it stands is not known any more. */
const FORGET_MS = 5_000;
/** How long ago counts: longer than a round over all that are open, which end in bunches when they are worked at in turns. */
const MEMORY_MS = 3_000;

export class QueueLimit {
  readonly #rules: QueueLimitRules;
  /** Time in which some waited, and how many left in it; the older, the less. */
  #busyMs = 0;
  #leftCount = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Left behind by the last one. */
  #behind = 0;
  #startMs = Number.NEGATIVE_INFINITY;
  #leastMs = Number.POSITIVE_INFINITY;
  /** When the first of a row of intervals with nothing but long waits ended. */
  #longSinceMs: number | null = null;
  #standing = false;

  constructor(rules: QueueLimitRules) {
    this.#rules = rules;
  }

  /** More comes than can be done. */
  get isStanding(): boolean {
    return this.#standing;
  }

  /** How many may wait now. */
  at(nowMs: number): number {
    const { min, max, targetMs } = this.#rules;
    if (targetMs === 0 || this.#busyMs === 0) return max;
    if (nowMs - this.#lastMs > FORGET_MS) this.#calm();
    const bearableMs = this.isStanding ? targetMs : targetMs * BURST_TARGETS;
    return Math.max(min, Math.min(max, Math.floor((bearableMs * this.#leftCount) / this.#busyMs)));
  }

  left({ waitedMs, queued }: LeftQueue, nowMs: number): void {
    if (this.#behind > 0) this.#note(nowMs - this.#lastMs);
    this.#behind = queued - 1;
    this.#lastMs = nowMs;
    this.#leastMs = Math.min(this.#leastMs, waitedMs);
    if (nowMs - this.#startMs < INTERVAL_MS) return;
    const { targetMs } = this.#rules;
    if (this.#leastMs > targetMs) {
      this.#longSinceMs ??= nowMs;
      this.#standing ||= nowMs - this.#longSinceMs >= STANDING_MS;
    } else if (!this.#standing || this.#leastMs < targetMs / 2) this.#calm();
    // A standing queue that is held at its bound has waits of about the target: it stands until they are half of it.
    this.#startMs = nowMs;
    this.#leastMs = Number.POSITIVE_INFINITY;
  }

  #calm(): void {
    this.#longSinceMs = null;
    this.#standing = false;
  }

  #note(gapMs: number): void {
    const kept = Math.exp(-gapMs / MEMORY_MS);
    this.#busyMs = this.#busyMs * kept + gapMs;
    this.#leftCount = this.#leftCount * kept + 1;
  }
}
