/** The labels of one term in the form that is smallest for how many they are: the label itself, a short list in no order, a bitmap.
 *  A bitmap costs some 330 bytes before its first label, a short list 8 a label; many terms have few labels. */

import { type Bitmap, emptyBitmap, type MutableBitmap } from './bitmap.js';

export type Posting = number | number[] | MutableBitmap;

const LIST_LABELS_MAX = 32;
/** A bitmap that shrinks becomes a list again here, so that a term on the border does not go to and fro. */
const LIST_LABELS_AGAIN = 16;

/** @param label not inside */
export function postingWith(posting: Posting | undefined, label: number): Posting {
  if (posting === undefined) return label;
  if (typeof posting === 'number') return [posting, label];
  if (!Array.isArray(posting)) return posting.add(label);
  if (posting.length < LIST_LABELS_MAX) {
    posting.push(label);
    return posting;
  }
  const bitmap = emptyBitmap();
  for (const one of posting) bitmap.add(one);
  return bitmap.add(label);
}

/** @returns undefined when no label is left */
export function postingWithout(posting: Posting, label: number): Posting | undefined {
  if (typeof posting === 'number') return posting === label ? undefined : posting;
  if (Array.isArray(posting)) {
    const place = posting.indexOf(label);
    if (place >= 0) posting.splice(place, 1);
    return posting.length > 1 ? posting : posting[0];
  }
  posting.delete(label);
  return posting.size > LIST_LABELS_AGAIN ? posting : posting.toArray();
}

export function postingSize(posting: Posting): number {
  if (typeof posting === 'number') return 1;
  return Array.isArray(posting) ? posting.length : posting.size;
}

/** All of them as loose labels and whole bitmaps. */
export function gatherPostings(postings: readonly Posting[]): { loose: Uint32Array; bitmaps: Bitmap[] } {
  const loose: number[] = [];
  const bitmaps: Bitmap[] = [];
  for (const posting of postings) {
    if (typeof posting === 'number') loose.push(posting);
    else if (Array.isArray(posting)) for (const label of posting) loose.push(label);
    else bitmaps.push(posting);
  }
  return { loose: Uint32Array.from(loose), bitmaps };
}
