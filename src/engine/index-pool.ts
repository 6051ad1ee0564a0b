/** The async door of the vector indexes or of the text indexes: a pool of workers, each collection owned by one of them.
 *
 *  Routes questions, forwards "the store has more", and hands on what the indexes report. Questions waiting for an answer are bounded. A
 *  worker that dies is started again and loads its collections from their checkpoints; what it was asked is refused, and its collections
 *  answer nothing until they are level again. One that dies again and again is fatal: told once, and everything that comes later fails.
 *  Must not know: HTTP, what is asked, the write path. */

import type { Cancellation } from '../model/cancellation.js';
import type { Clock } from '../model/clock.js';
import { collectionDropped } from '../model/collection.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { QueueLimit } from '../resilience/queue-limit.js';
import { GivenUpBoard } from './given-up.js';
import type { AskOf, IndexAnswers, IndexAsk, IndexAskKind } from './index-asks.js';
import type { EngineKind, FromIndex, IndexedCollection, IndexReport, IndexThreadData, ToIndex } from './index-messages.js';
import { isStalled, type PoolWorker, tooLate } from './pool-worker.js';
import { startThread } from './start-thread.js';

export interface IndexPoolEvents {
  report(report: IndexReport): void;
  /** The worker of this collection died; nothing of it is known until the next report. */
  lost(uid: number): void;
  /** A question was refused by its worker. @returns what its caller is told */
  refused(record: ErrorRecord): ErrorRecord;
  fatal(reason: string): void;
}

export interface IndexPoolOptions {
  readonly workers: number;
  readonly data: Omit<IndexThreadData, 'givenUp'>;
  readonly queueMax: number;
  /** As EngineGuards.queueWaitMs. */
  readonly queueWaitMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: IndexPoolEvents;
}

/** Notes of workers after which something has to be built again. */
const WARNINGS: ReadonlySet<string> = new Set(['index_checkpoint_refused', 'index_checkpoint_failed']);

interface OpenAsk {
  readonly worker: PoolWorker;
  readonly uid: number;
  readonly sentMs: number;
  readonly resolve: (answer: IndexAnswers[IndexAskKind]) => void;
  readonly reject: (error: Error) => void;
}

interface Settling {
  readonly worker: PoolWorker;
  readonly uid: number;
  resolve(): void;
  reject(error: Error): void;
}

/** A worker that dies more often than this within so long is not started again. */
const DEATHS_MAX = 3;
const DEATHS_WITHIN_MS = 60_000;
/** A worker says something twice a second. */
const SILENT_MS = 3_000;
/** A worker that stands still for so long when it is to end has nothing to save that could be waited for. */
const STOP_HEARD_MS = 5_000;
/** So many may always wait for one worker, however long each takes. */
const ASKS_MIN = 8;

export class IndexPool {
  readonly #options: IndexPoolOptions;
  readonly #workers: PoolWorker[] = [];
  readonly #ownerOf = new Map<number, PoolWorker>();
  /** The newest opening of each collection: what was closed may still report. */
  readonly #openings = new Map<number, number>();
  /** Collections whose worker died and that have not reported since. */
  readonly #loading = new Set<number>();
  readonly #asks = new Map<number, OpenAsk>();
  readonly #settling = new Map<number, Settling>();
  readonly #room: QueueLimit;
  readonly #board = new GivenUpBoard();
  #restarts = 0;
  #nextId = 1;
  #stopping = false;
  /** Why workers are not started any more. */
  #lost: string | null = null;

  constructor(options: IndexPoolOptions) {
    this.#options = options;
    const { queueMax: max, queueWaitMs: targetMs, workers } = options;
    this.#room = new QueueLimit({ min: Math.min(max, ASKS_MIN * workers), max, targetMs });
    for (let number = 0; number < options.workers; number++) this.#workers.push(this.#hire(number));
  }

  get engine(): EngineKind {
    return this.#options.data.engine;
  }

