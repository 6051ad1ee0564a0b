/** The door of replays: a store that nobody serves is brought forward along a log, to a target and no further. The work is done by a thread
 *  of its own (replay-thread.ts).
 *
 *    opened ─► apply, apply, … ─► finish          (a refusal or a failure ends it; the store's file is then of no use)
 *
 *  Must not know: where a log is kept, why somebody wants an older state. */

import type { Limits } from '../model/limits.js';
import { StorageFull } from '../storage/storage.js';
import type { ApplyFailure, EntryBatch } from './engine.js';
import type { FromReplay, ReplayEnding, ReplayState, ReplayTarget, ReplayThreadData, ToReplay } from './replay-messages.js';
import { startThread } from './start-thread.js';

export type { ReplayEnding, ReplayState } from './replay-messages.js';

/** What came does not fit the store: another past, other data, or bytes that say nothing. */
export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused';
  readonly failure: ApplyFailure;

  constructor(failure: ApplyFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

export interface Replay {
  /** Where it stands. */
  readonly at: ReplayState;
  /** Applies what continues the store, up to the target; entries that it has are passed over. One call at a time.
   *  @throws ReplayRefused · StorageFull · Error (then it is over) */
  apply(batch: EntryBatch): Promise<ReplayState>;
  /** Closes the store's file, durable. @param ending null: it stays what it is. @returns the state then @throws as apply */
  finish(ending: ReplayEnding | null): Promise<ReplayState>;
  /** Ends the thread wherever it is. Harmless when it is over. */
  abort(): Promise<void>;
}

export interface ReplayOptions extends Pick<ReplayThreadData, 'databasePath' | 'timeMs'> {
  readonly cacheBytes: number;
  readonly limits: Limits;
  readonly target: ReplayTarget;
}

/** Cost: a thread; about as fast as a replica applies. @throws StorageFull · Error when the store cannot be opened */
export async function openReplay(options: ReplayOptions): Promise<Replay> {
  const thread = new ReplayThread(options);
  await thread.opened();
  return thread;
}

class ReplayThread implements Replay {
  readonly #thread;
  #state: ReplayState | null = null;
  #waiting: { resolve(state: ReplayState): void; reject(error: Error): void } | null = null;
  #failure: Error | null = null;

  constructor(options: ReplayOptions) {
    const { databasePath, cacheBytes, limits, target, timeMs } = options;
    const data: ReplayThreadData = { databasePath, cacheBytes, limits, target, timeMs };
    this.#thread = startThread('replay-thread.js', 'skein-replay', data);
    this.#thread.on('message', (message: FromReplay) => this.#told(message));
    this.#thread.once('error', (error: Error) => this.#fail(error));
    this.#thread.once('exit', () => this.#fail(new Error('the thread that replays a log has ended')));
  }

  get at(): ReplayState {
    if (this.#state === null) throw new Error('the replay is not open');
    return this.#state;
  }

  async opened(): Promise<void> {
    await this.#answer();
  }

  apply(batch: EntryBatch): Promise<ReplayState> {
    return this.#ask({ kind: 'batch', batch });
  }

  async finish(ending: ReplayEnding | null): Promise<ReplayState> {
    const state = await this.#ask({ kind: 'finish', ending });
    await this.abort();
    return state;
  }

  async abort(): Promise<void> {
    await this.#thread.terminate();
  }

  #ask(message: ToReplay): Promise<ReplayState> {
    if (this.#failure === null) this.#thread.postMessage(message);
    return this.#answer();
  }

  #answer(): Promise<ReplayState> {
    return new Promise((resolve, reject) => {
      if (this.#failure === null) this.#waiting = { resolve, reject };
      else reject(this.#failure);
    });
  }

  #told(message: FromReplay): void {
    if (message.kind === 'refused') return this.#fail(new ReplayRefused(message.failure));
    if (message.kind === 'failed')
      return this.#fail(
        message.full ? new StorageFull(message.message) : new Error(`the log cannot be replayed: ${message.message}`),
      );
    this.#state = message.state;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(message.state);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }
}
