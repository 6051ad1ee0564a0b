/** Where the document of a label is: label → ordinal, in pages of 1,024 labels that exist only while they hold something.
 *
 *  Labels come in ascending order, so they lie close together; memory follows the pages in use, not the largest label.
 *  Invariant: size is the number of labels inside; an empty page is dropped. Must not know: documents. */

const PAGE_SHIFT = 10;
const PAGE_LABELS = 2 ** PAGE_SHIFT;
const ABSENT = -1;
/** Entries and bookkeeping of one page. */
const PAGE_BYTES = PAGE_LABELS * 4 + 200;

interface Page {
  readonly ordinals: Int32Array;
  count: number;
}

export class LabelOrdinals {
  readonly #pages = new Map<number, Page>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Resident bytes, estimated. */
  get memoryBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  /** @returns −1 for a label that is not inside */
  get(label: number): number {
    return this.#pages.get(label >>> PAGE_SHIFT)?.ordinals[label & (PAGE_LABELS - 1)] ?? ABSENT;
  }

  set(label: number, ordinal: number): void {
    const key = label >>> PAGE_SHIFT;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = { ordinals: new Int32Array(PAGE_LABELS).fill(ABSENT), count: 0 };
      this.#pages.set(key, page);
    }
    const slot = label & (PAGE_LABELS - 1);
    if (page.ordinals[slot] === ABSENT) {
      page.count += 1;
      this.#size += 1;
    }
    page.ordinals[slot] = ordinal;
  }

  /** A label that is not inside is ignored. */
  delete(label: number): void {
    const key = label >>> PAGE_SHIFT;
    const page = this.#pages.get(key);
    const slot = label & (PAGE_LABELS - 1);
    if (page === undefined || page.ordinals[slot] === ABSENT) return;
    page.ordinals[slot] = ABSENT;
    page.count -= 1;
    this.#size -= 1;
    if (page.count === 0) this.#pages.delete(key);
  }

  /** All labels, ascending. Cost: the pages in use. */
  labels(): Uint32Array {
    const labels = new Uint32Array(this.#size);
    let at = 0;
    for (const key of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const ordinals = this.#pages.get(key)?.ordinals ?? new Int32Array(0);
      for (let slot = 0; slot < ordinals.length; slot++) {
        if (ordinals[slot] !== ABSENT) labels[at++] = key * PAGE_LABELS + slot;
      }
    }
    return labels;
  }
}
