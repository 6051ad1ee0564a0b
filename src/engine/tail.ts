/** A tail: a seq that moves forward, and those who wait for it.
 *  There is one for what is durable and one per collection and engine for what its index has applied. */

export class Tail {
  #seq: number;
  #waiters: { readonly seq: number; readonly resolve: (reached: boolean) => void; readonly timer: NodeJS.Timeout }[] = [];

  constructor(seq: number) {
    this.#seq = seq;
  }

  get seq(): number {
    return this.#seq;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  advance(seq: number): void {
    if (seq <= this.#seq) return;
    this.#seq = seq;
    if (this.#waiters.length === 0) return;
    const reached = this.#waiters.filter((waiter) => waiter.seq <= seq);
    if (reached.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.seq > seq);
    for (const waiter of reached) settle(waiter, true);
  }

  /** @returns true once the tail is at `seq` or beyond, false when timeoutMs passed first or the tail was closed */
  async reach(seq: number, timeoutMs: number): Promise<boolean> {
    if (seq <= this.#seq) return true;
    if (timeoutMs <= 0) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((waiter) => waiter.timer !== timer);
        resolve(false);
      }, timeoutMs);
      this.#waiters.push({ seq, resolve, timer });
    });
  }

  /** What was reached is lost; who waits for more goes on waiting. */
  reset(): void {
    this.#seq = 0;
  }

  /** Ends every wait with false. */
  close(): void {
    for (const waiter of this.#waiters) settle(waiter, false);
    this.#waiters = [];
  }
}

function settle(waiter: { resolve: (reached: boolean) => void; timer: NodeJS.Timeout }, reached: boolean): void {
  clearTimeout(waiter.timer);
  waiter.resolve(reached);
}
