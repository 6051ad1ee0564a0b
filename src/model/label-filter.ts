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

/** `count` of the labels inside (all, when there are fewer), ascending, as far apart in number as they can be: the same ones each time.
 *  Cost: a look at each word, about 1 ms a million labels at most. */
export function spreadOf({ pageOf, bits, size }: LabelFilter, count: number): Uint32Array {
  const chosen = new Uint32Array(Math.min(count, size));
  const placeOf = (at: number): number => Math.floor((at * size) / chosen.length);
  let at = 0;
  let passed = 0;
  for (const [number, page] of pageOf.entries()) {
    if (page === NO_PAGE) continue;
    for (let word = 0; word < PAGE_WORDS && at < chosen.length; word++) {
      let rest = bits[page * PAGE_WORDS + word] as number;
      const inside = bitsIn(rest);
      for (let place = passed; at < chosen.length && placeOf(at) < passed + inside; place++) {
        if (place === placeOf(at)) chosen[at++] = number * PAGE_LABELS + word * 32 + 31 - Math.clz32(rest & -rest);
        rest &= rest - 1;
      }
      passed += inside;
    }
  }
  return chosen;
}

/** H. S. Warren, "Hacker's Delight", 5-1. */
function bitsIn(word: number): number {
  let count = word - ((word >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
