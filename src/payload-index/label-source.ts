/** Sets of labels that are not there yet: how large they are is known before they are made, and often one label can be asked about
 *  without making them. What fields answer with, and what filters are put together from (set-algebra.ts).
 *
 *  Invariant: least ≤ size of labels() ≤ most, and holds(label) says whether labels() has it, for live labels; all of it until the next
 *  change of the index. Must not know: fields, filters. */

import { type Bitmap, bitmapOf, emptyBitmap, unionOf } from './bitmap.js';

/** How many labels something has. */
export interface Cardinality {
  readonly least: number;
  /** A guess between the two, whole. */
  readonly expected: number;
  readonly most: number;
}

export interface LabelSource {
  /** Cost: no bitmap is made. */
  size(): Cardinality;
  /** Cost: makes the bitmap when it is asked for the first time. */
  labels(): Bitmap;
  holds(label: number): boolean;
}

export function exactly(count: number): Cardinality {
  return { least: count, expected: count, most: count };
}

/** @returns the guess made whole and put between the bounds, and the bounds in their order */
export function cardinality(least: number, expected: number, most: number): Cardinality {
  const low = Math.max(0, Math.min(least, most));
  return { least: low, expected: Math.round(Math.min(most, Math.max(low, expected))), most };
}

/** A bitmap that is there already. */
export class HeldLabels implements LabelSource {
  readonly #labels: Bitmap;

  constructor(labels: Bitmap) {
    this.#labels = labels;
  }

  size(): Cardinality {
    return exactly(this.#labels.size);
  }

  labels(): Bitmap {
    return this.#labels;
  }

  holds(label: number): boolean {
    return this.#labels.has(label);
  }
}

export const NO_LABELS: LabelSource = new HeldLabels(emptyBitmap());

export interface MadeLabels {
  readonly size: () => Cardinality;
  /** Loose labels in any order, repeated or not, and whole bitmaps. */
  readonly gather: () => { readonly loose: Uint32Array; readonly bitmaps: readonly Bitmap[] };
  readonly holds: (label: number) => boolean;
}

/** A bitmap that is made when it is asked for, and then kept. */
export class MadeOnDemand implements LabelSource {
  readonly #made: MadeLabels;
  #size: Cardinality | null = null;
  #labels: Bitmap | null = null;

  constructor(made: MadeLabels) {
    this.#made = made;
  }

  size(): Cardinality {
    if (this.#labels !== null) return exactly(this.#labels.size);
    this.#size ??= this.#made.size();
    return this.#size;
  }

  labels(): Bitmap {
    if (this.#labels === null) {
      const { loose, bitmaps } = this.#made.gather();
      this.#labels = loose.length > 0 || bitmaps.length === 0 ? unionOf([...bitmaps, bitmapOf(loose)]) : unionOf(bitmaps);
    }
    return this.#labels;
  }

  holds(label: number): boolean {
    return this.#labels?.has(label) ?? this.#made.holds(label);
  }
}
