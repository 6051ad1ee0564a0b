/** One scan worker and the reads that wait in it, in their order. It lives only while it is used.
 *  Must not know: which reads are its own, what they read. */

import type { Worker } from 'node:worker_threads';
import type { Cancellation } from '../model/cancellation.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { tooManyOpenFiles } from '../resilience/handle-guard.js';
import { isOutOfHandles } from '../resilience/process-readings.js';
import { QueueLimit } from '../resilience/queue-limit.js';
import type { EngineGuards } from './engine-guards.js';
import { GivenUpBoard } from './given-up.js';
import type { IndexWorkerData } from './index-messages.js';
import type { ReadAnswers, ReadKind, RequestOf } from './reads.js';
import type { FromScan, ScanThreadData, ToScan } from './scan-thread.js';
import { startThread } from './start-thread.js';

const IDLE_MS = 30_000;
/** So many may always wait, however long each takes. */
const READS_MIN = 8;
/** What a thread opens: its loop, the database, the log of the database and its index. */
const HANDLES = 12;

interface OpenRead {
  readonly sentMs: number;
  readonly resolve: (answer: ReadAnswers[ReadKind]) => void;
  readonly reject: (error: Error) => void;
}

export interface LaneRules {
  /** Reads that may wait, the one that runs included. */
  readonly queueMax: number;
  readonly guards: EngineGuards;
  readonly clock: Clock;
}

export class ScanLane {
  readonly #name: string;
  readonly #data: IndexWorkerData;
  readonly #rules: LaneRules;
  readonly #room: QueueLimit;
  readonly #open = new Map<number, OpenRead>();
  readonly #board = new GivenUpBoard();
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #nextId = 1;

  constructor(name: string, data: IndexWorkerData, rules: LaneRules) {
    this.#name = name;
    this.#data = data;
    this.#rules = rules;
    const { queueMax: max, guards } = rules;
    this.#room = new QueueLimit({ min: Math.min(max, READS_MIN), max, targetMs: guards.queueWaitMs });
  }

  get waiting(): number {
    return this.#open.size;
  }

  /** @param ofUseMs after so long the answer is of no use: what has not been done by then is not done  @param cancellation when nobody waits any more
   *  @throws Timeout, Overloaded, ShuttingDown · as runRead */
  async read<K extends ReadKind>(request: RequestOf<K>, ofUseMs: number, cancellation?: Cancellation): Promise<ReadAnswers[K]> {
    const sentMs = this.#rules.clock.monotonicMs();
    if (this.#open.size >= this.#room.at(sentMs))
      throw new SkeinError('Overloaded', 'Too many scans are waiting', { reason: 'scan_queue' });
    const worker = this.#worker ?? this.#start();
    if (this.#idle !== null) clearTimeout(this.#idle);
    const id = this.#nextId++;
    let stopListening = (): void => {};
    const reading = new Promise<ReadAnswers[K]>((resolve, reject) => {
      // The answer to a request of kind K is of kind K: the worker runs the same table.
      this.#open.set(id, { sentMs, resolve: (answer) => resolve(answer as ReadAnswers[K]), reject });
      worker.postMessage({ id, request, untilMs: Date.now() + ofUseMs } satisfies ToScan);
      stopListening = this.#board.watch(id, cancellation, reject);
    });
    try {
      return await reading;
    } finally {
      stopListening();
      this.#open.delete(id);
    }
  }

  /** @throws Overloaded (handles) */
  #start(): Worker {
    const giveBack = this.#rules.guards.acquireHandles(HANDLES);
    const worker = startThread('scan-thread.js', this.#name, {
      ...this.#data,
      givenUp: this.#board.shared,
    } satisfies ScanThreadData);
    this.#worker = worker;
    worker.on('message', (message: FromScan) => this.#take(message));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => {
      giveBack();
      this.#lose(worker, new Error('the scan worker ended'));
    });
    return worker;
  }

  #take(message: FromScan): void {
    const open = this.#open.get(message.id);
    if (open !== undefined) {
      const nowMs = this.#rules.clock.monotonicMs();
      const { workMs } = message;
      this.#room.left({ waitedMs: nowMs - open.sentMs - workMs, queued: this.#open.size }, nowMs);
      this.#open.delete(message.id);
      if ('answer' in message) open.resolve(message.answer);
      else open.reject(SkeinError.fromRecord(message.refused));
    }
    if (this.#open.size === 0) this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => this.relieve(), IDLE_MS);
    this.#idle.unref();
  }

  /** Ends the worker, with its memory, unless something waits in it. */
  relieve(): void {
    if (this.#open.size > 0) return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
  }

  /** A read holds nothing, so a lost worker fails its reads and the next one starts another. */
  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#refuseAll(isOutOfHandles(error) ? tooManyOpenFiles() : error);
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
