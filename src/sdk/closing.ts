/** The end of a client: ends all its calls, also those that wait to try again. A set of its own, because one AbortSignal warns of a leak where
 *  more than ten calls listen to it. Must not know: calls. */

export class Closing {
  readonly #running = new Set<(reason: unknown) => void>();
  #reason: Error | null = null;

  /** @param onClosed called once, at once where the client is closed already */
  add(onClosed: (reason: unknown) => void): void {
    if (this.#reason === null) this.#running.add(onClosed);
    else onClosed(this.#reason);
  }

  remove(onClosed: (reason: unknown) => void): void {
    this.#running.delete(onClosed);
  }

  close(reason: Error): void {
    this.#reason ??= reason;
    for (const onClosed of this.#running) onClosed(this.#reason);
    this.#running.clear();
  }
}
