/** A text that must not be printed by accident: logs, JSON and error reports show a mask. */

import { inspect } from 'node:util';

export const MASK = '********';

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself; for comparing and sending only. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
