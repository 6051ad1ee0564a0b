/** The one end that data may be at risk by: a failed commit, a lost thread.
 *
 *    opening ── fails the opening        open ── every call ends ─► the program is told, or is ended by what nobody catches
 *
 *  Invariant: it happens once, and is told once. Must not know: nodes, what calls do. */

import { SkeinConnectionError } from '../sdk/index.js';

export interface FatalEndParts {
  /** Ends the calls that run and all later ones with this error. */
  endCalls(error: SkeinConnectionError): void;
  /** Left out: the reason is thrown where nobody catches it. */
  readonly tell?: ((reason: Error) => void) | undefined;
}

export class FatalEnd {
  readonly #parts: FatalEndParts;
  #reason: string | null = null;
  #isOpen = false;
  #failOpening: (error: Error) => void = () => undefined;
  /** Rejects when it happens before `opened`. */
  readonly duringOpening: Promise<never>;

  constructor(parts: FatalEndParts) {
    this.#parts = parts;
    this.duringOpening = new Promise<never>((_, reject) => {
      this.#failOpening = reject;
    });
    this.duringOpening.catch(() => undefined);
  }

  /** Null: it has not happened. */
  get reason(): string | null {
    return this.#reason;
  }

  happened(reason: string): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    const message = `the embedded node has failed: ${reason}`;
    this.#parts.endCalls(new SkeinConnectionError(message, { code: 'FAILED', url: '', maybeSent: true }));
    const error = new Error(message);
    if (!this.#isOpen) this.#failOpening(error);
    // Not from within what failed: whoever is told may close, or throw.
    else setImmediate(this.#parts.tell ?? thrown, error);
  }

  /** The program has its database. @throws Error when it has failed by now */
  opened(): void {
    if (this.#reason !== null) throw new Error(`the embedded node has failed: ${this.#reason}`);
    this.#isOpen = true;
  }
}

function thrown(reason: Error): never {
  throw reason;
}
