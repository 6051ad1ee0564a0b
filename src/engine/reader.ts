/** The main thread's reads: small ones on its own read-only connection, large ones in workers: one for rows that were named,
 *  one for scans, one for those who follow the changes.
 *
 *  Invariant: what runs here touches few rows and few bytes, so the event loop stays free; what waits in a worker is bounded.
 *  Must not know: names of collections, HTTP. */

import type { Cancellation } from '../model/cancellation.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { StoreReads } from '../storage/storage.js';
import { BoundReached, boundedReads } from './bounded-reads.js';
import type { EngineWork } from './engine-work.js';
import type { IndexWorkerData } from './index-messages.js';
import { type ReadAnswers, type ReadKind, type ReadRequest, type RequestOf, runRead } from './reads.js';
import { type LaneRules, ScanLane } from './scan-lane.js';

/** Up to this many rows and about this many bytes are read on the main thread: about a millisecond. */
const INLINE_ROWS_MAX = 128;
const INLINE_BYTES_MAX = 1024 * 1024;

export interface ReaderEvents {
  /** Each read as it ends. */
  onWork?(work: EngineWork): void;
  /** Each read that was refused. @returns what its caller is told */
  onRefused?(record: ErrorRecord): ErrorRecord;
}

export class Reader {
  readonly #reads: StoreReads;
  /** Reads of so many rows as were named. */
  readonly #rows: ScanLane;
  /** Reads of as many as there are, which must not keep the others waiting. */
  readonly #scans: ScanLane;
  /** Reads that never end, page after page. */
  readonly #changes: ScanLane;
  readonly #tell: ReaderEvents;
  #closed = false;

  constructor(reads: StoreReads, data: IndexWorkerData, rules: LaneRules, tell: ReaderEvents = {}) {
    this.#reads = reads;
    this.#tell = tell;
    this.#rows = new ScanLane('skein-rows', data, rules);
    this.#scans = new ScanLane('skein-scan', data, rules);
    this.#changes = new ScanLane('skein-changes', data, rules);
  }

  get waiting(): number {
    return this.#rows.waiting + this.#scans.waiting + this.#changes.waiting;
  }

  /** @param rowBytes about how many bytes a row of the collection has  @param ofUseMs after so long the answer is of no use: what has not been
   *  done by then is not done  @param cancellation when nobody waits any more  @throws Timeout, CorruptData · Overloaded when too many large reads wait · ShuttingDown */
  async read<K extends ReadKind>(
    request: RequestOf<K>,
    rowBytes = 0,
    ofUseMs = Number.POSITIVE_INFINITY,
    cancellation?: Cancellation,
  ): Promise<ReadAnswers[K]> {
    if (this.#closed) throw new SkeinError('ShuttingDown', 'The server is stopping');
    const startMs = performance.now();
    try {
      return this.#readInline(request, rowBytes) ?? (await this.#readInWorker(request, ofUseMs, cancellation));
    } catch (error) {
      throw error instanceof SkeinError ? this.#refusal(error) : error;
    } finally {
      this.#tell.onWork?.({ kind: 'read', read: request.kind, tookMs: performance.now() - startMs });
    }
  }

  #refusal(error: SkeinError): SkeinError {
    const record = error.toRecord();
    const told = this.#tell.onRefused?.(record) ?? record;
    return told === record ? error : new SkeinError(told.type, told.message, told.details, error);
  }

  #readInline<K extends ReadKind>(request: RequestOf<K>, rowBytes: number): ReadAnswers[K] | null {
    const rows = rowsOf(request);
    return rows <= INLINE_ROWS_MAX && rows * rowBytes <= INLINE_BYTES_MAX ? this.#readHere(request) : null;
  }

  #readInWorker<K extends ReadKind>(
    request: RequestOf<K>,
    ofUseMs: number,
    cancellation?: Cancellation,
  ): Promise<ReadAnswers[K]> {
    return this.#laneOf(request).read(request, ofUseMs, cancellation);
  }

  #laneOf(request: ReadRequest): ScanLane {
    if (request.kind === 'changes' || request.kind === 'changes_scan') return this.#changes;
    return Number.isFinite(rowsOf(request)) ? this.#rows : this.#scans;
  }

  /** Null when there is too much to read. What was read until then, about a millisecond's worth, is read again in the worker. */
  #readHere<K extends ReadKind>(request: RequestOf<K>): ReadAnswers[K] | null {
    try {
      return runRead(boundedReads(this.#reads, INLINE_BYTES_MAX), request);
    } catch (error) {
      if (error instanceof BoundReached) return null;
      throw error;
    }
  }

  /** Ends threads that are idle. */
  relieve(): void {
    this.#rows.relieve();
    this.#scans.relieve();
    this.#changes.relieve();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#rows.close(), this.#scans.close(), this.#changes.close()]);
    this.#reads.close();
  }
}

/** How many rows a request may touch; unbounded ones count as infinite. */
function rowsOf(request: ReadRequest): number {
  switch (request.kind) {
    case 'get':
      return request.ids.length;
    case 'hits':
    case 'groups':
      return request.labels.length;
    case 'scroll':
      return request.filter === null ? request.limit : Number.POSITIVE_INFINITY;
    case 'digest':
      return request.rows;
    case 'count':
    case 'match':
    case 'facet':
    case 'rank':
    case 'narrow':
    case 'exact':
    case 'scrub':
    case 'look':
    case 'recount':
    case 'logged':
    case 'others':
    case 'changes':
    case 'changes_scan':
    case 'log_bytes':
    case 'compare':
      return Number.POSITIVE_INFINITY;
  }
}
