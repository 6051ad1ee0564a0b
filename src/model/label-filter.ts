/** Which labels a search may answer with, as plain data that crosses threads and native code: bits in pages of 65,536 labels.
 *
 *    pageOf[label >>> 16] = number p of a page, or −1: none of its labels      bits[p · 2,048 + ((label & 65,535) >>> 5)] bit (label & 31)
 *
 *  Memory follows the pages in use, not the largest label. Must not know: who made it, who asks it. */

const PAGE_SHIFT = 16;
const PAGE_LABELS = 2 ** PAGE_SHIFT;
const PAGE_WORDS = PAGE_LABELS / 32;
const NO_PAGE = -1;

export interface LabelFilter {
  readonly pageOf: Int32Array;
  readonly bits: Uint32Array;
  /** How many labels are in it. */
  readonly size: number;
}

/** @param labels ascending, each once. Cost: about 2 ns a label, and 8 KiB for each page of labels in use. */
export function labelFilterOf(labels: Uint32Array): LabelFilter {
  const last = labels.at(-1);
  if (last === undefined) return { pageOf: new Int32Array(0), bits: new Uint32Array(0), size: 0 };
  const pageOf = new Int32Array((last >>> PAGE_SHIFT) + 1).fill(NO_PAGE);
  let pages = 0;
  let current = NO_PAGE;
  for (const label of labels) {
    const page = label >>> PAGE_SHIFT;
    if (page === current) continue;
    current = page;
    pageOf[page] = pages++;
  }
  const bits = new Uint32Array(pages * PAGE_WORDS);
  for (const label of labels) {
    const word = (pageOf[label >>> PAGE_SHIFT] as number) * PAGE_WORDS + ((label & (PAGE_LABELS - 1)) >>> 5);
    bits[word] = (bits[word] as number) | (1 << (label & 31));
  }
  return { pageOf, bits, size: labels.length };
}

/** Cost: two reads. */
export function passesFilter({ pageOf, bits }: LabelFilter, label: number): boolean {
  const page = pageOf[label >>> PAGE_SHIFT];
  if (page === undefined || page === NO_PAGE) return false;
  return ((bits[page * PAGE_WORDS + ((label & (PAGE_LABELS - 1)) >>> 5)] as number) & (1 << (label & 31))) !== 0;
}

/** The labels inside, ascending. */
export function labelsOf({ pageOf, bits, size }: LabelFilter): Uint32Array {
  const labels = new Uint32Array(size);
  let at = 0;
  for (const [number, page] of pageOf.entries()) {
    if (page === NO_PAGE) continue;
    for (let word = 0; word < PAGE_WORDS; word++) {
      let rest = bits[page * PAGE_WORDS + word] as number;
      while (rest !== 0) {
        labels[at++] = number * PAGE_LABELS + word * 32 + 31 - Math.clz32(rest & -rest);
        rest &= rest - 1;
      }
    }
  }
  return labels;
}
