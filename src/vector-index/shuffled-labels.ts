/** Labels in an order of chance, one after the other; the same order whenever the same labels are given.
 *
 *  Where points are put into a graph cluster by cluster, later ones leave earlier ones few links that lead to them: of 10,000 points in 50 clusters
 *  far apart one in seven was not found by its own vector at ef 64, of the same points shuffled none. Each label is drawn when it is asked for
 *  (Fisher & Yates), so nothing is paid at the beginning. Must not know: graphs. */

/** Knuth's multiplicative step and an odd constant: every state comes once in 2^32 draws (Numerical Recipes). */
const FACTOR = 1_664_525;
const STEP = 1_013_904_223;

export class ShuffledLabels {
  readonly #labels: Uint32Array;
  #given = 0;
  #state: number;

  /** @param labels are this object's own from now on */
  constructor(labels: Uint32Array) {
    this.#labels = labels;
    this.#state = labels.length;
  }

  /** The next one; undefined: all were given. */
  next(): number | undefined {
    const left = this.#labels.length - this.#given;
    if (left === 0) return undefined;
    this.#state = (Math.imul(this.#state, FACTOR) + STEP) >>> 0;
    const at = this.#given + Math.floor((this.#state / 2 ** 32) * left);
    const label = this.#labels[at] as number;
    this.#labels[at] = this.#labels[this.#given] as number;
    this.#given += 1;
    return label;
  }
}
