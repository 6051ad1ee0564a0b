/** And, or, not and at-least-so-many over sets of labels that are not there yet.
 *
 *  An intersection begins with its smallest part, and what is wide by comparison is asked about the few labels that are left instead of
 *  being made. Must not know: fields, filters. */

import { type Bitmap, bitmapOf, differenceOf, emptyBitmap, intersectionOf, type MutableBitmap, unionOf } from './bitmap.js';
import { type Cardinality, cardinality, exactly, HeldLabels, type LabelSource, NO_LABELS } from './label-source.js';

/** A part so many times larger than what is left is asked label by label. */
const ASKED_WHEN_TIMES_LARGER = 16;

/** @property all every live label: the ground that `not` and empty demands stand on */
export class SetAlgebra {
  readonly all: LabelSource;

  constructor(live: Bitmap) {
    this.all = new HeldLabels(live);
  }

  and(parts: readonly LabelSource[]): LabelSource {
    if (parts.includes(NO_LABELS)) return NO_LABELS;
    const some = parts.filter((part) => part !== this.all);
    const [first] = some;
    if (first === undefined) return this.all;
    return some.length === 1 ? first : new Intersection(some, this.all);
  }

  or(parts: readonly LabelSource[]): LabelSource {
    if (parts.includes(this.all)) return this.all;
    const some = parts.filter((part) => part !== NO_LABELS);
    const [first] = some;
    if (first === undefined) return NO_LABELS;
    return some.length === 1 ? first : new Union(some, this.all);
  }

  not(part: LabelSource): LabelSource {
    if (part === NO_LABELS) return this.all;
    return part === this.all ? NO_LABELS : new Complement(part, this.all);
  }

  atLeast(parts: readonly LabelSource[], count: number): LabelSource {
    if (count <= 0) return this.all;
    if (count > parts.length) return NO_LABELS;
    if (count === 1) return this.or(parts);
    return count === parts.length ? this.and(parts) : new Threshold(parts, count, this.all);
  }
}

class Intersection implements LabelSource {
  readonly #parts: readonly LabelSource[];
  readonly #all: LabelSource;
  #labels: Bitmap | null = null;

  constructor(parts: readonly LabelSource[], all: LabelSource) {
    this.#parts = parts;
    this.#all = all;
  }

  size(): Cardinality {
    return atLeastSize(
      this.#parts.map((part) => part.size()),
      this.#parts.length,
      this.#all.size().most,
    );
  }

  labels(): Bitmap {
    this.#labels ??= this.#make();
    return this.#labels;
  }

  #make(): Bitmap {
    const sized = this.#parts.map((part) => ({ part, most: part.size().most }));
    sized.sort((a, b) => a.most - b.most);
    const positive = sized.filter(({ part }) => !(part instanceof Complement));
    const negative = sized.filter(({ part }) => part instanceof Complement);
    let left = (positive[0]?.part ?? this.#all).labels();
    for (const { part, most } of [...positive.slice(1), ...negative]) {
      if (left.isEmpty) break;
      if (!(part instanceof HeldLabels) && left.size * ASKED_WHEN_TIMES_LARGER < workOf(part, most)) left = asked(left, part);
      else if (part instanceof Complement) left = differenceOf(left, part.of.labels());
      else left = intersectionOf(left, part.labels());
    }
    return left;
  }

  holds(label: number): boolean {
    return this.#parts.every((part) => part.holds(label));
  }
}

/** How many labels must be put together for a part. */
function workOf(part: LabelSource, most: number): number {
  if (!(part instanceof Complement)) return most;
  return part.of instanceof HeldLabels ? 0 : part.of.size().most;
}

function asked(labels: Bitmap, part: LabelSource): Bitmap {
  return bitmapOf(labels.toUint32Array().filter((label) => part.holds(label)));
}

class Union implements LabelSource {
  readonly #parts: readonly LabelSource[];
  readonly #all: LabelSource;
  #labels: Bitmap | null = null;

  constructor(parts: readonly LabelSource[], all: LabelSource) {
    this.#parts = parts;
    this.#all = all;
  }

  size(): Cardinality {
    return atLeastSize(
      this.#parts.map((part) => part.size()),
      1,
      this.#all.size().most,
    );
  }

  labels(): Bitmap {
    this.#labels ??= unionOf(this.#parts.map((part) => part.labels()));
    return this.#labels;
  }

  holds(label: number): boolean {
    return this.#parts.some((part) => part.holds(label));
  }
}

class Complement implements LabelSource {
  readonly of: LabelSource;
  readonly #all: LabelSource;
  #labels: Bitmap | null = null;

