/** One declared field: which labels have what kind of value there, and indexes over the values of the declared types.
 *
 *  For every field, whatever its type: present, null, true, false, and which labels have any text, any number, any object, so that a
 *  condition on values that are not indexed is still answered by those that can match at all.
 *  Invariant: each set and index has exactly the labels whose last put has such a value. Must not know: filters (field-answer.ts). */

import type { PayloadIndexType } from '../model/collection.js';
import { parseInstant } from '../model/instant.js';
import { bytesOf, emptyBitmap, type MutableBitmap } from './bitmap.js';
import { NumberIndex } from './number-index.js';
import type { Found } from './payload-walk.js';
import { PlaceIndex } from './place-index.js';
import { TermIndex } from './term-index.js';

export class PayloadField {
  readonly present = emptyBitmap();
  readonly nulls = emptyBitmap();
  readonly trues = emptyBitmap();
  readonly falses = emptyBitmap();
  readonly texts = emptyBitmap();
  readonly numbers = emptyBitmap();
  readonly objects = emptyBitmap();
  /** Labels where an array stands on the way to the path's end. */
  readonly crossed = emptyBitmap();
  /** Labels with one value at the path that counts 1; the counts of all others are in `counts`. */
  readonly ones = emptyBitmap();
  readonly counts = new TermIndex<number>();
  readonly terms: TermIndex<string> | null;
  readonly numberValues: NumberIndex | null;
  readonly instants: NumberIndex | null;
  readonly places: PlaceIndex | null;

  constructor(types: ReadonlySet<PayloadIndexType>) {
    this.terms = types.has('keyword') ? new TermIndex() : null;
    this.numberValues = types.has('integer') || types.has('float') ? new NumberIndex() : null;
    this.instants = types.has('datetime') ? new NumberIndex() : null;
    this.places = types.has('geo') ? new PlaceIndex() : null;
  }

  /** @param label not inside */
  put(label: number, found: Found): void {
    if (!found.present) return;
    this.present.add(label);
    if (found.hasNull) this.nulls.add(label);
    if (found.hasTrue) this.trues.add(label);
    if (found.hasFalse) this.falses.add(label);
    if (found.hasObject) this.objects.add(label);
    if (found.crossed) this.crossed.add(label);
    if (found.counts.length === 1 && found.counts[0] === 1) this.ones.add(label);
    else this.counts.put(label, distinct(found.counts));
    if (found.texts.length > 0) this.#putTexts(label, distinct(found.texts));
    if (found.numbers.length > 0) {
      this.numbers.add(label);
      this.numberValues?.put(label, distinct(found.numbers));
    }
    this.places?.put(label, found.places);
  }

  #putTexts(label: number, texts: readonly string[]): void {
    this.texts.add(label);
    this.terms?.put(label, texts);
    if (this.instants === null) return;
    const instants = texts.map(parseInstant).filter((instant) => instant !== null);
    this.instants.put(label, distinct(instants));
  }

  /** A label that is not inside is passed over. */
  remove(label: number): void {
    if (!this.present.delete(label)) return;
    for (const set of [this.nulls, this.trues, this.falses, this.objects, this.crossed]) set.delete(label);
    if (!this.ones.delete(label)) this.counts.remove(label);
    if (this.texts.delete(label)) {
      this.terms?.remove(label);
      this.instants?.remove(label);
    }
    if (this.numbers.delete(label)) this.numberValues?.remove(label);
    this.places?.remove(label);
  }

  get memoryBytes(): number {
    const sets: MutableBitmap[] = [
      this.present,
      this.nulls,
      this.trues,
      this.falses,
      this.texts,
      this.numbers,
      this.objects,
      this.crossed,
      this.ones,
    ];
    const indexes = [this.counts, this.terms, this.numberValues, this.instants, this.places];
    return (
      sets.reduce((bytes, set) => bytes + bytesOf(set), 0) +
      indexes.reduce((bytes, index) => bytes + (index?.memoryBytes ?? 0), 0)
    );
  }
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return values.length > 1 ? [...new Set(values)] : values;
}
