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

/** The distance that a graph computes between a query and a point, but for float32, from their exact score.
 *  @param length of the query as given by the user */
export function nativeDistance(distance: Distance, score: number, length: number): number {
  if (distance === 'euclid') return score * score;
  if (distance === 'cosine') return 2 - 2 * score;
  return 1 - score * DOT_SCALE * unitScale(length) * DOT_SCALE;
}

/** The power of two that brings a length to between 1 and 2. */
export function unitScale(length: number): number {
  return length === 0 ? 1 : 2 ** -Math.floor(Math.log2(length));
}
