/** The main thread's side of the replicated log: reads of it, the state as it was last told, and the way of batches to the write thread.
 *
 *  Invariant: nothing is read or told beyond the tail; what is handed over and not yet applied stays under a bound.
 *  Must not know: sockets, frames, who the peers are. */

import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { Role, Voter } from '../model/replication.js';
import type { ClusterRows, LogRow, StoreReads, StoreState } from '../storage/storage.js';
import type { ApplyFailure, EntryBatch, LogHolder, ReplicatedLog, TracedEntry, WriteReceipt } from './engine.js';
import { batchBytes } from './entry-intake.js';
import type { IndexKeeper } from './index-keeper.js';
import { MOVE_BYTES_MIN } from './operation-size.js';
import type { Reader } from './reader.js';
import type { WritePath } from './write-path.js';
import type { Commit, WriterLink } from './writer-link.js';
import type { FollowerNews, StoreFigures } from './writer-messages.js';

export interface ReplicatedLogParts {
  readonly link: WriterLink;
  readonly reader: Reader;
  readonly reads: StoreReads;
  readonly keeper: IndexKeeper;
  readonly state: StoreState;
  readonly cluster: ClusterRows;
  readonly role: Role;
  /** Hears of every reading of the log that was refused. */
  readonly onRefused: (record: ErrorRecord) => void;
}

/** Batches on their way to the write thread and in it. */
const HELD_BYTES_MAX = 32 * 1024 * 1024;
const INDEX_WAIT_MS = 1_000;

export class LocalLog implements ReplicatedLog {
  readonly #parts: ReplicatedLogParts;
  readonly #writes: WritePath;
  #state: StoreState;
  #cluster: ClusterRows;
  #role: Role;
  readonly #listeners = new Set<(state: StoreState, bytes: number) => void>();
  readonly #traceListeners = new Set<(entry: TracedEntry) => void>();
  readonly #holders = new Map<LogHolder, number>();
  #committedBytes = 0;
  #roleWaiters: ((error: Error | null) => void)[] = [];
  #session = 0;
  #onFailure: ((failure: ApplyFailure) => void) | null = null;
  #heldBytes = 0;
  #roomWaiters: (() => void)[] = [];
  #closed = false;

  /** @param writes the way of units that this node logs by itself */
  constructor(parts: ReplicatedLogParts, writes: WritePath) {
    this.#parts = parts;
    this.#writes = writes;
    this.#state = parts.state;
    this.#cluster = parts.cluster;
    this.#role = parts.role;
  }

  // What the write thread tells.

  /** Takes in what a commit says; tellCommit follows when the tail has moved. */
  take(commit: Commit): void {
    // What pruning takes away is told by figures in between.
    this.#committedBytes = commit.state.logBytes - this.#state.logBytes;
    this.#state = commit.state;
    this.#cluster = commit.cluster ?? this.#cluster;
  }

