/** Row keys: the point and the vectors of (collection uid, label) stand under uid · 2^31 + label in their tables.
 *
 *  So a collection is one range of keys, and key order within it is label order. uid < 2^22 keeps a key an exact integer. */

import { FIXED } from '../model/limits.js';

const LABELS_PER_UID = 2 ** 31;

/** @throws RangeError when uid or label is outside its range */
export function rowKey(uid: number, label: number): number {
  if (!Number.isInteger(label) || label < 0 || label > FIXED.labelMax) throw new RangeError(`${label} is not a label`);
  return firstKeyOf(uid) + label;
}

/** The first key of a collection; firstKeyOf(uid + 1) ends its range. */
export function firstKeyOf(uid: number): number {
  if (!Number.isInteger(uid) || uid < 0 || uid > FIXED.collectionUidMax + 1)
    throw new RangeError(`${uid} is not a collection uid`);
  return uid * LABELS_PER_UID;
}

export function uidOfKey(key: number): number {
  return Math.floor(key / LABELS_PER_UID);
}

export function labelOfKey(key: number): number {
  return key % LABELS_PER_UID;
}

/** Digest pages stand under uid · 64 + page. @throws RangeError when page is outside its range */
export function pageKey(uid: number, page: number): number {
  if (!Number.isInteger(page) || page < 0 || page >= PAGES_PER_COLLECTION) throw new RangeError(`${page} is not a digest page`);
  return uid * PAGES_PER_COLLECTION + page;
}

export const PAGES_PER_COLLECTION = FIXED.digestBuckets / FIXED.digestBucketsPerPage;
