/** A snapshot on its way in: chunks are written one after the other, told of, and at the end put in the place of the data.
 *  A download that was cut off goes on where it was. Must not know: links, frames, how data is exchanged. */

import { checkSnapshotHead, type IncomingSnapshot, type SnapshotHead } from '../engine/snapshot.js';
import { failpoint } from '../model/failpoint.js';
import { type SnapshotProgress, snapshotProgress } from '../model/replication.js';

export interface IntakeParts {
  nowMs(): number;
  openIncoming(head: SnapshotHead): Promise<IncomingSnapshot>;
  /** Removes what downloads left. @throws Error of the disk */
  discardIncoming(): Promise<void>;
  /** Exchanges the data for the snapshot. @throws Error when the old data stays */
  install(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void>;
}

interface Incoming {
  readonly snapshot: IncomingSnapshot;
  readonly head: SnapshotHead;
  readonly startedMs: number;
}

export class SnapshotIntake {
  readonly #parts: IntakeParts;
  #incoming: Incoming | null = null;
  /** One step after the other, also over two links. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  get head(): SnapshotHead | null {
    return this.#incoming?.head ?? null;
  }

  progress(): SnapshotProgress | null {
    if (this.#incoming === null) return null;
    const { snapshot, head, startedMs } = this.#incoming;
    return snapshotProgress(snapshot.bytes, head.bytes, this.#parts.nowMs() - startedMs);
  }

  /** @returns the chunk to begin with; as many as there are when all is here @throws RangeError for a head that cannot be, Error of the disk */
  begin(value: unknown): Promise<{ readonly head: SnapshotHead; readonly nextChunk: number }> {
    return this.after(async () => {
      const head = checkSnapshotHead(value);
      const snapshot = await this.#parts.openIncoming(head);
      this.#incoming = { snapshot, head, startedMs: this.#parts.nowMs() };
      return { head, nextChunk: snapshot.nextChunk };
    });
  }

  /** @throws Error of the disk */
  write(number: number, bytes: Uint8Array): Promise<void> {
    const incoming = this.#incoming;
    return this.after(async () => {
      if (incoming === null || incoming !== this.#incoming) return;
      await incoming.snapshot.write(number, bytes);
      failpoint('snapshot.chunk_received');
    });
  }

  /** @throws Error when it cannot be used; the old data stays */
  install(): Promise<void> {
    const incoming = this.#incoming;
    return this.after(async () => {
      if (incoming === null || incoming !== this.#incoming) return;
      const { snapshot, head } = incoming;
      if (snapshot.nextChunk < head.chunks) throw new RangeError('a snapshot that is not whole cannot be installed');
      await this.#parts.install(snapshot, head);
    });
  }

  /** No snapshot is needed any more. What cannot be removed now is removed another time. */
  drop(): Promise<void> {
    return this.after(() => this.#parts.discardIncoming()).catch(() => undefined);
  }

  /** The link ended: what is on the disk stays, for the next. */
  end(): void {
    this.#incoming = null;
  }

  /** Does something as a step of its own: no other step is done meanwhile. @throws what it throws */
  after<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#work.then(step, step);
    this.#work = result.catch(() => undefined);
    return result;
  }
}
