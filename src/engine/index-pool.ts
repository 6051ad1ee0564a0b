/** The async door of the vector indexes: a pool of workers, each collection owned by one of them.
 *
 *  Routes searches, forwards "the store has more", and hands on what the indexes report. Searches waiting for an answer are bounded. A
 *  worker that dies is fatal: its graphs cannot be trusted; it is told once, and every search, also one that comes later, fails.
 *  Must not know: HTTP, ids, payloads, the write path. */

import type { Worker } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { FromIndex, IndexedCollection, IndexReport, IndexWorkerData, ToIndex } from './index-messages.js';
import { startThread } from './start-thread.js';

export interface IndexAnswer {
  /** Seq of the index that answered. */
  readonly seq: number;
  readonly labels: Uint32Array;
  /** Exact scores, or null where the caller must score. */
  readonly scores: Float64Array | null;
  /** Points that were compared one by one. */
  readonly scanned: number;
  readonly live: number;
}

export interface IndexPoolEvents {
  report(report: IndexReport): void;
  fatal(reason: string): void;
}

interface PoolWorker {
  readonly thread: Worker;
  readonly ended: Promise<void>;
  /** Collections it owns. */
  owned: number;
}

interface OpenSearch {
  readonly resolve: (answer: IndexAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class IndexPool {
  readonly #workers: PoolWorker[] = [];
  readonly #ownerOf = new Map<number, PoolWorker>();
  readonly #searches = new Map<number, OpenSearch>();
  readonly #settling = new Map<number, { resolve(): void; reject(error: Error): void }>();
  readonly #events: IndexPoolEvents;
  readonly #log: Log;
  readonly #searchQueueMax: number;
  #nextId = 1;
  #stopping = false;
  /** Why a worker was lost. */
  #lost: string | null = null;

  constructor(workerCount: number, data: IndexWorkerData, searchQueueMax: number, log: Log, events: IndexPoolEvents) {
    this.#events = events;
    this.#log = log;
    this.#searchQueueMax = searchQueueMax;
    for (let i = 0; i < workerCount; i++) this.#workers.push(this.#start(data, i));
  }

  #start(data: IndexWorkerData, number: number): PoolWorker {
    const thread = startThread('index-thread.js', `skein-index-${number}`, data);
    thread.on('message', (message: FromIndex) => this.#take(message));
    thread.on('error', (error) => this.#lose(`an index worker failed: ${error.message}`));
    const ended = new Promise<void>((resolve) => {
      thread.on('exit', (code) => {
        if (!this.#stopping) this.#lose(`an index worker ended with code ${code}`);
        resolve();
      });
    });
    return { thread, ended, owned: 0 };
  }

  #lose(reason: string): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    this.#events.fatal(reason);
    const searches = [...this.#searches.values()];
    this.#searches.clear();
    for (const search of searches) search.reject(unavailable(reason));
    for (const { reject } of this.#settling.values()) reject(unavailable(reason));
    this.#settling.clear();
  }

  /** Why a worker was lost, or null. */
  get lost(): string | null {
    return this.#lost;
  }

  get searchesWaiting(): number {
    return this.#searches.size;
  }

  /** Gives the collection to the worker that owns the fewest. */
  open(collection: IndexedCollection): void {
    const owner = this.#workers.reduce((least, next) => (next.owned < least.owned ? next : least));
    owner.owned += 1;
    this.#ownerOf.set(collection.uid, owner);
    this.#send(owner, { kind: 'open', collection });
  }

  close(uid: number): void {
    const owner = this.#ownerOf.get(uid);
    if (owner === undefined) return;
    owner.owned -= 1;
    this.#ownerOf.delete(uid);
    this.#send(owner, { kind: 'close', uid });
  }

  /** Resolves when the index has all rows as the store has them, also those that were changed without a new seq.
   *  @throws SearchUnavailable when a worker is lost */
  settle(uid: number): Promise<void> {
    const owner = this.#ownerOf.get(uid);
    if (this.#lost !== null) return Promise.reject(unavailable(this.#lost));
    if (owner === undefined) return Promise.resolve();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#settling.set(id, { resolve, reject });
      this.#send(owner, { kind: 'settle', id, uid });
    });
  }

  advance(uids: readonly number[]): void {
    for (const worker of this.#workers) {
      const own = uids.filter((uid) => this.#ownerOf.get(uid) === worker);
      if (own.length > 0) this.#send(worker, { kind: 'advance', uids: own });
    }
  }

  checkpoint(uid: number): void {
    this.#tell(uid, { kind: 'checkpoint', uid });
  }

  /** @throws Overloaded when too many searches wait · CollectionNotFound when the collection was dropped meanwhile
   *  · SearchUnavailable when a worker was lost · ShuttingDown */
  async search(uid: number, query: Float32Array, limit: number, ef: number): Promise<IndexAnswer> {
    if (this.#stopping) throw new SkeinError('ShuttingDown', 'The server is stopping');
    if (this.#lost !== null) throw unavailable(this.#lost);
    const owner = this.#ownerOf.get(uid);
    if (owner === undefined) throw dropped();
    if (this.#searches.size >= this.#searchQueueMax) {
      throw new SkeinError('Overloaded', 'Too many searches are waiting', { reason: 'search_queue' });
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#searches.set(id, { resolve, reject });
      this.#send(owner, { kind: 'search', id, uid, query, limit, ef });
    });
  }

  /** Saves what is worth saving and ends the workers. Resolves when all have ended, however they did. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const worker of this.#workers) this.#send(worker, { kind: 'stop' });
    await Promise.all(this.#workers.map(({ ended }) => ended));
  }

  #send(worker: PoolWorker, message: ToIndex): void {
    worker.thread.postMessage(message);
  }

  #tell(uid: number, message: ToIndex): void {
    const owner = this.#ownerOf.get(uid);
    if (owner !== undefined) this.#send(owner, message);
  }

  #take(message: FromIndex): void {
    switch (message.kind) {
      case 'report':
        if (this.#ownerOf.has(message.report.uid)) this.#events.report(message.report);
        return;
      case 'hits':
        return this.#answered(message.id, (search) => search.resolve(message));
      case 'search_failed':
        return this.#answered(message.id, (search) =>
          search.reject(message.message === null ? dropped() : new Error(message.message)),
        );
      case 'settled':
        this.#settling.get(message.id)?.resolve();
        this.#settling.delete(message.id);
        return;
      case 'note':
        return this.#log.info(message.event, message.fields);
      case 'stopped':
        return;
    }
  }

  #answered(id: number, settle: (search: OpenSearch) => void): void {
    const search = this.#searches.get(id);
    this.#searches.delete(id);
    if (search !== undefined) settle(search);
  }
}

function unavailable(reason: string): SkeinError {
  return new SkeinError('SearchUnavailable', 'The vector index cannot answer', {
    failed: [{ engine: 'vector', message: reason }],
  });
}

function dropped(): SkeinError {
  return new SkeinError('CollectionNotFound', 'The collection was dropped');
}