  constructor(of: LabelSource, all: LabelSource) {
    this.of = of;
    this.#all = all;
  }

  size(): Cardinality {
    return complementSize(this.of.size(), this.#all.size().most);
  }

  labels(): Bitmap {
    this.#labels ??= differenceOf(this.#all.labels(), this.of.labels());
    return this.#labels;
  }

  holds(label: number): boolean {
    return !this.of.holds(label);
  }
}

class Threshold implements LabelSource {
  readonly #parts: readonly LabelSource[];
  readonly #count: number;
  readonly #all: LabelSource;
  #labels: Bitmap | null = null;

  constructor(parts: readonly LabelSource[], count: number, all: LabelSource) {
    this.#parts = parts;
    this.#count = count;
    this.#all = all;
  }

  size(): Cardinality {
    return atLeastSize(
      this.#parts.map((part) => part.size()),
      this.#count,
      this.#all.size().most,
    );
  }

  labels(): Bitmap {
    this.#labels ??= above(counted(this.#parts), this.#count - 1, this.#all.labels());
    return this.#labels;
  }

  holds(label: number): boolean {
    let count = 0;
    for (const part of this.#parts) if (count < this.#count && part.holds(label)) count += 1;
    return count >= this.#count;
  }
}

/** How many parts each label is in, as binary numbers written across bitmaps: digit i of all labels is bitmap i. So a thousand parts cost
 *  a thousand additions of a few bitmaps each, whatever the count that is asked for. */
function counted(parts: readonly LabelSource[]): readonly MutableBitmap[] {
  const digits: MutableBitmap[] = [];
  for (const part of parts) {
    let carry = part.labels();
    for (let place = 0; !carry.isEmpty; place++) {
      const digit = digits[place] ?? emptyBitmap();
      digits[place] = digit;
      const next = intersectionOf(digit, carry);
      digit.xorInPlace(carry);
      carry = next;
    }
  }
  return digits;
}

/** The labels whose number is above `limit`, compared digit by digit from the highest. */
function above(digits: readonly Bitmap[], limit: number, all: Bitmap): Bitmap {
  if (limit >= 2 ** digits.length) return emptyBitmap();
  const over = emptyBitmap();
  let level = all;
  for (let place = digits.length - 1; place >= 0; place--) {
    const digit = digits[place] as Bitmap;
    const both = intersectionOf(level, digit);
    if (Math.floor(limit / 2 ** place) % 2 === 1) level = both;
    else {
      over.orInPlace(both);
      level = differenceOf(level, digit);
    }
  }
  return over;
}

function complementSize(size: Cardinality, all: number): Cardinality {
  return { least: Math.max(0, all - size.most), expected: Math.max(0, all - size.expected), most: all - size.least };
}

/** Of labels that are in at least `count` of the parts, 1 ≤ count ≤ parts. One that is not is outside of more than parts − count. */
function atLeastSize(parts: readonly Cardinality[], count: number, all: number): Cardinality {
  if (all === 0) return exactly(0);
  const most = mostIn(
    parts.map((part) => part.most),
    count,
    all,
  );
  const fails = mostIn(
    parts.map((part) => all - part.least),
    parts.length - count + 1,
    all,
  );
  const chances = parts.map((part) => part.expected / all);
  return cardinality(all - fails, all * chanceOfAtLeast(chances, count), most);
}

/** Labels in at least `count` sets of these sizes: each takes so many places, and is in one of any parts − count + 1 of them. */
function mostIn(sizes: readonly number[], count: number, all: number): number {
  const ascending = [...sizes].sort((a, b) => a - b);
  const sum = (list: readonly number[]): number => list.reduce((total, size) => total + size, 0);
  return Math.min(all, Math.floor(sum(ascending) / count), sum(ascending.slice(0, ascending.length - count + 1)));
}

/** As if the parts knew nothing of each other. Cost: parts × count. */
function chanceOfAtLeast(chances: readonly number[], count: number): number {
  if (count === 1) return 1 - chances.reduce((none, chance) => none * (1 - chance), 1);
  if (count === chances.length) return chances.reduce((every, chance) => every * chance, 1);
  const reached = new Float64Array(count + 1);
  reached[0] = 1;
  for (const chance of chances) {
    for (let number = count; number >= 0; number--) {
      const stays = number === count ? 1 : 1 - chance;
      reached[number] = (reached[number] as number) * stays + (number > 0 ? (reached[number - 1] as number) * chance : 0);
    }
  }
  return reached[count] as number;
}
