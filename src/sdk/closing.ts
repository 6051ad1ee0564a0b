/** The end of a client: ends all its calls, also those that wait to try again. A set of its own, because one AbortSignal warns of a leak where
 *  more than ten calls listen to it. Must not know: calls. */

import { SkeinConnectionError } from './errors.js';

export class Closing {
  readonly #running = new Set<(reason: unknown) => void>();
  readonly #endless = new Set<(reason: unknown) => void>();
  #reason: Error | null = null;
  /** Why no call begins any more. */
  #refusal: Error | null = null;
  readonly #whenEnded: (() => void)[] = [];

  /** @param onClosed called once, at once where the client is closed already
   *  @param endless of a call that does not end by itself: then called as soon as no call begins any more */
  add(onClosed: (reason: unknown) => void, endless = false): void {
    const reason = this.#reason ?? this.#refusal;
    if (reason !== null) return onClosed(reason);
    this.#running.add(onClosed);
    if (endless) this.#endless.add(onClosed);
  }

  remove(onClosed: (reason: unknown) => void): void {
    this.#running.delete(onClosed);
    this.#endless.delete(onClosed);
    if (this.#running.size === 0) this.#tellEnd();
  }

  /** No call begins any more. @returns when those that run have ended */
  async drain(): Promise<void> {
    this.#refusal ??= closed();
    for (const onClosed of this.#endless) onClosed(this.#refusal);
    this.#endless.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => void this.#whenEnded.push(resolve));
  }

  /** @param reason what calls end with, those that run and all later ones */
  close(reason: Error = closed()): void {
    this.#reason ??= reason;
    for (const onClosed of this.#running) onClosed(this.#reason);
    this.#running.clear();
    this.#tellEnd();
  }

  /** Does no call begin any more? */
  get hasBegun(): boolean {
    return (this.#reason ?? this.#refusal) !== null;
  }

  #tellEnd(): void {
    for (const resolve of this.#whenEnded.splice(0)) resolve();
  }
}

function closed(): SkeinConnectionError {
  return new SkeinConnectionError('the client was closed', { code: 'CLOSED', url: '', maybeSent: true });
}
