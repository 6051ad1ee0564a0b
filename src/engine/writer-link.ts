/** The main thread's side of the write thread: a bounded queue of requests, their answers, and what each commit changed.
 *
 *  Invariant: requests and bytes in the queue stay under their limits; what does not fit is refused before it takes memory.
 *  A fatal message or a dead thread is reported once through onFatal and fails every open request.
 *  Must not know: what a request means. */

import type { Worker } from 'node:worker_threads';
import type { AccessKey, AccessKeyChange } from '../model/access-key.js';
import type { Alias, AliasChange } from '../model/alias.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { ClusterRows, CollectionRow, StoreState } from '../storage/storage.js';
import type { Correction } from './correct.js';
import type { Mending } from './mend.js';
import { startThread } from './start-thread.js';
import type { UnitOutcome, UnitRequest } from './unit-writer.js';
import type { FollowerNews, FromWriter, StoreFigures, ToWriter, WriteReply, WriterData } from './writer-messages.js';

export interface Commit {
  readonly state: StoreState;
  readonly changed: readonly CollectionRow[];
  readonly aliases: readonly AliasChange[];
  readonly accessKeys: readonly AccessKeyChange[];
  /** Null when it is as before. */
  readonly cluster: ClusterRows | null;
  readonly commitMs: number;
  /** Requests answered by it. */
  readonly units: number;
}

/** What the store held when it was opened. */
interface Opened {
  readonly state: StoreState;
  readonly collections: readonly CollectionRow[];
  readonly aliases: readonly Alias[];
  readonly accessKeys: readonly AccessKey[];
  readonly cluster: ClusterRows;
}

export interface WriterEvents {
  /** Called before the answers of the group are given out. */
  committed(commit: Commit): void;
  figures(figures: StoreFigures): void;
  /** The disk was found full (true) or a commit went through again (false). */
  full(full: boolean): void;
  news(news: FollowerNews): void;
  /** A request was refused, or what the thread does by itself. @returns what the caller is told */
  refused(record: ErrorRecord): ErrorRecord;
  fatal(reason: string): void;
}

interface OpenRequest {
  readonly bytes: number;
  readonly resolve: (outcome: UnitOutcome) => void;
  readonly reject: (error: Error) => void;
}

export class WriterLink {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #events: WriterEvents;
  readonly #limits: WriterData['limits'];
  readonly #open = new Map<number, OpenRequest>();
  #nextId = 1;
  #bytes = 0;
  #requests = 0;
  #stopping = false;
  #stopped = false;
  #dead = false;
  #lastCommitMs = 0;

  private constructor(worker: Worker, data: WriterData, events: WriterEvents) {
    this.#worker = worker;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    this.#limits = data.limits;
    this.#events = events;
  }

