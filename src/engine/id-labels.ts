/** The labels under which points with given ids are inside an index that may lag behind the store; each id is looked up once.
 *
 *  Good for one question: the index stands still meanwhile. Must not know: filters, threads. */

import type { PointId } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { deathsBetween } from './deaths.js';

/** An index as it stands, maybe behind the store. */
export interface StandingIndex {
  readonly seq: number;
  isInside(label: number): boolean;
}

export class IdLabels {
  readonly #reads: StoreReads;
  readonly #uid: number;
  readonly #index: StandingIndex;
  readonly #known = new Map<PointId, readonly number[]>();
  #dead: ReadonlyMap<PointId, readonly number[]> | null = null;

  constructor(reads: StoreReads, uid: number, index: StandingIndex) {
    this.#reads = reads;
    this.#uid = uid;
    this.#index = index;
  }

  /** Ascending. Cost: a row for each id that was not asked for before; while the index lags also one for each that died since, once. */
  of(ids: readonly PointId[]): Uint32Array {
    const labels = new Set<number>();
    for (const id of ids) for (const label of this.#labelsOf(id)) labels.add(label);
    return Uint32Array.from(labels).sort();
  }

  #labelsOf(id: PointId): readonly number[] {
    const known = this.#known.get(id) ?? this.#find(id);
    this.#known.set(id, known);
    return known;
  }

  #find(id: PointId): readonly number[] {
    let row = this.#reads.headById(this.#uid, id);
    while (row !== undefined && !this.#index.isInside(row.label))
      row = row.prevLabel === null ? undefined : this.#reads.headByLabel(this.#uid, row.prevLabel);
    if (row !== undefined) return [row.label];
    // A point that was deleted, or deleted and put again, may still be inside under the label it had.
    this.#dead ??= this.#deadInside();
    return this.#dead.get(id) ?? [];
  }

  /** Points inside the index whose rows died after its seq. */
  #deadInside(): ReadonlyMap<PointId, readonly number[]> {
    const found = new Map<PointId, number[]>();
    for (const { label } of deathsBetween(this.#reads, this.#uid, this.#index.seq, this.#reads.state().seq)) {
      const id = this.#index.isInside(label) ? this.#reads.headByLabel(this.#uid, label)?.id : undefined;
      if (id !== undefined) found.set(id, [...(found.get(id) ?? []), label]);
    }
    return found;
  }
}
