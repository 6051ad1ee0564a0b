/** Cuts a byte stream into chunks of whole lines.
 *
 *  A chunk is full at so many lines or so many bytes, whatever pieces the network delivers: the same stream always gives the same
 *  chunks. A line over its limit is never held: it is reported, and dropped up to its end. */

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

  /** Takes the next piece of the stream and gives what it completes, in order. */
  *push(piece: Buffer): Generator<LineChunk | LongLine> {
    let at = 0;
    while (at < piece.length) {
      const newline = piece.indexOf(NEWLINE, at);
      const end = newline < 0 ? piece.length : newline + 1;
      yield* this.#add(piece.subarray(at, end));
      if (newline >= 0) yield* this.#endLine();
      at = end;
    }
  }

  /** What is left at the end of the stream; the last line may lack its newline. */
  *finish(): Generator<LineChunk | LongLine> {
    if (this.#partialBytes > 0 || this.#dropping) yield* this.#endLine();
    yield* this.#cut();
  }

  *#add(part: Uint8Array): Generator<LineChunk | LongLine> {
    if (this.#dropping) return;
    this.#partialBytes += part.length;
    if (this.#partialBytes > this.#limits.lineBytesMax) {
      yield* this.#cut();
      this.#partial = [];
      this.#partialBytes = 0;
      this.#dropping = true;
      return;
    }
    this.#partial.push(part);
  }

  *#endLine(): Generator<LineChunk | LongLine> {
    if (this.#dropping) {
      this.#dropping = false;
      yield { longLine: this.#firstLine };
      this.#firstLine++;
      return;
    }
    for (const part of this.#partial) this.#whole.push(part);
    this.#wholeBytes += this.#partialBytes;
    this.#wholeLines++;
    this.#partial = [];
    this.#partialBytes = 0;
    if (this.#wholeLines >= this.#limits.chunkLinesMax || this.#wholeBytes >= this.#limits.chunkBytesMax) yield* this.#cut();
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
