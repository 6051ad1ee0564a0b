/** The news that nobody waits for some work any more: its asker says so, and whoever does it hears it or looks.
 *
 *  Once cancelled, for good. An AbortSignal says the same, but is made for each request here, and its event target and weak references took
 *  a good tenth of a search's time, most of it in the garbage collector (docs/BENCHMARKS.md). Must not know: what the work is. */

export class Cancellation {
  #isCancelled = false;
  /** Most have one. */
  readonly #listeners = new Set<() => void>();

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Calls the listeners there are, each once. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Calls it at the cancelling, at once when that was before. @returns ends the listening */
  onCancel(listener: () => void): () => void {
    if (this.#isCancelled) {
      listener();
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
