/** Numbers of labels in order: which labels have one within bounds, which have one of a list.
 *  Instants are numbers too (model/instant.ts). Must not know: fields, filters' conditions. */

import type { RangeBounds } from '../model/filter.js';
import type { Bitmap } from './bitmap.js';
import { exceptSource } from './except-source.js';
import { ForwardValues } from './forward-values.js';
import { cardinality, type LabelSource, MadeOnDemand } from './label-source.js';
import { type Cut, OrderedPairs } from './ordered-pairs.js';

/** All numbers between two cuts. */
interface Stretch {
  readonly from: Cut;
  readonly to: Cut;
}

const LOWEST: Cut = { value: Number.NEGATIVE_INFINITY, after: false };
const HIGHEST: Cut = { value: Number.POSITIVE_INFINITY, after: true };

export class NumberIndex {
  readonly #pairs = new OrderedPairs();
  readonly #forward = new ForwardValues();
  #labels = 0;

  /** @param label not inside  @param values each once, no NaN; none: nothing is kept */
  put(label: number, values: readonly number[]): void {
    if (values.length === 0) return;
    for (const value of values) this.#pairs.add(value, label);
    this.#forward.put(label, values);
    this.#labels += 1;
  }

  /** A label that is not inside is passed over. */
  remove(label: number): void {
    const values = this.#forward.take(label);
    for (const value of values) this.#pairs.remove(value, label);
    if (values.length > 0) this.#labels -= 1;
  }

  within(bounds: RangeBounds): LabelSource {
    const { from, to } = stretchOf(bounds);
    const inside = (value: number): boolean => isBehind(value, from) && !isBehind(value, to);
    return this.#source([{ from, to }], inside);
  }

  /** Labels with any of these numbers, each given once. */
  equalTo(values: readonly number[]): LabelSource {
    const wanted = new Set(values);
    return this.#source(
      values.map((value) => ({ from: { value, after: false }, to: { value, after: true } })),
      (value) => wanted.has(value),
    );
  }

  /** Labels with a number that is none of these. @param holding all labels with a number */
  except(values: readonly number[], holding: Bitmap): LabelSource {
    const named = new Set(values);
    return exceptSource({ holding, named: this.equalTo(values), forward: this.#forward, isOther: (value) => !named.has(value) });
  }

  /** Calls back with each number, ascending, and how many labels have it. Cost: one step a pair. */
  visitCounts(look: (value: number, count: number) => void): void {
    let last = Number.NaN;
    let count = 0;
    this.#pairs.visit(this.#pairs.find(LOWEST), this.#pairs.find(HIGHEST), (_labels, values) => {
      for (const value of values) {
        if (value !== last) {
          if (count > 0) look(last, count);
          last = value;
          count = 0;
        }
        count += 1;
      }
    });
    if (count > 0) look(last, count);
  }

  /** The same of some labels only, in no order. Cost: one step a label. */
  visitCountsAmong(labels: Uint32Array, look: (value: number, count: number) => void): void {
    const counts = new Map<number, number>();
    const addOne = (value: number): boolean => {
      counts.set(value, (counts.get(value) ?? 0) + 1);
      return false;
    };
    for (const label of labels) this.#forward.some(label, addOne);
    counts.forEach((count, value) => {
      look(value, count);
    });
  }

  get memoryBytes(): number {
    return this.#pairs.memoryBytes + this.#forward.memoryBytes;
  }

  /** @param inside is a number in one of the stretches, which do not overlap */
  #source(stretches: readonly Stretch[], inside: (value: number) => boolean): LabelSource {
    const pairs = this.#pairs;
    const count = (): number => stretches.reduce((sum, { from, to }) => sum + pairs.count(pairs.find(from), pairs.find(to)), 0);
    return new MadeOnDemand({
      size: () => {
        const found = count();
        // So many pairs are the second or a later one of their label.
        const extra = pairs.size - this.#labels;
        const expected = pairs.size === 0 ? 0 : (found * this.#labels) / pairs.size;
        return cardinality(found - extra, expected, Math.min(found, this.#labels));
      },
      gather: () => {
        const parts = stretches.map(({ from, to }) => pairs.gather(pairs.find(from), pairs.find(to)));
        const [only] = parts;
        if (only !== undefined && parts.length === 1) return only;
        const loose = new Uint32Array(parts.reduce((sum, part) => sum + part.loose.length, 0));
        let at = 0;
        for (const part of parts) {
          loose.set(part.loose, at);
          at += part.loose.length;
        }
        return { loose, bitmaps: parts.flatMap(({ bitmaps }) => bitmaps) };
      },
      holds: (label) => this.#forward.some(label, inside),
    });
  }
}

function stretchOf({ gt, gte, lt, lte }: RangeBounds): Stretch {
  let from = LOWEST;
  if (gte !== undefined) from = { value: gte, after: false };
  if (gt !== undefined && gt >= from.value) from = { value: gt, after: true };
  let to = HIGHEST;
  if (lte !== undefined) to = { value: lte, after: true };
  if (lt !== undefined && lt <= to.value) to = { value: lt, after: false };
  return { from, to };
}

function isBehind(value: number, cut: Cut): boolean {
  return cut.after ? value > cut.value : value >= cut.value;
}
