/** Wishes of an operator that files be read again (SIGHUP). One that comes before anybody listens is kept, however early it comes, because a
 *  signal that nobody has taken up ends the process. Several that were kept are one: the files are read as they are by then.
 *  Must not know: signals, what is read. */

export class Reloads {
  #listener: (() => void) | null = null;
  #kept = false;

  ask(): void {
    if (this.#listener === null) this.#kept = true;
    else this.#listener();
  }

  /** @param listener called with each wish from now on, and at once when one was kept */
  listen(listener: () => void): void {
    this.#listener = listener;
    if (this.#kept) listener();
    this.#kept = false;
  }
}
