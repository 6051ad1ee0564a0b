/** A body cut into parts of one size: all are as long as asked for but the last, as some stores insist.
 *  Memory: one part as its pieces came, and for a moment as one. */

export interface Part {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** At least one part, which may be empty. */
export async function* partsOf(body: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Part> {
  let pieces: Uint8Array[] = [];
  let gathered = 0;
  for await (const given of body) {
    for (let piece = given; piece.length > 0; ) {
      // Only when more comes: the last part may be a whole one.
      if (gathered === partBytes) {
        yield { bytes: Buffer.concat(pieces, gathered), isLast: false };
        pieces = [];
        gathered = 0;
      }
      const fitting = piece.subarray(0, partBytes - gathered);
      pieces.push(fitting);
      gathered += fitting.length;
      piece = piece.subarray(fitting.length);
    }
  }
  yield { bytes: Buffer.concat(pieces, gathered), isLast: true };
}
