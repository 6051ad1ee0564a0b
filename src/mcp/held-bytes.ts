/** A bound on what all bodies together may hold while they come in and are answered: each is reserved by what it says of its length, before any
 *  of it is read. Must not know: requests, keys. */

export class HeldBytes {
  readonly #bytesMax: number;
  readonly #unknownBytes: number;
  #held = 0;

  /** @param unknownBytes what a body counts as that does not say how long it is */
  constructor({ bytesMax, unknownBytes }: { readonly bytesMax: number; readonly unknownBytes: number }) {
    this.#bytesMax = bytesMax;
    this.#unknownBytes = unknownBytes;
  }

  /** @param contentLength the header @returns gives the share back, once; null: there is no room for it now */
  reserve(contentLength: string | undefined): (() => void) | null {
    const said = Number(contentLength);
    const bytes = contentLength !== undefined && Number.isSafeInteger(said) && said >= 0 ? said : this.#unknownBytes;
    if (this.#held + bytes > this.#bytesMax) return null;
    this.#held += bytes;
    let given = false;
    return () => {
      if (!given) this.#held -= bytes;
      given = true;
    };
  }
}
