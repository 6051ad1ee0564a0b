/** Sets of labels as roaring bitmaps, and the ways into and out of them: loose labels in, a LabelFilter out.
 *
 *  Whoever holds a `Bitmap` reads it and never changes it; only the owner of a `MutableBitmap` does. Their bytes are native and go when the
 *  garbage collector finds the object. Must not know: fields, filters. */

import type { ReadonlyRoaringBitmap32, RoaringBitmap32 } from 'roaring';
import { type LabelFilter, labelFilterOf } from '../model/label-filter.js';
import { loadRoaring } from './roaring-package.js';

export type Bitmap = ReadonlyRoaringBitmap32;
export type MutableBitmap = RoaringBitmap32;

const Roaring = loadRoaring().RoaringBitmap32;
const PAGE_WORDS = 2_048;
const PAGE_BYTES = PAGE_WORDS * 4;
/** So few labels are sorted sooner than marked in pages of bits. */
const SORTED_MAX = 512;
/** Marking is worth its walk over the pages when there are no more words than this for each label. */
const WORDS_PER_LABEL_MAX = 4;
/** First word of the portable form when no container is run-length coded. */
const COOKIE_WITHOUT_RUNS = 12_346;
/** A container with more labels than this is written as 8 KiB of bits. */
const ARRAY_LABELS_MAX = 4_096;

export function emptyBitmap(): MutableBitmap {
  return new Roaring();
}

/** @param labels in any order, repeated or not; may be reordered. Cost: about 10 ns a label, 45 ns when they are spread thin. */
export function bitmapOf(labels: Uint32Array): MutableBitmap {
  if (isAscending(labels)) return new Roaring(labels);
  return new Roaring((labels.length > SORTED_MAX ? sortedByMarks(labels) : null) ?? labels.sort());
}

export function unionOf(bitmaps: readonly Bitmap[]): Bitmap {
  const [only] = bitmaps;
  return only !== undefined && bitmaps.length === 1 ? only : Roaring.orMany(bitmaps);
}

export function intersectionOf(a: Bitmap, b: Bitmap): MutableBitmap {
  return Roaring.and(a, b);
}

/** What is in `a` and not in `b`. */
export function differenceOf(a: Bitmap, b: Bitmap): MutableBitmap {
  return Roaring.andNot(a, b);
}

/** Bytes that a bitmap takes, within a few per cent; measured 230 beside its labels. */
export function bytesOf(bitmap: Bitmap): number {
  return 230 + bitmap.getSerializationSizeInBytes('portable');
}

/** Cost: about 1 µs for each page of 65,536 labels, and 2 ns a label in thin pages. Its pages are those of the portable form of roaring
 *  bitmaps, whose dense containers are copied as they are. Source: github.com/RoaringBitmap/RoaringFormatSpec. */
export function labelFilterOfBitmap(bitmap: Bitmap): LabelFilter {
  const bytes = portableForm(bitmap);
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) !== COOKIE_WITHOUT_RUNS) throw new Error('a bitmap is still run-length coded');
  const pages = view.getUint32(4, true);
  if (pages === 0) return labelFilterOf(new Uint32Array(0));
  const pageOf = new Int32Array(view.getUint16(8 + (pages - 1) * 4, true) + 1).fill(-1);
  const bits = new Uint32Array(pages * PAGE_WORDS);
  const bitBytes = new Uint8Array(bits.buffer);
  for (let page = 0; page < pages; page++) {
    pageOf[view.getUint16(8 + page * 4, true)] = page;
    const count = view.getUint16(10 + page * 4, true) + 1;
    const start = view.getUint32(8 + pages * 4 + page * 4, true);
    if (count > ARRAY_LABELS_MAX) bitBytes.set(bytes.subarray(start, start + PAGE_BYTES), page * PAGE_BYTES);
    else mark(bits, page * PAGE_WORDS, new Uint16Array(bytes.buffer, start, count));
  }
  return { pageOf, bits, size: bitmap.size };
}

/** Without run-length coded containers, such as a union makes of a page that is full. */
function portableForm(bitmap: Bitmap): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bitmap.getSerializationSizeInBytes('portable'));
  bitmap.serialize('portable', bytes);
  if (bytes.length >= 4 && new DataView(bytes.buffer).getUint32(0, true) === COOKIE_WITHOUT_RUNS) return bytes;
  const plain = bitmap.clone();
  plain.removeRunCompression();
  const plainBytes = new Uint8Array(plain.getSerializationSizeInBytes('portable'));
  plain.serialize('portable', plainBytes);
  return plainBytes;
}

function mark(bits: Uint32Array, firstWord: number, lowHalves: Uint16Array): void {
  for (const low of lowHalves) {
    const word = firstWord + (low >>> 5);
    bits[word] = (bits[word] as number) | (1 << (low & 31));
  }
}

function isAscending(labels: Uint32Array): boolean {
  for (let place = 1; place < labels.length; place++) {
    if ((labels[place] as number) <= (labels[place - 1] as number)) return false;
  }
  return true;
}

/** Labels ascending, each once, by marking them in pages of bits; null when they are spread so thin that sorting is cheaper. */
function sortedByMarks(labels: Uint32Array): Uint32Array | null {
  const pagesMax = (labels.length * WORDS_PER_LABEL_MAX) / PAGE_WORDS + 1;
  const numbers = new Set<number>();
  let last = -1;
  for (const label of labels) {
    const number = label >>> 16;
    if (number === last) continue;
    last = number;
    numbers.add(number);
    if (numbers.size > pagesMax) return null;
  }
  const ascending = Uint32Array.from(numbers).sort();
  const pageOf = new Int32Array((ascending.at(-1) as number) + 1);
  for (const [page, number] of ascending.entries()) pageOf[number] = page;
  const bits = new Uint32Array(ascending.length * PAGE_WORDS);
  for (const label of labels) {
    const word = (pageOf[label >>> 16] as number) * PAGE_WORDS + ((label & 0xffff) >>> 5);
    bits[word] = (bits[word] as number) | (1 << (label & 31));
  }
  return markedLabels(ascending, bits, labels);
}

/** @param into where they are written; as long as the labels that were marked, or longer */
function markedLabels(pageNumbers: Uint32Array, bits: Uint32Array, into: Uint32Array): Uint32Array {
  let at = 0;
  for (let word = 0; word < bits.length; word++) {
    let rest = bits[word] as number;
    if (rest === 0) continue;
    const base = (pageNumbers[Math.floor(word / PAGE_WORDS)] as number) * 65_536 + (word % PAGE_WORDS) * 32;
    while (rest !== 0) {
      into[at++] = base + 31 - Math.clz32(rest & -rest);
      rest &= rest - 1;
    }
  }
  return into.subarray(0, at);
}
