/** Cuts a byte stream into chunks of whole lines.
 *
 *  A chunk is full at so many lines or so many bytes, whatever pieces the network delivers: the same stream always gives the same
 *  chunks. A line over its limit, its end not counted, is never held: it is reported, and dropped up to its end. */

export interface LineChunk {
  /** In a buffer of their own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of the first line, counted from 1. */
  readonly firstLine: number;
  readonly lines: number;
}

export interface LongLine {
  readonly longLine: number;
}

export interface ChunkLimits {
  readonly lineBytesMax: number;
  readonly chunkLinesMax: number;
  readonly chunkBytesMax: number;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class LineChunks {
  readonly #limits: ChunkLimits;
  /** Whole lines, as pieces. */
  #whole: Uint8Array[] = [];
  #wholeBytes = 0;
  #wholeLines = 0;
  #firstLine = 1;
  /** The beginning of a line whose end has not come yet. */
  #partial: Uint8Array[] = [];
  #partialBytes = 0;
  #dropping = false;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  /** Takes the next piece of the stream and gives what it completes, in order. Cost: one search per line and one view per piece. */
  *push(piece: Buffer): Generator<LineChunk | LongLine> {
    // Bytes from `start` belong to whole lines that are counted and not yet kept; the line being looked at begins at `at`.
    let start = 0;
    let at = 0;
    for (let newline = piece.indexOf(NEWLINE); newline >= 0; newline = piece.indexOf(NEWLINE, at)) {
      const end = newline + 1;
      if (this.#dropping || this.#isTooLong(piece, at, newline)) {
        this.#keep(piece.subarray(start, at));
        yield* this.#cut();
        yield this.#longLine();
        start = end;
      } else {
        this.#countLine(this.#partialBytes + end - at);
        if (this.#isFull()) {
          this.#keep(piece.subarray(start, end));
          yield* this.#cut();
          start = end;
        }
      }
      at = end;
    }
    this.#keep(piece.subarray(start, at));
    yield* this.#begin(piece.subarray(at));
  }

  /** What is left at the end of the stream; the last line may lack its newline. */
  *finish(): Generator<LineChunk | LongLine> {
    if (this.#dropping) yield this.#longLine();
    else if (this.#partialBytes > 0) this.#countLine(this.#partialBytes);
    yield* this.#cut();
  }

  #keep(lines: Uint8Array): void {
    if (lines.length > 0) this.#whole.push(lines);
  }

  #isFull(): boolean {
    return this.#wholeLines >= this.#limits.chunkLinesMax || this.#wholeBytes >= this.#limits.chunkBytesMax;
  }

  /** The line that began in earlier pieces, or in none, is whole. */
  #countLine(bytes: number): void {
    this.#wholeLines++;
    this.#wholeBytes += bytes;
    for (const part of this.#partial) this.#whole.push(part);
    this.#partial = [];
    this.#partialBytes = 0;
  }

  #longLine(): LongLine {
    this.#dropping = false;
    this.#partial = [];
    this.#partialBytes = 0;
    return { longLine: this.#firstLine++ };
  }

  /** The beginning of a line that goes on in the next piece. */
  *#begin(part: Uint8Array): Generator<LineChunk> {
    if (this.#dropping || part.length === 0) return;
    if (!this.#isTooLong(part, 0, part.length)) {
      this.#partialBytes += part.length;
      this.#partial.push(part);
      return;
    }
    yield* this.#cut();
    this.#partial = [];
    this.#dropping = true;
  }

  /** The line is what is held of it and these bytes of the piece. A carriage return at its end counts as part of the line end. */
  #isTooLong(piece: Uint8Array, from: number, to: number): boolean {
    const over = this.#partialBytes + to - from - this.#limits.lineBytesMax;
    if (over <= 0) return false;
    const last = to > from ? piece[to - 1] : this.#partial.at(-1)?.at(-1);
    return over > 1 || last !== CARRIAGE_RETURN;
  }

  *#cut(): Generator<LineChunk> {
    if (this.#wholeLines === 0) return;
    const bytes = new Uint8Array(this.#wholeBytes);
    let at = 0;
    for (const part of this.#whole) {
      bytes.set(part, at);
      at += part.length;
    }
    yield { bytes, firstLine: this.#firstLine, lines: this.#wholeLines };
    this.#firstLine += this.#wholeLines;
    this.#whole = [];
    this.#wholeBytes = 0;
    this.#wholeLines = 0;
  }
}
