/** Makes payload indexes. */

import type { PayloadIndexSpec, PayloadIndexType } from '../model/collection.js';
import { FacetCounts } from '../model/facet.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelsOf } from '../model/label-filter.js';
import type { Payload, PointId } from '../model/point.js';
import { AnswerCache } from './answer-cache.js';
import { type Bitmap, bitmapOf, bytesOf, emptyBitmap, intersectionOf, labelFilterOfBitmap } from './bitmap.js';
import { FilterBounds, isExact } from './filter-bounds.js';
import { type Cardinality, cardinality, exactly, HeldLabels } from './label-source.js';
import { PayloadField } from './payload-field.js';
import type { Facet, FilterMatch, PayloadIndex, ResolveIds } from './payload-index.js';
import { type Found, PayloadWalk } from './payload-walk.js';
import { SetAlgebra } from './set-algebra.js';

/** @param specs a path may be declared with several types. The index is empty. */
export function createPayloadIndex(specs: readonly PayloadIndexSpec[]): PayloadIndex {
  return new FieldsIndex(specs);
}

interface Declared {
  readonly field: PayloadField;
  readonly types: ReadonlySet<PayloadIndexType>;
  /** What the walk through a payload found there. */
  readonly found: Found;
}

/** What the fields hold is summed anew when more than this share of the labels has changed. */
const RESUM_SHARE = 1 / 16;

class FieldsIndex implements PayloadIndex {
  readonly specs: readonly PayloadIndexSpec[];
  readonly #declared = new Map<string, Declared>();
  readonly #fields = new Map<string, PayloadField>();
  readonly #walk = new PayloadWalk();
  readonly #live = emptyBitmap();
  readonly #answers = new AnswerCache();
  #changes = 0;
  /** Bytes of the fields, and how many changes there were when they were summed. */
  #fieldBytes = 0;
  #summedAt = -1;

  constructor(specs: readonly PayloadIndexSpec[]) {
    this.specs = specs;
    for (const path of new Set(specs.map((spec) => spec.path))) {
      const types = new Set(specs.filter((spec) => spec.path === path).map((spec) => spec.type));
      const field = new PayloadField(types);
      this.#declared.set(path, { field, types, found: this.#walk.follow(path) });
      this.#fields.set(path, field);
    }
  }

  put(label: number, payload: Payload): void {
    if (!this.#live.tryAdd(label)) for (const field of this.#fields.values()) field.remove(label);
    this.#walk.walk(payload);
    for (const { field, found } of this.#declared.values()) field.put(label, found);
    this.#changed();
  }

  remove(label: number): void {
    if (!this.#live.delete(label)) return;
    for (const field of this.#fields.values()) field.remove(label);
    this.#changed();
  }

  #changed(): void {
    this.#changes += 1;
    this.#answers.clear();
  }

  has(label: number): boolean {
    return this.#live.has(label);
  }

  get size(): number {
    return this.#live.size;
  }

  get changes(): number {
    return this.#changes;
  }

  get memoryBytes(): number {
    const changed = this.#changes - this.#summedAt;
    if (changed > this.size * RESUM_SHARE) {
      this.#fieldBytes = 0;
      for (const field of this.#fields.values()) this.#fieldBytes += field.memoryBytes;
      this.#summedAt = this.#changes;
    }
    return bytesOf(this.#live) + this.#answers.memoryBytes + this.#fieldBytes;
  }

  match(filter: Filter, resolveIds: ResolveIds): FilterMatch {
    const kept = this.#answers.get(filter);
    if (kept !== undefined) return kept;
    const { labels, exact, unindexed } = this.#labelsOf(filter, resolveIds);
    const answer = { labels: labelFilterOfBitmap(labels), exact, unindexed };
    this.#answers.set(filter, answer);
    return answer;
  }

  forgetAnswers(): void {
    this.#answers.clear();
  }

  estimate(filter: Filter, resolveIds: ResolveIds): Cardinality {
    const kept = this.#answers.get(filter);
    if (kept?.exact === true) return exactly(kept.labels.size);
    const { bounds } = this.#read(filter, resolveIds);
    const possible = bounds.possible.size();
    if (isExact(bounds)) return possible;
    const certain = bounds.certain.size();
    return cardinality(certain.least, (certain.expected + possible.expected) / 2, possible.most);
  }

  facet(path: string, among: LabelFilter | null, limit: number): Facet | null {
    const declared = this.#declared.get(path);
    if (declared === undefined) return null;
    const { field, types } = declared;
    if (!(field.terms !== null || field.numberValues !== null || types.has('bool'))) return null;
    const labels = among === null ? null : labelsOf(among);
    const counted = labels === null ? null : bitmapOf(labels);
    const counts = new FacetCounts(limit);
    const add = (value: string | number, count: number): void => counts.add(value, count);
    const sizeAmong = (set: Bitmap): number => (counted === null ? set.size : set.andCardinality(counted));
    counts.add(true, sizeAmong(field.trues));
    counts.add(false, sizeAmong(field.falses));
    if (labels === null) {
      field.terms?.visitCounts(add);
      field.numberValues?.visitCounts(add);
    } else {
      field.terms?.visitCountsAmong(labels, add);
      field.numberValues?.visitCountsAmong(labels, add);
    }
    const passedOver =
      (field.terms === null ? sizeAmong(field.texts) : 0) + (field.numberValues === null ? sizeAmong(field.numbers) : 0);
    return { values: counts.values(), exact: passedOver === 0 };
  }

  #labelsOf(filter: Filter, resolveIds: ResolveIds): { labels: Bitmap } & Omit<FilterMatch, 'labels'> {
    const { bounds, unindexed } = this.#read(filter, resolveIds);
    const labels = bounds.possible.labels();
    // One lies within the other, so they are equal when they are equally large.
    const exact = isExact(bounds) || bounds.certain.labels().size === labels.size;
    return { labels, exact, unindexed: exact ? [] : unindexed };
  }

  #read(filter: Filter, resolveIds: ResolveIds): FilterBounds {
    const labelsOfIds = (ids: readonly PointId[]): HeldLabels =>
      new HeldLabels(intersectionOf(bitmapOf(resolveIds(ids).slice()), this.#live));
    return new FilterBounds(filter, { fields: this.#fields, algebra: new SetAlgebra(this.#live), labelsOfIds });
  }
}
