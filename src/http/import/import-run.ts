/** One import: lines in, chunks read ahead, written in order, refused lines kept.
 *
 *    take bytes ─► cut chunks ─► read (body thread) ─► write ─► progress
 *
 *  At most importChunksInFlightMax chunks are between the network and the store; then no more bytes are taken. A chunk is one atomic
 *  write. When the writer refuses a chunk for one of its points, the chunk is written point by point, so that only that line fails.
 *  Chunks depend on the stream alone, so with an idempotency key every chunk of a repeated import is answered as it was the first time. */

import type { CollectionInfo, Engine, WriteOptions, WriteReceipt } from '../../engine/engine.js';
import { type ErrorRecord, type ErrorType, SkeinError } from '../../model/errors.js';
import { FIXED, type Limits } from '../../model/limits.js';
import type { Operation } from '../../model/operation.js';
import type { ImportBlock, LineRules, ReadLines } from '../../wire/import-lines.js';
import { ruleOf } from '../../wire/vector-rule.js';
import type { Bodies } from '../bodies.js';
import type { ByteSource } from './byte-source.js';
import { type LineChunk, LineChunks, type LongLine } from './line-chunks.js';

export interface ImportOptions {
  readonly engine: Engine;
  readonly collection: CollectionInfo;
  readonly limits: Limits;
  readonly bodies: Bodies;
  /** Options of a write; `hash` is null when no idempotency key was given. @param part names the chunk within the import */
  readonly options: (hash: Uint8Array | null, part: string) => WriteOptions;
  readonly hashed: boolean;
  /** Asked before each chunk is written: whoever began may not be allowed to go on. @throws what ends the import */
  readonly stillAllowed: () => Promise<void> | undefined;
  readonly onProgress: (run: ImportRun) => void;
}

export interface FailedLine {
  readonly line: number;
  readonly error: ErrorRecord & { readonly retryable: boolean };
}

/** Refusals that are about one point. Any other ends the import. */
const ABOUT_A_POINT: ReadonlySet<ErrorType> = new Set<ErrorType>([
  'VersionConflict',
  'InvalidVector',
  'ZeroVector',
  'DimensionMismatch',
  'InvalidRequest',
  'PayloadTooLarge',
]);

export class ImportRun {
  readonly #options: ImportOptions;
  readonly failed: FailedLine[] = [];
  failedCount = 0;
  imported = 0;
  /** Lines that were dealt with. */
  lines = 0;
  /** Of the last unit that was written. */
  receipt: Pick<WriteReceipt, 'seq' | 'position'> | null = null;
  #writing: Promise<void> = Promise.resolve();
  #inFlight = 0;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /** Runs to the end of the stream. @throws what the source throws, and what ends an import; chunks written before stay */
  async run(source: ByteSource): Promise<void> {
    const { limits } = this.#options;
    const chunks = new LineChunks({
      lineBytesMax: limits.importLineBytesMax,
      chunkLinesMax: limits.importChunkPoints,
      chunkBytesMax: limits.importChunkBytes,
    });
    try {
      for (let piece = await source.next(); piece !== null; piece = await source.next()) {
        for (const chunk of chunks.push(piece)) await this.#submit(chunk);
      }
      for (const chunk of chunks.finish()) await this.#submit(chunk);
    } finally {
      source.close();
      await this.#writing;
    }
    if (this.#error !== null) throw this.#error;
  }

  async #submit(chunk: LineChunk | LongLine): Promise<void> {
    while (this.#inFlight >= FIXED.importChunksInFlightMax && this.#error === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== null) throw this.#error;
    this.#inFlight++;
    // Reading starts now, beside the write of the chunk before; the write waits for its turn.
    const read = 'longLine' in chunk ? null : this.#read(chunk, false);
    read?.catch(() => {});
    this.#writing = this.#writing.then(async () => {
      try {
        if (this.#error !== null) return;
        if ('longLine' in chunk) this.#refuse(chunk.longLine, tooLong(this.#options.limits.importLineBytesMax));
        else if (read !== null) await this.#write(chunk, await read);
        this.lines += 'longLine' in chunk ? 1 : chunk.lines;
        this.#options.onProgress(this);
      } catch (error) {
        this.#error = error instanceof Error ? error : new Error(String(error));
      } finally {
        this.#inFlight--;
        this.#wake?.();
        this.#wake = null;
      }
    });
  }

  #read(chunk: LineChunk, single: boolean): Promise<{ decoded: ReadLines; bytes: Uint8Array<ArrayBuffer> }> {
    const { collection, limits, bodies, hashed } = this.#options;
    const rules: LineRules = {
      ...ruleOf(collection),
      payloadBytesMax: limits.payloadBytesMax,
      firstLine: chunk.firstLine,
      single,
      hashFor: hashed ? collection.name : null,
    };
    return bodies.decode(chunk.bytes, 'json', { kind: 'import', rules });
  }

  async #write(chunk: LineChunk, read: { decoded: ReadLines; bytes: Uint8Array<ArrayBuffer> }): Promise<void> {
    await this.#options.stillAllowed();
    const { blocks, refused } = read.decoded;
    for (const { line, error } of refused) this.#refuse(line, SkeinError.fromRecord(error));
    const fromLine = await this.#writeInOrder(blocks, chunk);
    if (fromLine === null) return;
    const singles = await this.#read({ ...chunk, bytes: read.bytes }, true);
    const rest = singles.decoded.blocks.filter((block) => (block.lines[0] ?? 0) >= fromLine);
    // All of them are handed over in order at once, and share commits.
    await Promise.all(
      rest.map((block) => this.#writeBlock(block, chunk).catch((error: unknown) => this.#refuseBlock(block, error))),
    );
  }

  /** Null when all blocks were written, else the first line of the block that was refused for one of its points. */
  async #writeInOrder(blocks: readonly ImportBlock[], chunk: LineChunk): Promise<number | null> {
    for (const block of blocks) {
      try {
        await this.#writeBlock(block, chunk);
      } catch (error) {
        if (!isAboutAPoint(error)) throw error;
        return block.lines[0] ?? 0;
      }
    }
    return null;
  }

  async #writeBlock(block: ImportBlock, chunk: LineChunk): Promise<void> {
    const { engine, collection, options } = this.#options;
    const operations: Operation[] = [{ kind: 'upsert', collection: collection.name, points: block.points }];
    const part = `lines ${chunk.firstLine} ${block.lines[0] ?? 0}+${block.lines.length}`;
    const receipt = await engine.write(operations, options(block.hash, part));
    this.imported += block.lines.length;
    if (this.receipt === null || receipt.seq > this.receipt.seq) this.receipt = receipt;
  }

  #refuseBlock(block: ImportBlock, error: unknown): void {
    if (!isAboutAPoint(error)) throw error;
    for (const line of block.lines) this.#refuse(line, error);
  }

  #refuse(line: number, error: SkeinError): void {
    this.failedCount++;
    if (this.failed.length >= FIXED.importFailedMax) return;
    this.failed.push({ line, error: { ...error.toRecord(), retryable: error.retryable } });
  }
}

function isAboutAPoint(error: unknown): error is SkeinError {
  return error instanceof SkeinError && ABOUT_A_POINT.has(error.type);
}

function tooLong(limit: number): SkeinError {
  return new SkeinError('PayloadTooLarge', `The line is longer than ${limit} bytes`, { limit_bytes: limit });
}
