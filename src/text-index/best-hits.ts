/** The best of many scored documents: a heap whose top is the worst that is kept.
 *
 *  Better is the higher score, and of equal ones the lower label. Invariant: at most `limit` are kept, and none that was let go is better
 *  than one that is kept. Must not know: what is scored. */

export class BestHits {
  readonly #limit: number;
  readonly #scores: Float64Array;
  readonly #labels: Uint32Array;
  #size = 0;

  /** @param limit ≥ 0 */
  constructor(limit: number) {
    this.#limit = limit;
    this.#scores = new Float64Array(limit);
    this.#labels = new Uint32Array(limit);
  }

  /** Cost: a comparison for one that is not among the best, else log(limit). */
  offer(score: number, label: number): void {
    if (this.#size < this.#limit) {
      this.#size += 1;
      this.#rise(this.#size - 1, score, label);
    } else if (this.#limit > 0 && this.#isWorse(0, score, label)) this.#sink(score, label);
  }

  /** Empties the heap. */
  takeAll(): { readonly labels: Uint32Array; readonly scores: Float64Array } {
    const labels = new Uint32Array(this.#size);
    const scores = new Float64Array(this.#size);
    for (let last = this.#size - 1; last >= 0; last--) {
      labels[last] = this.#labels[0] as number;
      scores[last] = this.#scores[0] as number;
      this.#size = last;
      this.#sink(this.#scores[last] as number, this.#labels[last] as number);
    }
    return { labels, scores };
  }

  /** Is what stands at `place` worse? */
  #isWorse(place: number, score: number, label: number): boolean {
    const other = this.#scores[place] as number;
    return other < score || (other === score && (this.#labels[place] as number) > label);
  }

  #rise(from: number, score: number, label: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!this.#isBetter(parent, score, label)) break;
      this.#copy(parent, place);
      place = parent;
    }
    this.#scores[place] = score;
    this.#labels[place] = label;
  }

  /** Is what stands at `place` better? No two have the same label. */
  #isBetter(place: number, score: number, label: number): boolean {
    const other = this.#scores[place] as number;
    return other > score || (other === score && (this.#labels[place] as number) < label);
  }

  /** Puts one in the place of the top. */
  #sink(score: number, label: number): void {
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#isWorse(right, this.#scores[child] as number, this.#labels[child] as number)) child = right;
      if (!this.#isWorse(child, score, label)) break;
      this.#copy(child, place);
      place = child;
    }
    if (this.#size === 0) return;
    this.#scores[place] = score;
    this.#labels[place] = label;
  }

  #copy(from: number, to: number): void {
    this.#scores[to] = this.#scores[from] as number;
    this.#labels[to] = this.#labels[from] as number;
  }
}
