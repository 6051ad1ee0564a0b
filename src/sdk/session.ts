/** The newest position a client has seen, so that it reads its own writes on any node.
 *
 *  Tokens are opaque to users; this file knows that they order bytewise within one history (model/position.ts) and that base64url
 *  keeps that order when letters are compared by their place in its alphabet. Of two histories the one of the later epoch was written later: what a
 *  replica that is behind answers, or an old entry of the change feed, takes nothing back. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const TOKEN_LENGTH = 44;
/** Version and history id: 17 bytes; the highest bits of the epoch that share the last letter are always 0. */
const HISTORY_LENGTH = 23;

/** Behind the last letter of the epoch; those bits of it that are of the seq are always 0. */
const EPOCH_END = 34;

/** @returns the later of two tokens: of one history by epoch and seq, of two by epoch; `b` when they cannot be compared */
export function laterToken(a: string, b: string): string {
  if (a.length !== TOKEN_LENGTH || b.length !== TOKEN_LENGTH) return b;
  const isOneHistory = a.slice(0, HISTORY_LENGTH) === b.slice(0, HISTORY_LENGTH);
  for (let i = HISTORY_LENGTH; i < (isOneHistory ? TOKEN_LENGTH : EPOCH_END); i++) {
    const difference = ALPHABET.indexOf(a.charAt(i)) - ALPHABET.indexOf(b.charAt(i));
    if (difference !== 0) return difference > 0 ? a : b;
  }
  return b;
}

/** The position that a place of the change feed is within. The token of a place begins as that of its position, but for its version:
 *  1 or 2 in the first byte, whose last bits stand in the second letter. */
export function positionOfPlace(token: string): string {
  if (token.length === TOKEN_LENGTH) return token;
  const second = ALPHABET.charAt(ALPHABET.indexOf(token.charAt(1)) - 16);
  return `${token.charAt(0)}${second}${token.slice(2, TOKEN_LENGTH)}`;
}

export class Session {
  #position: string | null;

  /** @param position where it begins, of another session; null: anywhere */
  constructor(position: string | null = null) {
    this.#position = position;
  }

  get position(): string | null {
    return this.#position;
  }

  /** Answers may arrive out of order; the position never goes back within a history. */
  saw(token: string): void {
    this.#position = this.#position === null ? token : laterToken(this.#position, token);
  }

  /** What was seen belongs to a history that is gone. @param position only if it is still this one */
  forget(position = this.#position): void {
    if (this.#position === position) this.#position = null;
  }
}
