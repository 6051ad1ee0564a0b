/** The door of the payload index: filters answered from bitmaps over the declared payload fields of one collection.
 *
 *  It holds the live labels that its owner puts, and for each declared field what their payloads have there. The meaning of filters is
 *  that of search/evaluate-filter.ts: an answer is exact where the declared fields can tell, and else holds more labels, never fewer.
 *  Must not know: threads, storage, vectors, ids (it is told the labels of those that a filter names). The store is the truth; everything
 *  here can be rebuilt from it. */

import type { PayloadIndexSpec } from '../model/collection.js';
import type { FacetValue } from '../model/facet.js';
import type { Filter } from '../model/filter.js';
import type { LabelFilter } from '../model/label-filter.js';
import type { Payload, PointId } from '../model/point.js';
import type { UnindexedCondition } from './filter-bounds.js';
import type { Cardinality } from './label-source.js';

/** Labels of the points with these ids, in any order; ids of no point are left out. */
export type ResolveIds = (ids: readonly PointId[]) => Uint32Array;

export interface FilterMatch {
  /** All labels that match; when not exact, others too. Its arrays may be handed out again: they must not be changed or transferred. */
  readonly labels: LabelFilter;
  readonly exact: boolean;
  /** Why it is not exact: the conditions that were not answered from an index, and the type of index that would answer each (null: none
   *  would). Empty when it is exact. */
  readonly unindexed: readonly UnindexedCondition[];
}

export interface Facet {
  /** Most frequent first. */
  readonly values: readonly FacetValue[];
  /** False: some of the points have values of kinds that are not indexed; those are not counted. */
  readonly exact: boolean;
}

export interface PayloadIndex {
  readonly specs: readonly PayloadIndexSpec[];
  /** Adds a label, or replaces what was known of it. Cost: about 1 µs a declared field. */
  put(label: number, payload: Payload): void;
  /** A label that is not inside is passed over. */
  remove(label: number): void;
  has(label: number): boolean;
  /** Labels inside. */
  readonly size: number;
  /** Estimated from counts; the newest changes may be missing. Cost: one step for each distinct keyword, for every sixteenth of the labels
   *  that changed. */
  readonly memoryBytes: number;
  /** Goes up with every put, and every removal of a label that was inside. */
  readonly changes: number;
  /** Cost: about 10 µs where bitmaps are there already, 20 ns for each label that a range gathers, 50 ns for a region or rare terms; so a
   *  thousand conditions over 100,000 labels each take seconds, as they do when points are looked at one by one.
   *  Answers are kept and given again until the next change. */
  match(filter: Filter, resolveIds: ResolveIds): FilterMatch;
  /** Forgets the answers that are kept. */
  forgetAnswers(): void;
  /** How many labels match the filter (when it cannot be told exactly: matching labels, not the superset that match() gives).
   *  Cost: some microseconds a condition, up to 0.3 ms for a region or a list of thousands; no bitmap is made. */
  estimate(filter: Filter, resolveIds: ResolveIds): Cardinality;
  /** Counts the points that have each value of a field: texts of a keyword field, numbers of an integer or float field, booleans of any of
   *  these and of a bool field.
   *  @param among the labels that are counted; those not inside are passed over; null: all  @param limit how many values at most
   *  @throws PayloadTooLarge (the values)
   *  @returns null when the path is not declared with a type that has values (datetime and geo have none)
   *  Cost: one step for each of the labels; of all, for each distinct text and each number. */
  facet(path: string, among: LabelFilter | null, limit: number): Facet | null;
}
