/** Waits until enough nodes hold a seq durably. A node counts when it is a registered voter and said so on a link of this epoch and
 *  history; this node counts always. Whoever waits when the mastership ends is told what was known then. Must not know: links, HTTP. */

interface Waiter {
  readonly seq: number;
  readonly required: number;
  readonly settle: () => void;
}

export class WriteConcern {
  /** Durable seq by node id, voters only. */
  readonly #held = new Map<string, number>();
  #waiters = new Set<Waiter>();

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Nodes that hold `seq`, this one included. */
  holders(seq: number): number {
    let count = 1;
    for (const held of this.#held.values()) if (held >= seq) count += 1;
    return count;
  }

  /** The largest seq that at least `nodes` nodes hold, given that this one holds `ownSeq`. */
  heldBy(nodes: number, ownSeq: number): number {
    if (nodes <= 1) return ownSeq;
    const seqs = [...this.#held.values()].sort((a, b) => b - a);
    return Math.min(ownSeq, seqs[nodes - 2] ?? 0);
  }

  acknowledged(nodeId: string, durableSeq: number): void {
    this.#held.set(nodeId, durableSeq);
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) if (this.holders(waiter.seq) >= waiter.required) waiter.settle();
  }

  /** What it holds now is not known. */
  lost(nodeId: string): void {
    this.#held.delete(nodeId);
  }

  /** @returns how many hold it, when enough do, the time has passed, or the mastership ended */
  async wait(seq: number, required: number, waitMs: number): Promise<number> {
    const now = this.holders(seq);
    if (now >= required || waitMs <= 0) return now;
    return new Promise<number>((resolve) => {
      const waiter: Waiter = {
        seq,
        required,
        settle: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(this.holders(seq));
        },
      };
      const timer = setTimeout(waiter.settle, waitMs);
      this.#waiters.add(waiter);
    });
  }

  /** The mastership ended: every wait is over, nothing that was acknowledged counts any more. */
  end(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const waiter of waiters) waiter.settle();
    this.#held.clear();
  }
}
