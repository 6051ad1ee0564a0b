/** The data of a node: the folder that is locked, the store that counts, the engine over it. The store may be exchanged for another while
 *  the node runs; reads go on from the old one until the new is open.
 *
 *    closed ─► folder (locked, verified) ─► open ─► (exchanged: open) ─► closed
 *
 *  Must not know: HTTP, roles, where another store comes from. */

import { randomBytes } from 'node:crypto';
import type { AccessKeys, RunningEngine } from '../engine/engine.js';
import { type EngineOptions, openEngine } from '../engine/open-engine.js';
import { removeStore } from '../engine/snapshot.js';
import { messageOf } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import type { StoreFolder } from '../storage/data-folder.js';
import { fixedKeys, readKeysOf } from './early-keys.js';
import type { InstallStore, OpenedAs } from './exchange.js';
import type { EngineSettings } from './node-settings.js';
import { currentStore, type OpenData, type OpenDataOptions, openData } from './open-data.js';

export interface NodeDataParts extends Pick<EngineOptions, 'log' | 'clock' | 'onSearch' | 'onWork' | 'guards'> {
  readonly settings: EngineSettings;
  onStep: OpenDataOptions['onStep'];
  /** Of the indexes, at the first opening. */
  onIndexes(progress: number, message: string): void;
  onFatal(reason: string): void;
}

const AS_REPLICA: OpenedAs = { role: 'replica', highestEpoch: 0 };

export class NodeData {
  readonly bootId = randomBytes(16).toString('hex');
  readonly #parts: NodeDataParts;
  #data: OpenData | null = null;
  #engine: RunningEngine | null = null;
  #earlyKeys: AccessKeys | null = null;

  constructor(parts: NodeDataParts) {
    this.#parts = parts;
  }

  /** Null until it is open. */
  get engine(): RunningEngine | null {
    return this.#engine;
  }

  /** Those of the store, from before it is checked on; null while they are not known. */
  get keys(): AccessKeys | null {
    return this.#engine?.keys ?? this.#earlyKeys;
  }

  /** @throws Error before openFolder */
  get folder(): OpenData {
    if (this.#data === null) throw new Error('the data folder is not open');
    return this.#data;
  }

  /** Locks and verifies the folder, or makes it. @throws StoreRefused, Error */
  async openFolder(
    how: Pick<
      OpenDataOptions,
      'blank' | 'verifyAtStart' | 'acceptLostTail' | 'before' | 'forgotten' | 'recoverAtStart' | 'cannotFollow'
    >,
  ): Promise<OpenData> {
    const { settings, log, onStep } = this.#parts;
    const { dataDir, limits, writerCacheBytes: cacheBytes } = settings;
    const onFound = (store: StoreFolder | null): void => {
      this.#earlyKeys = store === null ? fixedKeys([]) : readKeysOf(store.databasePath, cacheBytes);
    };
    this.#data = await openData({ ...how, dataDir, limits, cacheBytes, log, onFound, onStep, bootId: this.bootId });
    return this.#data;
  }

  /** @throws Error when the store cannot be opened */
  async openEngine(as: OpenedAs): Promise<RunningEngine> {
    this.#engine = await this.#open(this.folder.store, as);
    return this.#engine;
  }

  /** Exchanges the store; resolves when the new one is open and the old one is gone. @param as whom the new one is opened
   *  @throws Error when it cannot be used: then the old data serves as before */
  async exchange(install: InstallStore, as: OpenedAs = AS_REPLICA): Promise<StoreFolder> {
    const old = this.#engine;
    if (old === null) throw new Error('no store is open');
    const data = this.folder;
    const { nodeId } = old.log.state();
    await old.freeze();
    let store: StoreFolder;
    try {
      store = await install({ nodeId, bootId: this.bootId });
    } catch (error) {
      await this.#reopen(old).catch((failure: unknown) =>
        this.#parts.onFatal(`the data cannot be opened again: ${messageOf(failure)}`),
      );
      throw error;
    }
    try {
      failpoint('switch.before_open');
      this.#engine = await this.#open(store, as);
      failpoint('switch.after_open');
    } catch (error) {
      this.#parts.onFatal(`the new store counts and cannot be opened: ${messageOf(error)}`);
      throw error;
    }
    this.#data = { ...data, store };
    await old.stop();
    await removeStore(this.#parts.settings.dataDir, data.store.name).catch((error: unknown) =>
      this.#parts.log.warn('old_store_not_removed', { store: data.store.name, error }),
    );
    return store;
  }

  async #reopen(old: RunningEngine): Promise<void> {
    await old.stop();
    this.#data = { ...this.folder, store: currentStore(this.#parts.settings.dataDir) };
    this.#engine = await this.#open(this.#data.store, AS_REPLICA);
  }

  #open(store: StoreFolder, { role, highestEpoch }: OpenedAs): Promise<RunningEngine> {
    const { settings, log, clock, guards, onIndexes, onSearch, onWork, onFatal } = this.#parts;
    return openEngine({
      ...settings,
      ...{ log, clock, onFatal, role },
      ...(onSearch !== undefined && { onSearch }),
      ...(guards !== undefined && { guards }),
      ...(onWork !== undefined && { onWork }),
      storePath: store.databasePath,
      checkpointsDir: store.checkpointsPath,
      bootId: this.bootId,
      ownFromEpoch: highestEpoch,
      onProgress: (progress, message) => this.#engine === null && onIndexes(progress, message),
    });
  }

  /** Finishes what was accepted and gives the folder free. */
  async close(): Promise<void> {
    try {
      await this.#engine?.stop();
    } finally {
      this.#data?.lock.release();
    }
  }
}
