/** The byte form of an increment: log entries exactly as they stand in the log, in blocks, each with the chain hash behind it.
 *
 *    segment = "SKLG" | u32 LE version=1 | block*
 *    block   = u32 LE bytes that follow | u64 LE first seq | u32 LE count | 32 bytes chain hash after the last | { u32 LE length, entry }*
 *
 *  Invariant: what is read back is what was written, or a RangeError; whether it continues a store is told by the chain hash there.
 *  Must not know: compression, targets. History: version 1 (2026-11). */

import { ByteReader, ByteWriter } from '../codec/bytes.js';
import { CHAIN_HASH_BYTES } from '../codec/digest.js';
import type { EntryBatch } from '../engine/engine.js';

/** A row of the log as ReplicatedLog.read gives it. */
interface SegmentRow {
  readonly seq: number;
  readonly entry: Uint8Array;
  readonly chainHash: Uint8Array;
}

const MAGIC = Buffer.from('SKLG');
const VERSION = 1;
const START_BYTES = MAGIC.length + 4;
const BLOCK_HEAD_BYTES = 8 + 4 + CHAIN_HASH_BYTES;
/** One entry holds a point at least, and a block one entry more than its aim. */
const BLOCK_BYTES_MAX = 512 * 1024 * 1024;

/** What every segment begins with. */
export function segmentStart(): Uint8Array {
  const out = new ByteWriter();
  out.bytes(MAGIC);
  out.uint32(VERSION);
  return out.finish();
}

/** @param rows at least one, dense in seq */
export function encodeBlock(rows: readonly SegmentRow[]): Uint8Array {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('a block has entries');
  const out = new ByteWriter();
  out.uint32(rows.reduce((sum, { entry }) => sum + 4 + entry.length, BLOCK_HEAD_BYTES));
  out.uint64(first.seq);
  out.uint32(rows.length);
  out.bytes(last.chainHash);
  for (const { entry } of rows) out.sized32(entry);
  return out.finish();
}

/** The blocks of a segment, in order, as a replica would be handed them. Holds one block in memory.
 *  @param pieces of any length  @throws RangeError, and what `pieces` throws */
export async function* readSegment(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<EntryBatch> {
  const buffered = new Buffered(pieces);
  const start = new ByteReader(await buffered.take(START_BYTES));
  if (!MAGIC.equals(start.bytes(MAGIC.length))) throw new RangeError('it is not a stretch of a log');
  const version = start.uint32();
  if (version !== VERSION) throw new RangeError(`it has version ${version}, which this build does not know`);
  while (!(await buffered.isAtEnd())) {
    const length = new ByteReader(await buffered.take(4)).uint32();
    if (length > BLOCK_BYTES_MAX) throw new RangeError(`a block of ${length} bytes is longer than any`);
    yield decodeBlock(await buffered.take(length));
  }
}

function decodeBlock(bytes: Uint8Array): EntryBatch {
  const reader = new ByteReader(bytes);
  const firstSeq = reader.uint64();
  const count = reader.uint32();
  const chainHash = Uint8Array.from(reader.bytes(CHAIN_HASH_BYTES));
  const entries: Uint8Array[] = [];
  // Copies: who applies them may take their buffers.
  for (let i = 0; i < count; i++) entries.push(Uint8Array.from(reader.sized32()));
  if (reader.remaining !== 0) throw new RangeError('bytes are left over behind a block');
  return { firstSeq, entries, chainHash };
}

class Buffered {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #bytes = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    return this.#bytes === 0 && !(await this.#more());
  }

  async take(length: number): Promise<Uint8Array> {
    while (this.#bytes < length) if (!(await this.#more())) throw new RangeError('it is cut off');
    const all = this.#held.length === 1 ? (this.#held[0] as Uint8Array) : Buffer.concat(this.#held);
    this.#held = all.length > length ? [all.subarray(length)] : [];
    this.#bytes -= length;
    return all.subarray(0, length);
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      this.#held.push(value);
      this.#bytes += value.length;
      return true;
    }
  }
}
