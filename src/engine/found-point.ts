/** Points as reads and searches answer them, and how much of them is asked for. Plain data. Must not know: how they are read. */

import type { NamedVectors, PointId } from '../model/point.js';

/** A point as read; payload is UTF-8 JSON as stored (empty means `{}`), null when not asked for. */
export interface FoundPoint {
  readonly id: PointId;
  readonly version: number;
  readonly payload: Uint8Array | null;
  /** When it goes, in ms since 1970; left out: never. */
  readonly expiresAtMs?: number | null;
  /** The default vector; null when it was not asked for, or the point has none. */
  readonly vector: Float32Array | null;
  /** Those of the others that were asked for and that the point has, by name; left out where none were asked for or none are declared. */
  readonly vectors?: NamedVectors;
}

export interface Selection {
  readonly withPayload: boolean;
  /** Which vectors: all, none, or those of these names ('' is the default vector). */
  readonly withVector: boolean | readonly string[];
}
