/** A set of labels as bits, in pages of 4,096 labels that exist only while they hold something.
 *
 *  Labels may start high and lie far apart; memory follows what is inside, not the largest label.
 *  Invariant: size is the number of bits set; an empty page is dropped. Must not know: vectors, graphs. */

const PAGE_SHIFT = 12;
const PAGE_LABELS = 2 ** PAGE_SHIFT;
const PAGE_WORDS = PAGE_LABELS / 32;
/** Words and bookkeeping of one page. */
const PAGE_BYTES = PAGE_WORDS * 4 + 200;

interface Page {
  readonly words: Uint32Array;
  count: number;
}

export class LabelSet {
  readonly #pages = new Map<number, Page>();
  #size = 0;

  constructor(labels?: Iterable<number>) {
    if (labels !== undefined) for (const label of labels) this.add(label);
  }

  get size(): number {
    return this.#size;
  }

  /** Resident bytes, estimated. */
  get memoryBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  has(label: number): boolean {
    const page = this.#pages.get(label >>> PAGE_SHIFT);
    return page !== undefined && ((page.words[(label & (PAGE_LABELS - 1)) >>> 5] as number) & (1 << (label & 31))) !== 0;
  }

  /** @returns false when the label was inside already */
  add(label: number): boolean {
    const key = label >>> PAGE_SHIFT;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = { words: new Uint32Array(PAGE_WORDS), count: 0 };
      this.#pages.set(key, page);
    }
    const word = (label & (PAGE_LABELS - 1)) >>> 5;
    const bit = 1 << (label & 31);
    const before = page.words[word] as number;
    if ((before & bit) !== 0) return false;
    page.words[word] = before | bit;
    page.count += 1;
    this.#size += 1;
    return true;
  }

  /** @returns false when the label was not inside */
  delete(label: number): boolean {
    const key = label >>> PAGE_SHIFT;
    const page = this.#pages.get(key);
    if (page === undefined) return false;
    const word = (label & (PAGE_LABELS - 1)) >>> 5;
    const bit = 1 << (label & 31);
    const before = page.words[word] as number;
    if ((before & bit) === 0) return false;
    page.words[word] = before & ~bit;
    page.count -= 1;
    this.#size -= 1;
    if (page.count === 0) this.#pages.delete(key);
    return true;
  }

  /** All labels, ascending. Cost: O(pages · log pages + labels). */
  toArray(): Uint32Array {
    const labels = new Uint32Array(this.#size);
    const keys = [...this.#pages.keys()].sort((a, b) => a - b);
    let at = 0;
    for (const key of keys) {
      const words = this.#pages.get(key)?.words ?? new Uint32Array(0);
      for (let word = 0; word < words.length; word++) {
        let rest = words[word] as number;
        while (rest !== 0) {
          const bit = 31 - Math.clz32(rest & -rest);
          labels[at++] = key * PAGE_LABELS + word * 32 + bit;
          rest &= rest - 1;
        }
      }
    }
    return labels;
  }
}