  #hire(number: number): PoolWorker {
    const started = this.#start(number, () => this.#workers[number]);
    return { number, owned: new Map(), deathsMs: [], stopping: false, heardMs: performance.now(), silences: 0, ...started };
  }

  #start(number: number, worker: () => PoolWorker | undefined): Pick<PoolWorker, 'thread' | 'ended'> {
    const thread = startThread('index-thread.js', `skein-${this.engine}-${number}`, {
      ...this.#options.data,
      givenUp: this.#board.shared,
    } satisfies IndexThreadData);
    let reason = '';
    thread.on('message', (message: FromIndex) => this.#take(message, worker()));
    thread.on('error', (error) => {
      reason = `an index worker failed: ${error.message}`;
    });
    const ended = new Promise<void>((resolve) => {
      thread.on('exit', (code) => {
        const died = worker();
        if (!this.#stopping && died !== undefined)
          this.#bury(died, reason === '' ? `an index worker ended with code ${code}` : reason);
        resolve();
      });
    });
    return { thread, ended };
  }

  #bury(worker: PoolWorker, reason: string): void {
    // However many were asked, it is one failure: else a restart of a second would keep a breaker open for long.
    let repeated = false;
    for (const [id, { reject, worker: owner }] of this.#asks) {
      if (owner !== worker) continue;
      this.#asks.delete(id);
      reject(this.#unavailable(reason, repeated));
      repeated = true;
    }
    if (this.#lost !== null) return;
    const now = performance.now();
    worker.deathsMs = [...worker.deathsMs, now].filter((deathMs) => now - deathMs <= DEATHS_WITHIN_MS);
    const deaths = worker.deathsMs.length;
    if (deaths > DEATHS_MAX) return this.#giveUp(reason);
    this.#options.log.error('index_worker_restarted', { engine: this.engine, reason, deaths });
    this.#restarts += 1;
    Object.assign(
      worker,
      this.#start(worker.number, () => worker),
      { heardMs: performance.now(), silences: 0 },
    );
    for (const collection of worker.owned.values()) {
      this.#loading.add(collection.uid);
      this.#options.events.lost(collection.uid);
      this.#sendOpen(worker, collection);
      this.#send(worker, { kind: 'advance', uids: [collection.uid] });
    }
    for (const [id, { uid, worker: owner }] of this.#settling)
      if (owner === worker) this.#send(worker, { kind: 'settle', id, uid });
  }

  #giveUp(reason: string): void {
    this.#lost = reason;
    this.#options.events.fatal(reason);
    for (const { reject } of this.#asks.values()) reject(this.#unavailable(reason));
    this.#asks.clear();
    for (const { reject } of this.#settling.values()) reject(this.#unavailable(reason));
    this.#settling.clear();
  }

  /** Why workers are not started any more, or null. */
  get lost(): string | null {
    return this.#lost;
  }

  /** How often a worker was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  get asksWaiting(): number {
    return this.#asks.size;
  }

  /** How many may wait at the moment. */
  get asksMax(): number {
    return this.#room.at(this.#options.clock.monotonicMs());
  }

  get asksAreFull(): boolean {
    return this.#asks.size >= this.asksMax;
  }

  /** Forgets what is kept only to be faster. */
  relieve(): void {
    for (const worker of this.#workers) this.#send(worker, { kind: 'relieve' });
  }

  /** Looks who has said nothing for long; called a few times a second. */
  listen(): void {
    const nowMs = performance.now();
    for (const worker of this.#workers) worker.silences = nowMs - worker.heardMs > SILENT_MS ? worker.silences + 1 : 0;
  }

  /** Workers that have said nothing for seconds. */
  get stalled(): number {
    return this.#workers.filter(isStalled).length;
  }

  /** Which collections each worker has. */
  ownedByThreads(): readonly (readonly number[])[] {
    return this.#workers.map(({ owned }) => [...owned.keys()]);
  }

  has(uid: number): boolean {
    return this.#ownerOf.has(uid);
  }

  /** Gives the collection to the worker that owns the fewest. */
  open(collection: IndexedCollection): void {
    const owner = this.#workers.reduce((least, next) => (next.owned.size < least.owned.size ? next : least));
    owner.owned.set(collection.uid, collection);
    this.#ownerOf.set(collection.uid, owner);
    this.#sendOpen(owner, collection);
  }

  #sendOpen(worker: PoolWorker, collection: IndexedCollection): void {
    const opening = this.#nextId++;
    this.#openings.set(collection.uid, opening);
    this.#send(worker, { kind: 'open', collection, opening });
  }

  close(uid: number): void {
    const owner = this.#ownerOf.get(uid);
    if (owner === undefined) return;
    owner.owned.delete(uid);
    this.#ownerOf.delete(uid);
    this.#openings.delete(uid);
    this.#loading.delete(uid);
    this.#send(owner, { kind: 'close', uid });
    for (const ask of this.#asks.values()) if (ask.uid === uid) ask.reject(collectionDropped());
  }

  configure(collection: IndexedCollection): void {
    const owner = this.#ownerOf.get(collection.uid);
    if (owner === undefined) return;
    owner.owned.set(collection.uid, collection);
    this.#send(owner, { kind: 'configure', collection });
  }

  /** Resolves when the index has all rows as the store has them, also those that were changed without a new seq.
   *  @throws SearchUnavailable when a worker is lost */
  settle(uid: number): Promise<void> {
    const worker = this.#ownerOf.get(uid);
    if (this.#lost !== null) return Promise.reject(this.#unavailable(this.#lost));
    if (worker === undefined) return Promise.resolve();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#settling.set(id, { worker, uid, resolve, reject });
      this.#send(worker, { kind: 'settle', id, uid });
    });
  }

  advance(uids: readonly number[]): void {
    for (const worker of this.#workers) {
      const own = uids.filter((uid) => worker.owned.has(uid));
      if (own.length > 0) this.#send(worker, { kind: 'advance', uids: own });
    }
  }

  checkpoint(uid: number): void {
    const owner = this.#ownerOf.get(uid);
    if (owner !== undefined) this.#send(owner, { kind: 'checkpoint', uid });
  }

  /** The graph of the collection is to be left for a fresh one. */
  renew(uid: number): void {
    const owner = this.#ownerOf.get(uid);
    if (owner !== undefined) this.#send(owner, { kind: 'renew', uid });
  }

  /** @throws SearchUnavailable while the index of the collection is read in again after its worker died, and when there are no workers */
  mustBeLoaded(uid: number): void {
    if (this.#lost !== null) throw this.#unavailable(this.#lost);
    if (this.#loading.has(uid)) throw this.#unavailable('it is being loaded after a failure');
  }

  /** @param timeoutMs how long the answer is of use: the worker drops the question then; the caller must not wait longer either
   *  @param cancellation when nobody waits any more
   *  @throws Overloaded when too many questions wait · CollectionNotFound when the collection was dropped meanwhile
   *  · SearchUnavailable when its worker died · Timeout · ShuttingDown */
  async ask<K extends IndexAskKind>(
    uid: number,
    ask: AskOf<K>,
    timeoutMs: number,
    cancellation?: Cancellation,
  ): Promise<IndexAnswers[K]> {
    if (this.#stopping) throw new SkeinError('ShuttingDown', 'The server is stopping');
    this.mustBeLoaded(uid);
    const worker = this.#ownerOf.get(uid);
    if (worker === undefined) throw collectionDropped();
    if (this.asksAreFull) {
      throw new SkeinError('Overloaded', 'Too many searches are waiting', { reason: 'search_queue' });
    }
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    let stopListening = (): void => {};
    try {
      return await new Promise<IndexAnswers[K]>((resolve, reject) => {
        // The answer to a question of kind K is of kind K.
        this.#asks.set(id, {
          worker,
          uid,
          sentMs: this.#options.clock.monotonicMs(),
          resolve: (answer) => resolve(answer as IndexAnswers[K]),
          reject,
        });
        timer = setTimeout(() => reject(tooLate(this.engine, timeoutMs, isStalled(worker))), timeoutMs);
        this.#send(worker, { kind: 'ask', id, uid, ask: ask as IndexAsk, untilMs: Date.now() + timeoutMs });
        stopListening = this.#board.watch(id, cancellation, reject);
      });
    } finally {
      clearTimeout(timer);
      stopListening();
      this.#asks.delete(id);
    }
  }

  /** Saves what is worth saving and ends the workers; one that stands still is cut off. Resolves when all have ended, however they did. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const worker of this.#workers) this.#send(worker, { kind: 'stop' });
    const cutOff = setTimeout(() => {
      for (const { thread, number, stopping } of this.#workers) {
        if (stopping) continue;
        this.#options.log.warn('index_worker_cut_off', { engine: this.engine, number });
        void thread.terminate();
      }
    }, STOP_HEARD_MS);
    await Promise.all(this.#workers.map(({ ended }) => ended));
    for (const { reject } of this.#settling.values()) reject(new SkeinError('ShuttingDown', 'The server is stopping'));
    this.#settling.clear();
    clearTimeout(cutOff);
    for (const { reject } of this.#asks.values()) reject(new SkeinError('ShuttingDown', 'The server is stopping'));
  }

  #send(worker: PoolWorker, message: ToIndex): void {
    worker.thread.postMessage(message);
  }

  #take(message: FromIndex, worker: PoolWorker | undefined): void {
    if (worker !== undefined) worker.heardMs = performance.now();
    switch (message.kind) {
      case 'report': {
        const { uid, phase } = message.report;
        if (this.#openings.get(uid) !== message.opening) return;
        if (phase === 'ready') this.#loading.delete(uid);
        return this.#options.events.report(message.report);
      }
      case 'answer':
        this.#left(message.id, message.workMs);
        return this.#asks.get(message.id)?.resolve(message.answer);
      case 'refused': {
        const { error } = message;
        this.#left(message.id, message.workMs);
        const refusal = error === null ? collectionDropped() : SkeinError.fromRecord(this.#options.events.refused(error));
        return this.#asks.get(message.id)?.reject(refusal);
      }
      case 'settled':
        this.#settling.get(message.id)?.resolve();
        this.#settling.delete(message.id);
        return;
      case 'stopping':
        if (worker !== undefined) worker.stopping = true;
        return;
      case 'note':
        return this.#options.log[WARNINGS.has(message.event) ? 'warn' : 'info'](message.event, message.fields);
      case 'beat':
      case 'stopped':
        return;
    }
  }

  #left(id: number, workMs: number): void {
    const ask = this.#asks.get(id);
    if (ask === undefined) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#room.left({ waitedMs: nowMs - ask.sentMs - workMs, queued: this.#asks.size }, nowMs);
  }

  /** @param repeated others were refused for the same event already */
  #unavailable(reason: string, repeated = false): SkeinError {
    return new SkeinError('SearchUnavailable', `The ${this.engine} index cannot answer`, {
      failed: [{ engine: this.engine, message: reason }],
      ...(repeated ? { repeated } : {}),
    });
  }
}
