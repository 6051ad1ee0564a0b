/** The payload index of a collection in one worker: the one that answers, and the next one while the declared fields change.
 *
 *    filled ─ declare ─► filling beside ─ all rows read ─► filled with the new fields
 *
 *  After a start from a checkpoint the index itself is filled from rows in the same way. Rows that come, change and go meanwhile are taken
 *  into both, so a fill may read a row in whatever state it finds it.
 *  Invariant: where fields are declared, no label comes in without its payload: one that was read without is read here, because it may
 *  have been read before the fields were declared. Must not know: vectors, texts, threads. */

import type { PayloadIndexSpec } from '../model/collection.js';
import type { Payload } from '../model/point.js';
import { createPayloadIndex } from '../payload-index/open-index.js';
import type { PayloadIndex } from '../payload-index/payload-index.js';
import type { StoreReads } from '../storage/storage.js';
import { payloadOf } from './stored-payload.js';

const PAGE_ROWS = 256;
const PAGE_BYTES = 1024 * 1024;
const NOTHING: Payload = {};

interface Fill {
  readonly target: PayloadIndex;
  nextLabel: number;
}

export class PayloadSide {
  readonly #reads: StoreReads;
  readonly #uid: number;
  /** Is the label inside, so that it belongs into a fill? */
  readonly #isInside: (label: number) => boolean;
  #index: PayloadIndex;
  #fill: Fill | null = null;

  constructor(reads: StoreReads, uid: number, specs: readonly PayloadIndexSpec[], isInside: (label: number) => boolean) {
    this.#reads = reads;
    this.#uid = uid;
    this.#isInside = isInside;
    this.#index = createPayloadIndex(specs);
  }

  /** What answers filters. */
  get index(): PayloadIndex {
    return this.#index;
  }

  get needsPayload(): boolean {
    return this.#index.specs.length > 0 || (this.#fill !== null && this.#fill.target.specs.length > 0);
  }

  /** Does the index that answers have every label inside? */
  get complete(): boolean {
    return this.#fill?.target !== this.#index;
  }

  /** How far the fields that were declared last are read, 0 … 1; 1 when they answer. @param nextLabel of the collection */
  progress(nextLabel: number): number {
    return this.#fill === null ? 1 : Math.min(0.999, this.#fill.nextLabel / Math.max(1, nextLabel));
  }

  /** Forgets answers that are kept for the same filters. */
  relieve(): void {
    for (const index of this.#both()) index.forgetAnswers();
  }

  /** Estimated; 0 while nothing is inside. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const index of this.#both()) if (index.size > 0) bytes += index.memoryBytes;
    return bytes;
  }

  /** @param payload null: it was not read with the row */
  put(label: number, payload: Uint8Array | null): void {
    const fields = this.needsPayload ? this.#fieldsOf(label, payload) : NOTHING;
    for (const index of this.#both()) index.put(label, fields);
  }

  /** A row that is gone died long ago: who keeps the index level takes it out. */
  #fieldsOf(label: number, payload: Uint8Array | null): Payload {
    const row = payload === null ? this.#reads.pointByLabel(this.#uid, label) : { payload };
    return row === undefined ? NOTHING : payloadOf(row);
  }

  remove(label: number): void {
    for (const index of this.#both()) index.remove(label);
  }

  *#both(): Generator<PayloadIndex> {
    yield this.#index;
    if (this.#fill !== null && this.#fill.target !== this.#index) yield this.#fill.target;
  }

  /** Labels are inside that this index was not told of: they are read from the store by work(). @param labels ascending */
  refill(labels: Uint32Array): void {
    if (this.#index.specs.length > 0) this.#fill = { target: this.#index, nextLabel: 0 };
    else for (const label of labels) this.#index.put(label, NOTHING);
  }

  /** Other fields from now on; filters are answered by those before until the new ones are read. */
  declare(specs: readonly PayloadIndexSpec[], labels: Uint32Array): void {
    if (this.complete && specs.length > 0) {
      this.#fill = { target: createPayloadIndex(specs), nextLabel: 0 };
      return;
    }
    this.#fill = null;
    this.#index = createPayloadIndex(specs);
    this.refill(labels);
  }

  /** Reads on for about budgetMs. @returns true when there is nothing more to read */
  work(budgetMs: number): boolean {
    const fill = this.#fill;
    if (fill === null) return true;
    const until = performance.now() + budgetMs;
    do {
      const rows = this.#reads.labelsFrom(this.#uid, fill.nextLabel, PAGE_ROWS, PAGE_BYTES, true);
      for (const { label, payload } of rows) {
        if (payload !== null && this.#isInside(label)) fill.target.put(label, payloadOf({ payload }));
      }
      const last = rows.at(-1);
      if (last === undefined) {
        this.#index = fill.target;
        this.#fill = null;
        return true;
      }
      fill.nextLabel = last.label + 1;
    } while (performance.now() < until);
    return false;
  }
}
