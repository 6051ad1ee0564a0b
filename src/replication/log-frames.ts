/** Stretches of the log as encoded frames, shared by all links that stand at the same seq, so that ten replicas at the tail cost one read.
 *
 *  Bounded in bytes; the oldest go first. There is no queue per replica: each link is a seq, and a slow one falls behind in the log, not in
 *  memory. Must not know: sockets, links. */

import type { ReplicatedLog } from '../engine/engine.js';
import { encodeFrame } from '../wire/frames.js';

export interface LogFrame {
  readonly frame: Buffer;
  readonly firstSeq: number;
  readonly throughSeq: number;
  readonly hashAfter: Uint8Array;
}

const FRAME_ROWS_MAX = 4_096;
const FRAME_BYTES_TARGET = 512 * 1024;
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** What a kept frame costs beside its bytes, rounded up: buffer, hash, the record and its place in the map. */
const KEPT_FRAME_BYTES = 1024;

export class LogFrames {
  readonly #kept = new Map<number, LogFrame>();
  #bytes = 0;
  #epoch = 0;

  /** The frame that begins at fromSeq. @param hashBefore chain hash at fromSeq − 1
   *  @returns null when the log has nothing there  @throws CorruptData */
  from(log: ReplicatedLog, fromSeq: number, hashBefore: Uint8Array): LogFrame | null {
    const { epoch } = log.state();
    // Every frame bears the epoch of its sending.
    if (epoch !== this.#epoch) this.clear();
    this.#epoch = epoch;
    const kept = this.#kept.get(fromSeq);
    if (kept !== undefined) return kept;
    const rows = log.read(fromSeq, FRAME_ROWS_MAX, FRAME_BYTES_TARGET);
    const last = rows.at(-1);
    if (last === undefined || rows[0]?.seq !== fromSeq) return null;
    const entries = rows.map(({ entry }) => entry);
    const hashAfter = last.chainHash;
    const encoded = encodeFrame(epoch, { type: 'entries', firstSeq: fromSeq, hashBefore, hashAfter, entries });
    const made = { frame: withOwnMemory(encoded), firstSeq: fromSeq, throughSeq: last.seq, hashAfter };
    this.#keep(made);
    return made;
  }

  #keep(made: LogFrame): void {
    this.#kept.set(made.firstSeq, made);
    this.#bytes += costOf(made);
    for (const [seq, oldest] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES_MAX) return;
      this.#kept.delete(seq);
      this.#bytes -= costOf(oldest);
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }
}

/** A small Buffer is a part of a pool of 8 KiB, and one that is kept keeps the whole pool.
 *  https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize */
function withOwnMemory(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

function costOf({ frame }: LogFrame): number {
  return frame.length + KEPT_FRAME_BYTES;
}
