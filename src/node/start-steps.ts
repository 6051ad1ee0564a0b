/** How far a start is, for health and for refusals until it is done: the step, its progress, and an estimate from the time that is spent.
 *  Must not know: what the steps do. */

import type { StartProgress } from '../engine/engine.js';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { SnapshotProgress } from '../model/replication.js';

export interface StartStepsParts {
  readonly log: Log;
  /** The node has no data yet and takes it from its master. */
  isBlank(): boolean;
  /** Of the snapshot that is coming, if any. */
  snapshot(): SnapshotProgress | null;
}

export class StartSteps {
  readonly #parts: StartStepsParts;
  #progress: StartProgress = { step: 'lock', progress: 0, etaMs: null, message: 'starting' };
  #stepStartedMs = performance.now();

  constructor(parts: StartStepsParts) {
    this.#parts = parts;
  }

  note(step: StartProgress['step'], progress: number, message: string): void {
    const now = performance.now();
    if (step !== this.#progress.step) {
      this.#stepStartedMs = now;
      this.#parts.log.info('start_step', { step, message });
    }
    const spentMs = now - this.#stepStartedMs;
    const etaMs = progress <= 0 ? null : Math.round((spentMs * (1 - progress)) / progress);
    this.#progress = { step, progress, etaMs, message };
  }

  /** A node without data shows how far its first snapshot is. */
  shown(): StartProgress {
    if (!this.#parts.isBlank()) return this.#progress;
    const snapshot = this.#parts.snapshot();
    const progress = snapshot === null || snapshot.bytesTotal === 0 ? 0 : snapshot.bytes / snapshot.bytesTotal;
    return { step: 'sync', progress, etaMs: snapshot?.etaMs ?? null, message: 'taking the data of the master' };
  }

  /** Why a request is refused meanwhile. */
  refusal(): SkeinError {
    const { step, progress, etaMs, message } = this.shown();
    return new SkeinError('Starting', `The server is starting: ${message}`, { step, progress, eta_ms: etaMs });
  }
}
