/** The one snapshot that joining replicas share: built when the first asks, kept while any takes it and a little longer, as long as the log
 *  goes on from it. Never two builds at once; one that is replaced goes when its last user has ended.
 *  Must not know: links, frames, how a snapshot is made. */

import type { BuiltSnapshot } from '../engine/snapshot.js';

export interface SharedSnapshotParts {
  /** Last seq that is durable now: a build begins with at least that. */
  tailSeq(): number;
  build(signal: AbortSignal): Promise<BuiltSnapshot>;
  /** Can a replica go on from the log after this seq? */
  continues(baseSeq: number): boolean;
  /** The log must keep what is behind this seq; null: no snapshot needs it. */
  keepLogAfter(baseSeq: number | null): void;
}

export interface SnapshotLease {
  readonly snapshot: BuiltSnapshot;
  /** Ends the use; once. */
  release(): void;
}

interface Held {
  readonly built: BuiltSnapshot;
  users: number;
}

/** Kept for those that join a moment later. */
const IDLE_MS = 60_000;

export class SharedSnapshot {
  readonly #parts: SharedSnapshotParts;
  readonly #idleMs: number;
  readonly #abort = new AbortController();
  #building: Promise<Held> | null = null;
  /** What the build that is under way has at least. */
  #buildingFrom = 0;
  #current: Held | null = null;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: SharedSnapshotParts, idleMs = IDLE_MS) {
    this.#parts = parts;
    this.#idleMs = idleMs;
  }

  /** @param notBefore the last seq that the taker has in common with this node: an older snapshot would take it back
   *  @throws Error when it cannot be built */
  async acquire(notBefore = 0): Promise<SnapshotLease> {
    if (this.#building !== null && this.#buildingFrom < notBefore) await this.#building.catch(() => undefined);
    if (this.#closed) throw new Error('no snapshot is given any more');
    this.#stayAwake();
    const base = this.#current?.built.head.baseSeq ?? null;
    if (base !== null && (base < notBefore || !this.#parts.continues(base))) void this.#retire();
    const held = this.#current ?? (await this.#oneBuild());
    held.users += 1;
    this.#stayAwake();
    let used = true;
    return {
      snapshot: held.built,
      release: () => {
        if (used) this.#release(held);
        used = false;
      },
    };
  }

  #oneBuild(): Promise<Held> {
    this.#building ??= this.#build();
    return this.#building;
  }

  async #build(): Promise<Held> {
    this.#buildingFrom = this.#parts.tailSeq();
    this.#parts.keepLogAfter(this.#buildingFrom);
    try {
      const built = await this.#parts.build(this.#abort.signal);
      const held = { built, users: 0 };
      if (this.#closed) {
        await built.remove();
        throw new Error('no snapshot is given any more');
      }
      this.#current = held;
      this.#parts.keepLogAfter(built.head.baseSeq);
      return held;
    } catch (error) {
      this.#parts.keepLogAfter(null);
      throw error;
    } finally {
      this.#building = null;
    }
  }

  #release(held: Held): void {
    held.users -= 1;
    if (held.users > 0) return;
    if (held !== this.#current) {
      void removed(held);
      return;
    }
    this.#idle = setTimeout(() => void this.#retire(), this.#idleMs);
    this.#idle.unref();
  }

  #stayAwake(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  /** It is given to nobody any more. */
  async #retire(): Promise<void> {
    const held = this.#current;
    this.#current = null;
    this.#parts.keepLogAfter(null);
    if (held !== null && held.users === 0) await removed(held);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stayAwake();
    this.#abort.abort();
    await this.#building?.catch(() => undefined);
    const held = this.#current;
    await this.#retire();
    // Whoever still reads it learns that it is gone, and asks again elsewhere.
    if (held !== null && held.users > 0) await removed(held);
  }
}

/** Files that cannot be removed now are removed by the next start. */
function removed({ built }: Held): Promise<void> {
  return built.remove().catch(() => undefined);
}
