/** The end of a client: ends all its calls, also those that wait to try again. A set of its own, because one AbortSignal warns of a leak where
 *  more than ten calls listen to it. Must not know: calls. */

import { SkeinConnectionError } from './errors.js';

export class Closing {
  readonly #running = new Set<(reason: unknown) => void>();
  #reason: Error | null = null;
  /** Why no call begins any more. */
  #refusal: Error | null = null;
  #ended: (() => void) | null = null;

  /** @param onClosed called once, at once where the client is closed already */
  add(onClosed: (reason: unknown) => void): void {
    const reason = this.#reason ?? this.#refusal;
    if (reason === null) this.#running.add(onClosed);
    else onClosed(reason);
  }

  remove(onClosed: (reason: unknown) => void): void {
    this.#running.delete(onClosed);
    if (this.#running.size === 0) this.#ended?.();
  }

  /** No call begins any more. @returns when those that run have ended */
  async drain(): Promise<void> {
    this.#refusal ??= closed();
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#ended = resolve));
  }

  close(): void {
    this.#reason ??= closed();
    for (const onClosed of this.#running) onClosed(this.#reason);
    this.#running.clear();
    this.#ended?.();
  }
}

function closed(): SkeinConnectionError {
  return new SkeinConnectionError('the client was closed', { code: 'CLOSED', url: '', maybeSent: true });
}
