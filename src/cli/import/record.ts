/** Records: what a reader makes of a file or a foreign store, piece by piece: a point, or a record that cannot be one and why.
 *
 *  Invariant: every record comes exactly once and in order, `index` counting from 0 without gaps, so that an import can go on at an index.
 *  Must not know: our servers, how records are sent. */

import type { Payload, PointId } from '../../model/point.js';
import type { NamedVector } from '../../sdk/index.js';

interface RecordPlace {
  /** 0 for the first record of the file. */
  readonly index: number;
  /** As people count: lines and elements from 1, rows of vector files from 0. */
  readonly place: number;
  /** The line where it starts, where `place` is not a line. */
  readonly line?: number;
  /** What its origin knows it by, where reading can go on behind that. */
  readonly key?: SourceKey;
}

/** An id, or the like, in a foreign store. */
export type SourceKey = string | number;

export interface PointRecord extends RecordPlace {
  readonly kind: 'point';
  readonly id: PointId;
  /** The default vector; absent only where there are vectors under names. */
  readonly vector?: Float32Array;
  readonly vectors?: Readonly<Record<string, NamedVector>>;
  readonly payload?: Payload;
  readonly expiresAt?: string;
  /** About how large it is on the way, in bytes. */
  readonly bytes: number;
}

export interface RefusedRecord extends RecordPlace {
  readonly kind: 'refused';
  readonly problem: string;
}

export type ImportRecord = PointRecord | RefusedRecord;

export interface RecordSource {
  readonly placeWord: 'line' | 'row' | 'element' | 'point';
  /** How much has been read, for progress: 0 … 1. */
  readShare(): number;
  /** Records in groups, in order; every call begins anew. @throws FileProblem where nothing can be read any further */
  records(): AsyncGenerator<readonly ImportRecord[], void, undefined>;
}

export interface SourceOptions {
  readonly path: string;
  /** Records before this index are passed over. */
  readonly fromIndex: number;
  readonly idOffset: number;
  readonly idColumn: string;
  readonly vectorColumn: string;
}

/** A file, or another origin, that cannot be read (any further), however often one tries. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

/** A point that is refused after all, in its place. */
export function refusedRecord({ index, place, line, key }: PointRecord, problem: string): RefusedRecord {
  return {
    kind: 'refused',
    index,
    place,
    ...(line === undefined ? {} : { line }),
    ...(key === undefined ? {} : { key }),
    problem,
  };
}

/** Such as `line 12`, or `element 3 (line 9)`. */
export function placeText(word: string, { place, line }: Pick<RecordPlace, 'place' | 'line'>): string {
  return line === undefined ? `${word} ${place}` : `${word} ${place} (line ${line})`;
}

export const LINE_BYTES_MAX = 16 * 1024 * 1024;
export const READ_BYTES = 1024 * 1024;
/** What a point weighs besides its vector and payload. */
export const POINT_OVERHEAD_BYTES = 32;
