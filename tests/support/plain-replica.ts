/** A replica in the test's own process, small enough for a hundred of them: what follows a master, over a store in a folder of its own.
 *
 *  The link, the greeting, the snapshot's checks and its switch, the checks of entries, digests and commits are the product's. What a node
 *  has beside that is left out: threads, indexes, HTTP, coming back after a crash. Must not know: what is tested. */

import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { ApplyFailure, EntryBatch, ReplicatedLog, RunningEngine } from '../../src/engine/engine.js';
import { ApplyRefused, EntryIntake } from '../../src/engine/entry-intake.js';
import { type IncomingSnapshot, removeStore, type SnapshotHead } from '../../src/engine/snapshot.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { silentLog } from '../../src/model/log.js';
import { encodeToken } from '../../src/model/position.js';
import { Following } from '../../src/node/following.js';
import { createDataFolder, type StoreFolder } from '../../src/storage/data-folder.js';
import { openWriter } from '../../src/storage/open-store.js';
import type { ClusterRows, StoreState, StoreWriter } from '../../src/storage/storage.js';
import type { NodeStats } from './node-calls.js';

export interface PlainReplicaOptions {
  readonly masterUrl: string;
  /** Does the work when its turn has come: the machine may be too small for all replicas to check their snapshots at once. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

const CACHE = { cacheBytes: 256 * 1024 };
const NO_ID = '0'.repeat(32);
/** Nobody listens there: the master may look for a replica that is gone. */
const ADDRESS = { host: '127.0.0.1', port: 9 };
const RULES = { heartbeatMs: 1_000, timeoutMs: 10_000 };

export class PlainReplica {
  readonly name: string;
  /** The snapshots that it took, in order. */
  readonly heads: SnapshotHead[] = [];
  /** What went wrong and must not. */
  readonly errors: unknown[] = [];
  readonly #options: PlainReplicaOptions;
  readonly #dataDir: string;
  readonly #bootId = newId();
  readonly #following: Following;
  #folder: StoreFolder;
  #log: PlainLog;
  #highestEpoch = 0;
  #stopped = false;

  /** Makes its folder. @param dataDir is not there yet */
  constructor(dataDir: string, options: PlainReplicaOptions) {
    this.#options = options;
    this.#dataDir = dataDir;
    this.name = dataDir;
    const identity = { clusterId: NO_ID, nodeId: newId(), historyId: NO_ID, epoch: 0 };
    this.#folder = createDataFolder(dataDir, identity, { role: 'replica', bootId: this.#bootId }, CACHE);
    this.#log = new PlainLog(this.#folder.databasePath);
    this.#following = new Following({
      ...RULES,
      dataDir,
      keys: [],
      runId: newId(),
      software: 'test',
      voter: true,
      tls: {},
      tracer: null,
      clock: systemClock,
      log: { ...silentLog, error: (event, fields) => void this.errors.push({ event, ...fields }) },
      address: () => ADDRESS,
      engine: () => ({ log: this.#log, indexedSeq: () => this.#log.state().seq }) as unknown as RunningEngine,
      install: (incoming, head) => this.#install(incoming, head),
      noteEpoch: (epoch) => {
        this.#highestEpoch = epoch;
      },
      onRequest: async (method) => Promise.reject(new Error(`nobody answers ${method}`)),
      onRedirect: (url) => void this.errors.push(`sent to ${url}`),
    });
  }

  /** Begins to follow. */
  join(): void {
    this.#begin(null);
  }

  /** Follows nobody until it joins again. */
  leave(): void {
    this.#following.end();
  }

  get isFollowing(): boolean {
    return this.#following.follower?.state.phase === 'following';
  }

  async stats(): Promise<NodeStats> {
    const { historyId, epoch, seq, digest } = this.#log.state();
    const { fullSyncs, partialSyncs, divergences } = this.#following.counts;
    return {
      role: 'replica',
      position: encodeToken({ historyId, epoch, seq }),
      digest: Buffer.from(digest).toString('hex'),
      epoch,
      history_id: historyId,
      full_syncs: fullSyncs,
      partial_syncs: partialSyncs,
      divergences,
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#following.end();
    this.#log.close();
  }

  #begin(installed: string | null): void {
    if (!this.#stopped) this.#following.begin(this.#options.masterUrl, this.#highestEpoch, installed, 0);
  }

  /** As a node does it, but that nothing is read from the old store meanwhile. */
  async #install(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void> {
    this.#following.end();
    const { nodeId } = this.#log.state();
    this.heads.push(head);
    const old = this.#folder.name;
    await this.#options.inTurn(async () => {
      if (this.#stopped) return;
      this.#log.close();
      this.#folder = await incoming.install({ nodeId, bootId: this.#bootId });
      this.#log = new PlainLog(this.#folder.databasePath);
      await removeStore(this.#dataDir, old);
      this.#begin(head.id);
    });
  }
}

type Followed = Pick<ReplicatedLog, 'state' | 'lineage' | 'voters' | 'onCommit' | 'onTraced' | 'beginApply' | 'apply'>;

/** The log and its store, applied to without a thread. */
class PlainLog implements Followed {
  readonly #store: StoreWriter;
  readonly #units: UnitWriter;
  readonly #intake = new EntryIntake();
  readonly #listeners = new Set<(state: StoreState, bytes: number) => void>();
  #onFailure: (failure: ApplyFailure) => void = () => {};
  #session = 0;
  #state: StoreState;
  #cluster: ClusterRows;
  #closed = false;

  constructor(path: string) {
    this.#store = openWriter(path, CACHE);
    this.#units = new UnitWriter(this.#store, DEFAULT_LIMITS);
    this.#state = { ...this.#units.state.state };
    this.#cluster = { lineage: this.#store.lineage(), voters: this.#store.voters() };
  }

  state(): StoreState {
    return this.#state;
  }

  lineage(): ClusterRows['lineage'] {
    return this.#cluster.lineage;
  }

  voters(): ClusterRows['voters'] {
    return this.#cluster.voters;
  }

  onCommit(listener: (state: StoreState, bytes: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onTraced(): () => void {
    return () => {};
  }

  beginApply(onFailure: (failure: ApplyFailure) => void): void {
    this.#onFailure = onFailure;
    this.#intake.begin(++this.#session);
  }

  /** Resolves when it is durable. What came until the turn is over shares a transaction. */
  async apply(batch: EntryBatch): Promise<void> {
    this.#intake.take(this.#session, batch);
    await setImmediate();
    if (this.#closed) return;
    try {
      while (this.#intake.hasWork) this.#applyGroup();
    } catch (error) {
      this.#store.rollback();
      this.#units.reload();
      if (!(error instanceof ApplyRefused)) throw error;
      this.#intake.fail();
      this.#onFailure(error.failure);
    }
  }

  #applyGroup(): void {
    const { state } = this.#units;
    const group = this.#intake.group(state.state);
    if (group.length === 0) return;
    const { logBytes } = state.state;
    this.#store.begin();
    this.#units.follow(group);
    state.flush();
    this.#cluster = state.takeCluster() ?? this.#cluster;
    this.#store.commit();
    this.#intake.done();
    this.#state = { ...state.state };
    for (const listener of this.#listeners) listener(this.#state, this.#state.logBytes - logBytes);
  }

  close(): void {
    if (!this.#closed) this.#store.close();
    this.#closed = true;
  }
}

function newId(): string {
  return randomBytes(16).toString('hex');
}
