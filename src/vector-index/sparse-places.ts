/** Which label is at which place of a sparse index. Labels come in ascending order, so they ascend with places.
 *
 *    places ── many are gone ─► renumber: what is alive gets places 0, 1, 2 … at once, lists follow one by one ─► settle
 *
 *  Until all lists have followed (posting-list.ts, `round`), `before` says where the places of the numbering before went; what is added
 *  meanwhile has a place in both. Invariant: a label is at one place at most. Must not know: lists, values. */

import { GONE, GrowingUint32 } from './posting-list.js';

const MARKS_FIRST = 64;

export class SparsePlaces {
  #labels = new GrowingUint32();
  /** By place: 1 where its label was removed. */
  #removed = new Uint8Array(MARKS_FIRST);
  #gone = 0;
  #before: GrowingUint32 | null = null;
  #round = 0;

  /** Of the numbering. */
  get round(): number {
    return this.#round;
  }

  get count(): number {
    return this.#labels.length;
  }

  get live(): number {
    return this.#labels.length - this.#gone;
  }

  /** Places of this numbering that stand for nothing any more. */
  get gone(): number {
    return this.#gone;
  }

  /** By place, ascending; beyond `count` it says nothing. */
  get labels(): Uint32Array {
    return this.#labels.values;
  }

  /** By place: 1 where it is gone. */
  get removed(): Uint8Array {
    return this.#removed;
  }

  /** Where the places of the numbering before went; null: all lists are of this one. */
  get before(): Uint32Array | null {
    return this.#before?.values ?? null;
  }

  /** Of the label that came last. @param round of the list that it is for */
  newest(round: number): number {
    return (round === this.#round ? this.#labels.length : (this.#before?.length ?? 0)) - 1;
  }

  /** @param label beyond every label before */
  add(label: number): void {
    const place = this.#labels.length;
    this.#labels.push(label);
    this.#before?.push(place);
    if (place < this.#removed.length) return;
    const larger = new Uint8Array(this.#removed.length * 2);
    larger.set(this.#removed);
    this.#removed = larger;
  }

  has(label: number): boolean {
    return this.#placeOf(label) !== null;
  }

  /** A label that is not inside is ignored. */
  remove(label: number): void {
    const place = this.#placeOf(label);
    if (place === null) return;
    this.#removed[place] = 1;
    this.#gone += 1;
  }

  /** Null: it is not inside, or gone. Cost: a binary search. */
  #placeOf(label: number): number | null {
    const { values, length } = this.#labels;
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] as number) < label) low = middle + 1;
      else high = middle;
    }
    return low < length && values[low] === label && this.#removed[low] === 0 ? low : null;
  }

  /** Ascending. */
  liveLabels(): Uint32Array {
    return this.#labels.values.subarray(0, this.#labels.length).filter((_, place) => this.#removed[place] === 0);
  }

  /** Gives what is alive new places. Cost: a step for each place, about 5 ms a million. */
  renumber(): void {
    const { values, length } = this.#labels;
    const before = new GrowingUint32(length);
    const labels = new GrowingUint32(this.live);
    for (let place = 0; place < length; place++) {
      if (this.#removed[place] === 1) before.push(GONE);
      else {
        before.push(labels.length);
        labels.push(values[place] as number);
      }
    }
    this.#labels = labels;
    this.#removed = new Uint8Array(Math.max(MARKS_FIRST, labels.length));
    this.#gone = 0;
    this.#before = before;
    this.#round += 1;
  }

  /** All lists are of this numbering. */
  settle(): void {
    this.#before = null;
  }

  /** Resident bytes. */
  get memoryBytes(): number {
    return this.#labels.values.byteLength + this.#removed.byteLength + (this.#before?.values.byteLength ?? 0);
  }
}
