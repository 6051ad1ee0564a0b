/** The main thread's side of the body thread: starts it when a large body comes, ends it when none came for a while.
 *  The queue has a bound in jobs; what does not fit is refused before anything is done. */

import { Worker } from 'node:worker_threads';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { threadArguments } from '../resilience/thread-arguments.js';
import type { BodyForm } from '../wire/body-reader.js';
import type { BodyTask, Decoded } from '../wire/decode-body.js';
import type { BodyJob, BodyJobAnswer } from './body-thread.js';

interface Waiting {
  resolve(answer: { decoded: unknown; bytes: Uint8Array<ArrayBuffer> }): void;
  reject(error: Error): void;
}

export class BodyWorker {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;
  #lastId = 0;
  #closed = false;

  /** Jobs that were not answered yet. */
  get jobs(): number {
    return this.#waiting.size;
  }

  /** Decodes in the thread. `bytes` are given away and come back with the answer.
   *  @throws as decodeBody · Overloaded (nothing was done) */
  async decode<Task extends BodyTask>(
    bytes: Uint8Array<ArrayBuffer>,
    form: BodyForm,
    task: Task,
  ): Promise<{ decoded: Decoded<Task>; bytes: Uint8Array<ArrayBuffer> }> {
    if (this.#closed) throw new SkeinError('ShuttingDown', 'The server is stopping');
    if (this.#waiting.size >= FIXED.bodyJobsMax) {
      throw new SkeinError('Overloaded', 'Too many large bodies wait to be read', { reason: 'body_jobs' });
    }
    const worker = this.#started();
    const id = ++this.#lastId;
    const own = ownBuffer(bytes);
    const answer = await new Promise<{ decoded: unknown; bytes: Uint8Array<ArrayBuffer> }>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const job: BodyJob = { id, bytes: own, form, task };
      worker.postMessage(job, [own.buffer]);
    });
    return { decoded: answer.decoded as Decoded<Task>, bytes: answer.bytes };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #started(): Worker {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL('./body-thread.js', import.meta.url), {
      name: 'skein-bodies',
      ...threadArguments(process.execArgv),
    });
    worker.on('message', (answer: BodyJobAnswer) => this.#answered(answer));
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the body thread ended')));
    // The thread alone must not keep the process alive; requests that wait for it hold their sockets.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #answered(answer: BodyJobAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => void this.#end(), FIXED.bodyThreadIdleMs).unref();
    if (waiting === undefined) return;
    if ('decoded' in answer) waiting.resolve(answer);
    else waiting.reject('refused' in answer ? SkeinError.fromRecord(answer.refused) : new Error(answer.failed));
  }

  /** A thread that died takes its jobs with it; the next body starts a new one. */
  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  async #end(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const worker = this.#worker;
    if (worker === null) return;
    this.#lost(worker, new SkeinError('ShuttingDown', 'The server is stopping'));
    await worker.terminate();
  }
}

/** The bytes in a buffer that holds nothing else, so that it can be moved. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) return new Uint8Array(bytes.buffer);
  const own = new Uint8Array(bytes.byteLength);
  own.set(bytes);
  return own;
}
