/** One node, built by hand: HTTP first (so that health answers from the first moment), then folder, store, engine.
 *
 *    listening ─► lock ─► verify ─► open ─► indexes ─► (sync) ─► ready ─► stopping ─► stopped    (any step may fail: then it stops)
 *
 *  The only place that knows all rooms; it decides nothing about data. A failure that puts data at risk ends in onFatal.
 *  Must not know: flags, terminals, signals. */

import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { LinkTls } from '../config/replication-settings.js';
import type { EndedSearch, Engine, RunningEngine, StartProgress } from '../engine/engine.js';
import { openEngine } from '../engine/open-engine.js';
import { type IncomingSnapshot, removeStore, type SnapshotHead } from '../engine/snapshot.js';
import { buildHttpServer, type HttpConfig, type HttpServer, type HttpService } from '../http/http.js';
import { systemClock } from '../model/clock.js';
import { messageOf, SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import type { Log } from '../model/log.js';
import { measureEngine } from '../observability/engine-measures.js';
import { createMetrics } from '../observability/metrics.js';
import { measureProcess } from '../observability/process-measures.js';
import { measureReplication } from '../observability/replication-measures.js';
import { measureSearches } from '../observability/search-measures.js';
import type { StoreFolder } from '../storage/data-folder.js';
import { nativeBuild } from '../vector-index/open-index.js';
import { type LateRoles, lateRoles } from './late-roles.js';
import { httpUrlOf } from './master-url.js';
import { type NodeState, readNodeState, writeNodeState } from './node-state.js';
import { currentStore, type OpenData, openData } from './open-data.js';
import { Roles } from './roles.js';
import { version } from './version.js';

export interface NodeOptions {
  readonly config: Config;
  /** The configuration as anybody may see it: secrets masked. */
  readonly shownConfig: Readonly<Record<string, unknown>>;
  readonly log: Log;
  /** Data may be at risk (a failed commit, a lost thread): the process must end at once. */
  onFatal(reason: string): void;
}

export interface Node {
  /** http://host:port */
  readonly url: string;
  readonly dataDir: string;
  readonly nativeBuild: string;
  /** True when this start made the store. */
  readonly made: boolean;
  /** Lets running requests end, saves the indexes, closes the store. One step that fails does not keep the next from being done. */
  stop(): Promise<void>;
}

/** Starts a node and resolves when it is ready to serve.
 *  @throws Error, StoreRefused: why it cannot start; everything that was opened is closed again */
export async function startNode(options: NodeOptions): Promise<Node> {
  const starting = new StartingNode(options);
  try {
    return await starting.run();
  } catch (error) {
    await starting.stop().catch((failure: unknown) => options.log.error('stop_failed', { error: failure }));
    throw error;
  }
}

const OPENING_MS = 5_000;
const HANDOVER_MS = 10_000;
const AS_REPLICA = { role: 'replica', highestEpoch: 0 } as const;

class StartingNode {
  readonly #options: NodeOptions;
  readonly #bootId = randomBytes(16).toString('hex');
  #progress: StartProgress = { step: 'lock', progress: 0, etaMs: null, message: 'starting' };
  #stepStartedMs = performance.now();
  #engine: RunningEngine | null = null;
  #data: OpenData | null = null;
  #roles: Roles | null = null;
  #url: string | null = null;
  #http: HttpServer | null = null;
  #release: () => void = () => {};
  #stopMeasuring: () => void = () => {};
  #countSearch: (search: EndedSearch) => void = () => {};
  /** What the check of the whole store behind a quick start makes of it, or null when there is nothing to say. */
  #scrubConcern: string | null = null;
  #stopping: Promise<void> | null = null;
  readonly #late: LateRoles;
  /** What it was when it ran last, or is to be at its first start. */
  #before: NodeState;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { streamAllowed, master } = options.config.replication;
    this.#before = { role: master === null ? 'master' : 'replica', masterUrl: master, highestEpoch: 0 };
    this.#late = lateRoles({
      roles: () => this.#roles,
      opened: () => this.#withRoles(),
      roleBefore: () => this.#before.role,
      streamAllowed,
    });
  }

  async run(): Promise<Node> {
    const { config } = this.#options;
    const url = await this.#listen();
    this.#url = url;
    const { data, state } = await this.#openData();
    this.#data = data;
    this.#release = () => data.lock.release();
    this.#step('indexes', 0, 'opening the store');
    this.#engine = await this.#openEngine(data.store, state);
    this.#roles = this.#makeRoles(state);
    await this.#roles.start();
    if (!this.#roles.isBlank) this.#step('ready', 1, 'ready');
    if (data.quick) void this.#scrub(this.#engine);
    return {
      url,
      dataDir: config.dataDir,
      nativeBuild: nativeBuild(),
      made: data.made,
      stop: () => this.stop(),
    };
  }

  async #openData(): Promise<{ data: OpenData; state: NodeState }> {
    const { config, log } = this.#options;
    const { master } = config.replication;
    this.#before = readNodeState(config.dataDir) ?? this.#before;
    const data = await openData({
      dataDir: config.dataDir,
      blank: master !== null,
      verifyAtStart: config.verifyAtStart,
      acceptLostTail: config.acceptLostTail,
      before: this.#before,
      limits: config.limits,
      cacheBytes: config.writerCacheBytes,
      bootId: this.#bootId,
      log,
      onStep: (step, progress, message) => this.#step(step, progress, message),
    });
    try {
      const known = readNodeState(config.dataDir);
      const state = known ?? this.#before;
      if (known === null) writeNodeState(config.dataDir, state);
      if (master !== null && known?.role === 'master')
        log.warn('stays_master', { reason: 'this node was promoted; its own role stands over --master', master });
      return { data, state };
    } catch (error) {
      data.lock.release();
      throw error;
    }
  }

  #openEngine(store: StoreFolder, state: Pick<NodeState, 'role' | 'highestEpoch'>): Promise<RunningEngine> {
    const { config, log } = this.#options;
    return openEngine({
      dataDir: config.dataDir,
      storePath: store.databasePath,
      checkpointsDir: store.checkpointsPath,
      bootId: this.#bootId,
      role: state.role,
      ownFromEpoch: state.highestEpoch,
      limits: config.limits,
      writerCacheBytes: config.writerCacheBytes,
      readerCacheBytes: config.readerCacheBytes,
      indexWorkers: config.indexWorkers === 'auto' ? null : config.indexWorkers,
      log,
      clock: systemClock,
      onProgress: (progress, message) => this.#engine === null && this.#step('indexes', progress, message),
      watching: {
        recall: { share: config.recallCheckShare, msPerS: config.recallCheckMsPerS },
        indexHealthIntervalMs: config.indexHealthIntervalMs,
      },
      onSearch: (search) => this.#countSearch(search),
      onFatal: (reason) => this.#options.onFatal(reason),
    });
  }

  #makeRoles(state: NodeState): Roles {
    const { config, log } = this.#options;
    const { replication } = config;
    return new Roles({
      settings: {
        dataDir: config.dataDir,
        rules: {
          windowBytes: replication.streamWindowBytes,
          heartbeatMs: replication.heartbeatMs,
          timeoutMs: replication.replicaTimeoutMs,
          openingMs: OPENING_MS,
          lagMs: replication.replicaLagMs,
          snapshotMinIntervalMs: replication.snapshotMinIntervalMs,
        },
        keys: replication.clusterKeys.map((key) => Buffer.from(key.reveal())),
        tls: linkTls(replication.tls),
        voter: replication.voter,
        writes: {
          defaultW: config.defaultW,
          minReplicas: replication.minReplicas,
          minReplicasMaxLagMs: replication.minReplicasMaxLagMs,
        },
        handoverMs: HANDOVER_MS,
        secure: secured(config),
        serves: replication.streamAllowed,
      },
      clock: systemClock,
      log,
      state,
      address: () => this.#address(),
      engine: () => this.#opened(),
      storePaths: () => {
        const { databasePath, checkpointsPath } = this.#opened() && (this.#data as OpenData).store;
        return { storePath: databasePath, checkpointsDir: checkpointsPath, cacheBytes: config.readerCacheBytes };
      },
      exchange: (incoming, head) => this.#exchange(incoming, head),
    });
  }

  /** Where others reach this node. */
  #address(): { host: string; port: number } {
    const url = new URL(this.#options.config.replication.advertise ?? callableUrl(this.#url ?? ''));
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return { host, port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port) };
  }

  /** Puts the received data in the place of the old; reads go on from the old until the new is open.
   *  @throws Error when it cannot be used: then the old data serves as before */
  async #exchange(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void> {
    const old = this.#opened();
    const data = this.#data as OpenData;
    const { nodeId } = old.log.state();
    const blank = this.#roles?.isBlank === true;
    await old.freeze();
    let store: StoreFolder;
    try {
      store = await incoming.install({ nodeId, bootId: this.#bootId });
    } catch (error) {
      await this.#reopen(old, data).catch((failure: unknown) =>
        this.#options.onFatal(`the data cannot be opened again: ${messageOf(failure)}`),
      );
      throw error;
    }
    try {
      failpoint('switch.before_open');
      this.#engine = await this.#openEngine(store, AS_REPLICA);
      failpoint('switch.after_open');
    } catch (error) {
      this.#options.onFatal(`the snapshot was taken and cannot be opened: ${messageOf(error)}`);
      throw error;
    }
    this.#data = { ...data, store };
    this.#options.log.info('snapshot_installed', { seq: head.baseSeq, store: store.name });
    if (blank) this.#step('ready', 1, 'ready');
    await old.stop();
    await removeStore(this.#options.config.dataDir, data.store.name).catch((error: unknown) =>
      this.#options.log.warn('old_store_not_removed', { store: data.store.name, error }),
    );
  }

  async #reopen(old: RunningEngine, data: OpenData): Promise<void> {
    await old.stop();
    const store = currentStore(this.#options.config.dataDir);
    this.#data = { ...data, store };
    this.#engine = await this.#openEngine(store, AS_REPLICA);
  }

  /** @returns http://host:port */
  async #listen(): Promise<string> {
    const { config, log } = this.#options;
    const metrics = createMetrics();
    this.#stopMeasuring = measureProcess(metrics.meter);
    this.#countSearch = measureSearches(metrics.meter);
    measureEngine(metrics.meter, { version, nativeBuild: nativeBuild() }, () => this.#engine);
    const apiKey = config.apiKey === null ? null : Buffer.from(config.apiKey.reveal());
    const { host, port, limits, docs, replication } = config;
    measureReplication(metrics.meter, this.#late.replication);
    const http = await buildHttpServer({
      service: this.#service(),
      config: { host, port, limits, apiKey, docs, ...listeningTls(replication) },
      log,
      meter: metrics.meter,
      metrics,
      clock: systemClock,
    });
    this.#http = http;
    const address = await http.listen();
    return httpUrlOf(address.host, address.port, replication.tls.cert !== null);
  }

  #service(): HttpService {
    const { shownConfig } = this.#options;
    return {
      engine: () => this.#ready(),
      startProgress: () => this.#shownProgress(),
      concerns: () => [...(this.#scrubConcern === null ? [] : [this.#scrubConcern]), ...(this.#roles?.concerns() ?? [])],
      nativeBuild: nativeBuild(),
      version,
      configuration: () => shownConfig,
      writeConcern: this.#late.writeConcern,
      replication: this.#late.replication,
    };
  }

  #withRoles(): Roles {
    if (this.#roles === null) this.#ready();
    if (this.#roles === null) throw this.#starting();
    return this.#roles;
  }

  #opened(): RunningEngine {
    if (this.#engine === null) throw this.#starting();
    return this.#engine;
  }

  #ready(): Engine {
    if (this.#stopping !== null) throw new SkeinError('ShuttingDown', 'The server is stopping and takes no new work');
    if (this.#engine !== null && this.#roles?.isBlank === false) return this.#engine;
    throw this.#starting();
  }

  #starting(): SkeinError {
    const { step, progress, etaMs, message } = this.#shownProgress();
    return new SkeinError('Starting', `The server is starting: ${message}`, { step, progress, eta_ms: etaMs });
  }

  /** A node without data shows how far its first snapshot is. */
  #shownProgress(): StartProgress {
    if (this.#roles?.isBlank !== true) return this.#progress;
    const snapshot = this.#roles.snapshot;
    const progress = snapshot === null || snapshot.bytesTotal === 0 ? 0 : snapshot.bytes / snapshot.bytesTotal;
    return { step: 'sync', progress, etaMs: snapshot?.etaMs ?? null, message: 'taking the data of the master' };
  }

  #step(step: StartProgress['step'], progress: number, message: string): void {
    const now = performance.now();
    if (step !== this.#progress.step) {
      this.#stepStartedMs = now;
      this.#options.log.info('start_step', { step, message });
    }
    const spentMs = now - this.#stepStartedMs;
    const etaMs = progress <= 0 ? null : Math.round((spentMs * (1 - progress)) / progress);
    this.#progress = { step, progress, etaMs, message };
  }

  /** After a quick check the rest is read in the background. */
  async #scrub(engine: Engine): Promise<void> {
    const { log } = this.#options;
    this.#scrubConcern = 'the start checked the store quickly; every row is being read in the background';
    try {
      const { rows, damaged } = await engine.scrub();
      this.#scrubConcern =
        damaged.length === 0 ? null : `${damaged.length} damaged rows were found in the store; they are in the log`;
      for (const record of damaged) log.error('damaged_row', { ...record.details, message: record.message });
      log.info('scrub_done', { rows, damaged: damaged.length });
    } catch (error) {
      if (this.#stopping !== null) return;
      this.#scrubConcern = 'the store was not checked to its end; the reason is in the log';
      log.error('scrub_failed', { error });
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    try {
      await this.#http?.close(this.#options.config.shutdownTimeoutMs);
    } finally {
      try {
        await this.#roles?.stop();
        await this.#engine?.stop();
      } finally {
        this.#stopMeasuring();
        this.#release();
      }
    }
  }
}

/** An address that means "all" is reached as this machine, from this machine. */
function callableUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function secured({ replication }: Config): boolean {
  return replication.advertise === null ? replication.tls.cert !== null : replication.advertise.startsWith('https:');
}

function listeningTls({ tls, tlsPeers }: Config['replication']): Pick<HttpConfig, 'tls'> {
  const { ca, cert, key } = tls;
  if (cert === null || key === null) return {};
  return { tls: { cert, key: key.reveal(), ca, verifiedPeers: tlsPeers === 'verified' } };
}

function linkTls({ ca, cert, key }: LinkTls): { ca?: string; cert?: string; key?: string } {
  return { ...(ca !== null && { ca }), ...(cert !== null && { cert }), ...(key !== null && { key: key.reveal() }) };
}
