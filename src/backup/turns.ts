/** One job at a time: what comes while one runs waits, and more than a few are refused. Must not know: what the jobs are. */

import type { BackupActivity } from '../model/backup.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';

const WAITING_MAX = 4;

export class Turns {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running: BackupActivity | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get running(): BackupActivity | null {
    return this.#running;
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Runs the job when those before it have ended. @throws Overloaded (too many wait) · ShuttingDown · what the job throws */
  take<T>(kind: BackupActivity['kind'], job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#stop;
    if (signal.aborted) return Promise.reject(stopping());
    if (this.#waiting > WAITING_MAX)
      return Promise.reject(
        new SkeinError('Overloaded', 'Too many backups and restores wait for each other', { reason: 'backups' }),
      );
    this.#waiting += 1;
    const result = this.#last.then(async () => {
      if (signal.aborted) throw stopping();
      this.#running = { kind, sinceMs: this.#clock.wallMs() };
      try {
        return await job(signal);
      } finally {
        this.#running = null;
      }
    });
    this.#last = result.then(
      () => this.#ended(),
      () => this.#ended(),
    );
    return result;
  }

  #ended(): void {
    this.#waiting -= 1;
  }

  /** What runs is broken off; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stop.abort(stopping());
    await this.#last;
  }
}

function stopping(): SkeinError {
  return new SkeinError('ShuttingDown', 'The server is stopping');
}
