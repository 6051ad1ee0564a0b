/** One scan worker and the reads that wait in it, in their order. It lives only while it is used.
 *  Must not know: which reads are its own, what they read. */

import type { Worker } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import type { IndexWorkerData } from './index-messages.js';
import type { ReadAnswers, ReadKind, RequestOf } from './reads.js';
import type { FromScan, ToScan } from './scan-thread.js';
import { startThread } from './start-thread.js';

const IDLE_MS = 30_000;

interface OpenRead {
  readonly resolve: (answer: ReadAnswers[ReadKind]) => void;
  readonly reject: (error: Error) => void;
}

export class ScanLane {
  readonly #name: string;
  readonly #data: IndexWorkerData;
  readonly #queueMax: number;
  readonly #open = new Map<number, OpenRead>();
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #nextId = 1;

  /** @param queueMax reads that may wait, the one that runs included */
  constructor(name: string, data: IndexWorkerData, queueMax: number) {
    this.#name = name;
    this.#data = data;
    this.#queueMax = queueMax;
  }

  get waiting(): number {
    return this.#open.size;
  }

  /** @param ofUseMs after so long the answer is of no use: what has not been begun by then is not done
   *  @throws Timeout (not begun), Overloaded, ShuttingDown · as runRead */
  read<K extends ReadKind>(request: RequestOf<K>, ofUseMs: number): Promise<ReadAnswers[K]> {
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

  #start(): Worker {
    const worker = startThread('scan-thread.js', this.#name, this.#data);
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
    this.#refuseAll(error);
  }

  #refuseAll(error: Error): void {
    for (const open of this.#open.values()) open.reject(error);
    this.#open.clear();
  }

  async close(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    this.#refuseAll(new SkeinError('ShuttingDown', 'The server is stopping'));
    await worker?.terminate();
  }
}