  /** Starts the thread and waits until the store is open.
   *  @throws Error saying why the store could not be opened */
  static async open(data: WriterData, events: WriterEvents): Promise<Opened & { readonly link: WriterLink }> {
    const worker = startThread('writer-thread.js', 'skein-writer', data);
    const link = new WriterLink(worker, data, events);
    return new Promise((resolve, reject) => {
      // Once it is open, these two change nothing.
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the write thread ended with code ${code} at start`)));
      worker.once('message', (message: FromWriter) => {
        if (message.kind !== 'opened') return reject(new Error(`the write thread answered '${message.kind}' at start`));
        link.#listen();
        const { kind: _, ...opened } = message;
        resolve({ link, ...opened });
      });
    });
  }

  /** How long the newest commit took. When an answer comes, it is that of its own group. */
  get lastCommitMs(): number {
    return this.#lastCommitMs;
  }

  get queued(): { requests: number; bytes: number } {
    return { requests: this.#requests, bytes: this.#bytes };
  }

  /** Counts a request that is about to be queued, so that what waits elsewhere is bounded too; `write` or `release` ends it.
   *  @throws Overloaded, ShuttingDown (nothing happened) */
  reserve(bytes: number): void {
    if (this.#stopping || this.#dead) throw new SkeinError('ShuttingDown', 'The server is stopping and takes no writes');
    const { writeQueueBytesMax, writeQueueRequestsMax } = this.#limits;
    if (this.#bytes + bytes > writeQueueBytesMax || this.#requests >= writeQueueRequestsMax) {
      throw new SkeinError('Overloaded', 'The write queue is full; nothing was written', { reason: 'write_queue' });
    }
    this.#bytes += bytes;
    this.#requests += 1;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    this.#requests -= 1;
  }

  /** Queues a unit whose place was reserved; resolves when it is durable.
   *  @param bytes as reserved  @param transfer buffers given away with it
   *  @throws the unit's refusal · ShuttingDown (nothing happened) · Internal (the write thread ended: it may have happened) */
  async write(request: UnitRequest, bytes: number, transfer: readonly ArrayBuffer[] = []): Promise<UnitOutcome> {
    return this.#ask((id) => ({ kind: 'write', id, bytes, request }), bytes, transfer);
  }

  /** Queues a correction of a replica's rows; resolves when it is durable. @throws as write, and what applyCorrection refuses */
  async correct(correction: Correction): Promise<void> {
    this.reserve(0);
    await this.#ask((id) => ({ kind: 'correct', id, correction }), 0, []);
  }

  /** Queues the mending of damaged rows; resolves when it is durable. @throws as write, and what applyMending refuses */
  async mend(mending: Mending): Promise<void> {
    this.reserve(0);
    await this.#ask((id) => ({ kind: 'mend', id, mending }), 0, []);
  }

  async #ask(message: (id: number) => ToWriter, bytes: number, transfer: readonly ArrayBuffer[]): Promise<UnitOutcome> {
    if (this.#stopping || this.#dead) {
      this.release(bytes);
      throw new SkeinError('ShuttingDown', 'The server is stopping and takes no writes');
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { bytes, resolve, reject });
      try {
        this.#send(message(id), transfer);
      } catch (error) {
        this.#open.delete(id);
        this.release(bytes);
        throw error;
      }
    });
  }

  /** Tells the thread what it does not answer by a unit's outcome. @returns whether it can still hear it
   *  @param transfer buffers given away with it */
  tell(message: ToWriter, transfer: readonly ArrayBuffer[] = []): boolean {
    if (this.#stopping || this.#dead) return false;
    this.#send(message, transfer);
    return true;
  }

  /** Lets queued requests finish, closes the store cleanly, ends the thread. Resolves when the thread has ended, however it did. */
  async stop(): Promise<void> {
    if (!this.#stopping && !this.#dead) {
      this.#stopping = true;
      this.#send({ kind: 'stop' });
    }
    await this.#ended;
  }

  #send(message: ToWriter, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, [...transfer]);
  }

  #listen(): void {
    this.#worker.on('message', (message: FromWriter) => this.#take(message));
    this.#worker.on('error', (error) => this.#die(error.message));
    this.#worker.on('exit', (code) => {
      if (!this.#stopped) this.#die(`the write thread ended with code ${code}`);
    });
  }

  #take(message: FromWriter): void {
    switch (message.kind) {
      case 'committed':
        this.#lastCommitMs = message.commitMs;
        this.#events.committed({ ...message, units: message.replies.length });
        this.#events.full(false);
        this.#answer(message.replies);
        return;
      case 'refused':
        if (message.full) this.#events.full(true);
        this.#answer(message.replies);
        return;
      case 'sweep_refused':
        this.#events.refused(message.record);
        return;
      case 'role_changed':
      case 'apply_failed':
      case 'apply_room':
      case 'traced':
        this.#events.news(message);
        return;
      case 'figures':
        this.#events.figures(message.figures);
        return;
      case 'stopped':
        this.#stopped = true;
        return;
      case 'fatal':
        this.#die(message.message);
        return;
      case 'opened':
        return;
    }
  }

  #answer(replies: readonly WriteReply[]): void {
    for (const reply of replies) {
      const request = this.#open.get(reply.id);
      if (request === undefined) continue;
      this.#open.delete(reply.id);
      this.release(request.bytes);
      if ('outcome' in reply) request.resolve(reply.outcome);
      else request.reject(SkeinError.fromRecord(this.#events.refused(reply.refused)));
    }
  }

  /** Whether the last group is durable is unknown until the store is opened again, so no request is told that nothing happened. */
  #die(reason: string): void {
    if (this.#dead || this.#stopped) return;
    this.#dead = true;
    this.#events.fatal(reason);
    const requests = [...this.#open.values()];
    this.#open.clear();
    for (const { bytes, reject } of requests) {
      this.release(bytes);
      reject(new SkeinError('Internal', 'The write thread ended; the next start shows whether the write took effect'));
    }
  }
}
