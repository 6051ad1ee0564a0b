/** What a vector is multiplied with before the graph sees it, so that float32 holds what the graph computes from it.
 *
 *  The graph ranks by sums in float32: of squared differences for euclid, and for cosine over copies of length 1; 1 − product for dot.
 *  Long vectors overflow there, short ones vanish, and beside the 1 a small product is rounded away. So
 *    cosine  every vector is brought to length 1
 *    dot     stored vectors × 2^31, queries to a length of about 2^31, which leaves their order as it is: products of all that are from
 *            2^−31 to 2^31 long are then 1 to 2^124, and the 1 is lost in them, not they in it
 *    euclid  nothing is changed: squared distances of all that are from 2^−31 to 2^62 long are then below 2^126
 *  Powers of two are exact. What is longer or shorter gets null: the graph cannot rank it. Must not know: graphs. */

import type { Distance } from '../model/distance.js';
import type { VectorForm } from './vector-index.js';

const LEAST_LENGTH = 2 ** -31;
const DOT_SCALE = 2 ** 31;
const DOT_MOST_LENGTH = 2 ** 31;
const EUCLID_MOST_LENGTH = 2 ** 62;

/** @param length of the vector as given by the user  @returns the factor, or null where the graph could not rank the vector */
export function storedScale(distance: Distance, length: number): number | null {
  if (distance === 'cosine') return length === 0 ? 1 : 1 / length;
  const most = distance === 'dot' ? DOT_MOST_LENGTH : EUCLID_MOST_LENGTH;
  if (length !== 0 && !(length >= LEAST_LENGTH && length <= most)) return null;
  return distance === 'dot' ? DOT_SCALE : 1;
}

/** @returns the factor, or null where the graph could not answer */
export function queryScale(distance: Distance, length: number): number | null {
  if (distance === 'cosine') return length === 0 ? 1 : 1 / length;
  if (distance === 'dot') return unitScale(length) * DOT_SCALE;
  return length > EUCLID_MOST_LENGTH ? null : 1;
}

/** The score that belongs to a distance which a graph computed, but for float32. @param length of the query as given by the user */
export function scoreOfDistance(distance: Distance, native: number, length: number): number {
  if (distance === 'euclid') return Math.sqrt(Math.max(0, native));
  if (distance === 'cosine') return Math.max(-1, Math.min(1, 1 - native / 2));
  return (1 - native) / (DOT_SCALE * unitScale(length) * DOT_SCALE);
}

/** The score that belongs to a measure of a scan (native-graph.ts). For dot and euclid it is the one of model/distance.ts to the bit: the
 *  kept vector is the given one, or it times a power of two, and the sums run in the same lanes.
 *  For cosine it is off by less than COSINE_ERROR: each component of a kept copy is rounded twice, the factor to float64 and the component
 *  to float32, so the copy is v/|v| + e with |e| ≤ 2^−24 · (1 + 2^−28) + √dimension · 2^−150 (the last where components are subnormal);
 *  the product with the query's direction is off by at most |e|, and sums in float64 by less than dimension · 2^−52. */
export function scoreOfMeasure(distance: Distance, measure: number, length: number): number {
  if (distance === 'euclid') return measure;
  if (distance === 'dot') return -measure / DOT_SCALE;
  return length === 0 ? 0 : Math.max(-1, Math.min(1, -measure / length));
}

export const COSINE_ERROR = 2 ** -23;

/** The power of two that brings a length to between 1 and 2. */
export function unitScale(length: number): number {
  return length === 0 ? 1 : 2 ** -Math.floor(Math.log2(length));
}

/** Bytes of one vector as a graph keeps it, in memory and in files, whole words all of them:
 *    none      float32 × dimension
 *    float16   half × dimension, zeros up to a multiple of 8 · float32 scale, a power of two
 *    int8      int8 × dimension, zeros up to a multiple of 16 · float32 scale · int32 sum of their squares */
export function keptBytes(form: VectorForm, dimension: number): number {
  if (form === 'float16') return Math.ceil(dimension / 8) * 16 + 4;
  if (form === 'int8') return Math.ceil(dimension / 16) * 16 + 8;
  return dimension * 4;
}