  tellCommit(): void {
    for (const listener of this.#listeners) listener(this.#state, this.#committedBytes);
  }

  figures({ logMinSeq, logBytes }: StoreFigures): void {
    this.#state = { ...this.#state, logMinSeq, logBytes };
  }

  news(news: FollowerNews): void {
    if (news.kind === 'role_changed') {
      this.#role = news.role;
      this.#roleWaiters.shift()?.(null);
    } else if (news.kind === 'traced') {
      for (const entry of news.entries) for (const listener of this.#traceListeners) listener(entry);
    } else if (news.kind === 'apply_room') {
      this.#heldBytes -= news.bytes;
      this.#wakeRoom();
    } else if (news.session === this.#session) {
      const tell = this.#onFailure;
      this.#onFailure = null;
      tell?.(news.failure);
    }
  }

  /** The write thread has ended, or is about to. */
  close(): void {
    this.#closed = true;
    for (const settle of this.#roleWaiters) settle(stopping());
    this.#roleWaiters = [];
    this.#wakeRoom();
  }

  // The log as it stands.

  get role(): Role {
    return this.#role;
  }

  state(): StoreState {
    return this.#state;
  }

  lineage() {
    return this.#cluster.lineage;
  }

  voters(): readonly Voter[] {
    return this.#cluster.voters;
  }

  read(fromSeq: number, limit: number, bytesMax: number): LogRow[] {
    const durable = Math.min(limit, this.#state.seq - fromSeq + 1);
    if (durable < 1) return [];
    const rows = this.#told(() => this.#parts.reads.logFrom(fromSeq, durable, bytesMax));
    return rows.filter(({ seq }) => seq <= this.#state.seq);
  }

  chainHashAt(seq: number): Uint8Array | null {
    if (seq > this.#state.seq) return null;
    // As the state row has it too, so that a damaged last entry keeps no node from linking to one that has it.
    if (seq === this.#state.seq) return this.#state.chainHash;
    return this.#told(() => this.#parts.reads.chainHashAt(seq)) ?? null;
  }

  #told<Found>(read: () => Found): Found {
    try {
      return read();
    } catch (error) {
      if (error instanceof SkeinError) this.#parts.onRefused(error.toRecord());
      throw error;
    }
  }

  async bytesAfter(afterSeq: number): Promise<number> {
    return (await this.#parts.reader.read({ kind: 'log_bytes', afterSeq })).bytes;
  }

  onCommit(listener: (state: StoreState, bytes: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onTraced(listener: (entry: TracedEntry) => void): () => void {
    this.#traceListeners.add(listener);
    return () => this.#traceListeners.delete(listener);
  }

  keepFrom(holder: LogHolder, seq: number | null): void {
    if (seq === null) this.#holders.delete(holder);
    else this.#holders.set(holder, seq);
    const wishes = [...this.#holders.values()];
    this.#parts.link.tell({ kind: 'keep_log', fromSeq: wishes.length === 0 ? null : Math.min(...wishes) });
  }

  // Following a master.

  setRole(role: Role, ownFromEpoch: number): Promise<void> {
    if (this.#closed || !this.#parts.link.tell({ kind: 'role', role, ownFromEpoch })) return Promise.reject(stopping());
    return new Promise((resolve, reject) => {
      this.#roleWaiters.push((error) => (error === null ? resolve() : reject(error)));
    });
  }

  beginApply(onFailure: (failure: ApplyFailure) => void): void {
    this.#session += 1;
    this.#onFailure = onFailure;
    this.#parts.link.tell({ kind: 'session', session: this.#session });
  }

  async apply(batch: EntryBatch): Promise<void> {
    // Without a listener the session has failed, or none has begun.
    if (this.#onFailure === null) return;
    const bytes = batchBytes(batch);
    const { batch: own, moved } = ownBuffers(batch);
    if (this.#closed || !this.#parts.link.tell({ kind: 'batch', session: this.#session, batch: own }, moved)) throw stopping();
    this.#heldBytes += bytes;
    while (this.#heldBytes > HELD_BYTES_MAX && !this.#closed)
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    const { keeper } = this.#parts;
    while (!this.#closed && keeper.lost === null && !(await keeper.room(INDEX_WAIT_MS)));
  }

  #wakeRoom(): void {
    if (this.#heldBytes > HELD_BYTES_MAX && !this.#closed) return;
    const waiting = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const wake of waiting) wake();
  }

  // What this node logs as a master.

  beginHistory(next: { readonly historyId: string; readonly epoch: number; readonly nodeId: string }): Promise<WriteReceipt> {
    const { historyId, epoch, nodeId } = next;
    return this.#writes.writeCluster([{ kind: 'begin_history', historyId, epoch, nodeId }]);
  }

  registerVoters(voters: readonly Voter[]): Promise<WriteReceipt> {
    return this.#writes.writeCluster(voters.map(({ nodeId, host, port }) => ({ kind: 'put_voter', nodeId, host, port })));
  }

  async removeVoter(nodeId: string): Promise<WriteReceipt | null> {
    if (!this.#cluster.voters.some((voter) => voter.nodeId === nodeId)) return null;
    return this.#writes.writeCluster([{ kind: 'remove_voter', nodeId }]);
  }
}

/** Large buffers are moved; small ones, which may be parts of a pool or of what is still being received, are copied. */
function ownBuffers(batch: EntryBatch): { batch: EntryBatch; moved: ArrayBuffer[] } {
  const moved = new Set<ArrayBuffer>();
  const entries = batch.entries.map((entry) => {
    const { buffer } = entry;
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength <= MOVE_BYTES_MIN) return Uint8Array.from(entry);
    moved.add(buffer);
    return entry;
  });
  const { firstSeq, chainHash } = batch;
  return { batch: { firstSeq, entries, chainHash: Uint8Array.from(chainHash) }, moved: [...moved] };
}

function stopping(): SkeinError {
  return new SkeinError('ShuttingDown', 'The server is stopping');
}
