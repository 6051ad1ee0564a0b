/** The numbers of each label, so that a label can be taken out of an index again and asked about by itself.
 *
 *  One number a label stands in pages of 256 labels; a label with several has a list. Pages go when their last label goes, so memory
 *  follows the live labels: 8 bytes each where they stand close, 2 KiB where one stands alone. NaN is no number here. */

const PAGE_SHIFT = 8;
const PAGE_LABELS = 2 ** PAGE_SHIFT;
const PAGE_BYTES = PAGE_LABELS * 8 + 200;
const LIST_BYTES = 100;

interface Page {
  readonly values: Float64Array;
  used: number;
}

export class ForwardValues {
  readonly #pages = new Map<number, Page>();
  readonly #several = new Map<number, readonly number[]>();
  #listed = 0;

  /** @param label not inside  @param values each once; none: nothing is kept */
  put(label: number, values: readonly number[]): void {
    const [first] = values;
    if (first === undefined) return;
    if (values.length > 1) {
      // A copy is as long as it must be, whoever made the list.
      this.#several.set(label, values.slice());
      this.#listed += values.length;
      return;
    }
    const number = label >>> PAGE_SHIFT;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = { values: new Float64Array(PAGE_LABELS).fill(Number.NaN), used: 0 };
      this.#pages.set(number, page);
    }
    page.values[label & (PAGE_LABELS - 1)] = first;
    page.used += 1;
  }

  /** Takes a label out. @returns its values; none: it was not inside */
  take(label: number): readonly number[] {
    const list = this.#several.get(label);
    if (list !== undefined) {
      this.#several.delete(label);
      this.#listed -= list.length;
      return list;
    }
    const number = label >>> PAGE_SHIFT;
    const page = this.#pages.get(number);
    const value = page?.values[label & (PAGE_LABELS - 1)];
    if (page === undefined || value === undefined || Number.isNaN(value)) return [];
    page.values[label & (PAGE_LABELS - 1)] = Number.NaN;
    page.used -= 1;
    if (page.used === 0) this.#pages.delete(number);
    return [value];
  }

  /** The value of a label that has one; NaN when it has none or several. */
  one(label: number): number {
    return this.#pages.get(label >>> PAGE_SHIFT)?.values[label & (PAGE_LABELS - 1)] ?? Number.NaN;
  }

  /** Labels with several values. */
  get several(): ReadonlyMap<number, readonly number[]> {
    return this.#several;
  }

  /** Does the test hold for any value of a label? */
  some(label: number, test: (value: number) => boolean): boolean {
    const value = this.one(label);
    if (!Number.isNaN(value)) return test(value);
    return this.#several.get(label)?.some(test) ?? false;
  }

  get memoryBytes(): number {
    return this.#pages.size * PAGE_BYTES + this.#several.size * LIST_BYTES + this.#listed * 8;
  }
}
