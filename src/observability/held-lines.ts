/** Lines on their way to a reader that may be slow, hang or be gone. Nobody waits for it.
 *
 *    line ─► (room?) ─► held ─► the reader          tried with every line, and again a moment later while something is held
 *              └─ no: dropped    └─ no room: kept · any other failure: all that is held is dropped
 *
 *  Invariant: lines arrive whole and in order, or are counted as lost; what is held stays under its bound; a line that went in by half is
 *  ended before the next begins. Only `flush` waits. Must not know: what the lines say, who reads them. */

export interface HeldLinesParts {
  /** Of lines that wait. */
  readonly bytesMax: number;
  /** Takes what there is room for at this moment. @returns how many bytes @throws Error with the code EAGAIN: none */
  take(bytes: Buffer, from: number): number;
}

/** How the end of a process waits: everything else stands still meanwhile. */
export interface Pauses {
  nowMs(): number;
  pause(ms: number): void;
}

const RETRY_MS = 50;
const FLUSH_PAUSE_MS = 5;
const LINE_END = 10;

export class HeldLines {
  readonly #parts: HeldLinesParts;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  /** How much of the first is through. */
  #through = 0;
  #torn = false;
  #lostLines = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: HeldLinesParts) {
    this.#parts = parts;
  }

  /** Lines that nobody got, since the start. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** Returns at once. @param line with its line end */
  write(line: string): void {
    const room = this.#parts.bytesMax - Buffer.byteLength(line);
    if (this.#heldBytes > room) this.#drain();
    if (this.#heldBytes > room) {
      this.#lostLines += 1;
      return;
    }
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    this.#torn = false;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.#drain();
    if (this.#held.length > 0) this.#tryLater();
  }

  /** Waits for the reader, but no longer than that. */
  flush(waitMs: number, { nowMs, pause }: Pauses): void {
    const endMs = nowMs() + waitMs;
    this.#drain();
    while (this.#held.length > 0 && nowMs() < endMs) {
      pause(FLUSH_PAUSE_MS);
      this.#drain();
    }
  }

  #tryLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#drain();
      if (this.#held.length > 0) this.#tryLater();
    }, RETRY_MS).unref();
  }

  #drain(): void {
    let done = 0;
    try {
      for (let line = this.#held[0]; line !== undefined; line = this.#held[done]) {
        const taken = this.#parts.take(line, this.#through);
        if (taken === 0) break;
        this.#through += taken;
        if (this.#through < line.length) continue;
        this.#through = 0;
        this.#heldBytes -= line.length;
        done += 1;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return this.#lose(done);
    }
    if (done > 0) this.#held.splice(0, done);
  }

  /** The reader is gone. Another may come, so the next line is tried. */
  #lose(done: number): void {
    this.#torn = this.#through > 0 || this.#held[done]?.[0] === LINE_END;
    this.#lostLines += this.#held.length - done;
    this.#held.length = 0;
    this.#heldBytes = 0;
    this.#through = 0;
  }
}
