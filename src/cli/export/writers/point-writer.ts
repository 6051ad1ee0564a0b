/** What makes a file of points: one function for each format, from points to the bytes of the file.
 *
 *  Invariant: what a format cannot hold is refused with ExportProblem, or counted and said behind the last byte; it is never left out in
 *  silence. Must not know: servers, where the bytes go. */

import type { PointRecord } from '../../../sdk/index.js';

/** A collection that a format cannot hold; the message says what to do instead. */
export class ExportProblem extends Error {
  override readonly name = 'ExportProblem';
}

/** What a writer may look at before the first point. */
export interface ExportSubject {
  /** The collection has a vector without a name, and vectors with names. */
  readonly hasDefault: boolean;
  readonly hasNamed: boolean;
  /** What the ids are, found out when it is asked for, by a pass over all of them that ends once both kinds were seen. */
  idKinds(): Promise<IdKinds>;
}

export interface IdKinds {
  readonly integers: boolean;
  readonly texts: boolean;
}

export interface PointWriter {
  /** Whether the bytes are text that a terminal can show. */
  readonly text: boolean;
  /** @throws ExportProblem */
  pieces(points: AsyncIterable<PointRecord>): AsyncGenerator<Uint8Array, void, undefined>;
  /** What the file does not hold, in sentences; asked for behind the last piece. */
  losses(): readonly string[];
}

const PIECE_BYTES = 256 * 1024;

/** Parts put together to pieces of a size that is worth a write. */
export async function* inPieces(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of parts) {
    held.push(part);
    bytes += part.byteLength;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
}
