/** The main thread's reads: small ones on its own read-only connection, large ones in the scan worker.
 *
 *  Invariant: what runs here touches few rows and few bytes, so the event loop stays free; what waits in the worker is bounded.
 *  The worker lives only while it is used. Must not know: names of collections, HTTP. */

import type { Worker } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import type { StoreReads } from '../storage/storage.js';
import { BoundReached, boundedReads } from './bounded-reads.js';
import type { IndexWorkerData } from './index-messages.js';
import { type ReadAnswers, type ReadKind, type ReadRequest, type RequestOf, runRead } from './reads.js';
import type { FromScan, ToScan } from './scan-thread.js';
import { startThread } from './start-thread.js';

/** Up to this many rows and about this many bytes are read on the main thread: about a millisecond. */
const INLINE_ROWS_MAX = 128;
const INLINE_BYTES_MAX = 1024 * 1024;
const IDLE_MS = 30_000;

interface OpenRead {
  readonly resolve: (answer: ReadAnswers[ReadKind]) => void;
  readonly reject: (error: Error) => void;
}

export class Reader {
  readonly #reads: StoreReads;
  readonly #data: IndexWorkerData;
  readonly #queueMax: number;
  readonly #open = new Map<number, OpenRead>();
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #nextId = 1;
  #closed = false;

  constructor(reads: StoreReads, data: IndexWorkerData, queueMax: number) {
    this.#reads = reads;
    this.#data = data;
    this.#queueMax = queueMax;
  }

  get waiting(): number {
    return this.#open.size;
  }

  /** @param rowBytes about how many bytes a row of the collection has  @param ofUseMs after so long the answer is of no use: what has not been
   *  begun by then is not done  @throws Timeout (not begun), CorruptData · Overloaded when too many large reads wait · ShuttingDown */
  async read<K extends ReadKind>(
    request: RequestOf<K>,
    rowBytes = 0,
    ofUseMs = Number.POSITIVE_INFINITY,
  ): Promise<ReadAnswers[K]> {
    if (this.#closed) throw new SkeinError('ShuttingDown', 'The server is stopping');
    const rows = rowsOf(request);
    if (rows <= INLINE_ROWS_MAX && rows * rowBytes <= INLINE_BYTES_MAX) {
      const answer = this.#readHere(request);
      if (answer !== null) return answer;
    }
    if (this.#open.size >= this.#queueMax)
      throw new SkeinError('Overloaded', 'Too many scans are waiting', { reason: 'scan_queue' });
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // The answer to a request of kind K is of kind K: the worker runs the same table.
      this.#open.set(id, { resolve: (answer) => resolve(answer as ReadAnswers[K]), reject });
      worker.postMessage({ id, request, untilMs: Date.now() + ofUseMs } satisfies ToScan);
    });
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

  #start(): Worker {
    const worker = startThread('scan-thread.js', 'skein-scan', this.#data);
    worker.on('message', (message: FromScan) => {
      const open = this.#open.get(message.id);
      this.#open.delete(message.id);
      if ('answer' in message) open?.resolve(message.answer);
      else open?.reject(SkeinError.fromRecord(message.refused));
      if (this.#open.size === 0) this.#endWhenIdle();
    });
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('the scan worker ended')));
    return worker;
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = null;
      void worker?.terminate();
    }, IDLE_MS);
    this.#idle.unref();
  }

  /** A read holds nothing, so a lost worker fails its reads and the next one starts another. */
  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const open of this.#open.values()) open.reject(error);
    this.#open.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    for (const open of this.#open.values()) open.reject(new SkeinError('ShuttingDown', 'The server is stopping'));
    this.#open.clear();
    await worker?.terminate();
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
    case 'count':
    case 'match':
    case 'facet':
    case 'narrow':
    case 'exact':
    case 'scrub':
    case 'log_bytes':
    case 'compare':
      return Number.POSITIVE_INFINITY;
  }
}
