/** One node, built by hand: HTTP first (so that health answers from the first moment), then folder, store, engine.
 *
 *    listening ─► lock ─► verify ─► open ─► indexes ─► (sync) ─► ready ─► stopping ─► stopped    (any step may fail: then it stops)
 *
 *  The only place that knows all rooms; it decides nothing about data. A failure that puts data at risk ends in onFatal.
 *  Must not know: flags, terminals, signals. */

import type { Duplex } from 'node:stream';
import type { Config } from '../config/config.js';
import { closingMsOf } from '../config/stop-times.js';
import type { Engine, RunningEngine } from '../engine/engine.js';
import type { IncomingSnapshot, SnapshotHead } from '../engine/snapshot.js';
import { buildHttpServer, type HttpServer, type HttpService } from '../http/http.js';
import { systemClock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Log, ProcessLog } from '../model/log.js';
import { logOperation } from '../model/log-operation.js';
import { ErrorTracker } from '../observability/error-tracker.js';
import type { Metrics } from '../observability/metrics.js';
import { Dependencies } from '../resilience/dependencies.js';
import { nativeBuild } from '../vector-index/open-index.js';
import { auditOf } from './audit.js';
import { BackingUp } from './backing-up.js';
import { Certificates } from './certificates.js';
import { concernedParts } from './concerned-parts.js';
import { warnOfWish } from './forgotten-role.js';
import { Guarding } from './guarding.js';
import { type LateRoles, lateRoles } from './late-roles.js';
import { LinkGuard } from './link-guard.js';
import { httpUrlOf } from './master-url.js';
import { type Measuring, measureNode } from './measuring.js';
import { NodeData } from './node-data.js';
import { type NodeHealth, nodeHealth } from './node-health.js';
import { advertisedAddress, engineSettings, httpSettings, INSIDE_URL, roleSettings, scrubSettings } from './node-settings.js';
import { type NodeState, readNodeState, writeNodeState } from './node-state.js';
import { observingService } from './observing.js';
import type { OpenData } from './open-data.js';
import { warnOfPassingStorage } from './passing-storage.js';
import { reachMaster } from './recovery/reach-master.js';
import { Recovery } from './recovery/recovery.js';
import { Roles } from './roles.js';
import { StartSteps } from './start-steps.js';
import { runStopSteps } from './stop-steps.js';
import { TokenKeys } from './token-keys.js';
import { type NodeTracing, nodeTracing } from './tracing.js';
import { version } from './version.js';

export interface NodeOptions {
  readonly config: Config;
  /** The configuration as anybody may see it: secrets masked. */
  readonly shownConfig: Readonly<Record<string, unknown>>;
  readonly log: ProcessLog;
  /** False: no port is opened; only the program that the node runs in reaches it. Default true. */
  readonly listens?: boolean;
  /** Data may be at risk (a failed commit, a lost thread): the process must end at once. */
  onFatal(reason: string): void;
}

export interface Node {
  /** http://host:port; of one that does not listen INSIDE_URL */
  readonly url: string;
  /** False on a new replica until it has its first data. */
  isServing(): boolean;
  /** A connection from inside the process: HTTP over the stream, without a key. @throws Error after the stop */
  connect(): Duplex;
  readonly dataDir: string;
  readonly nativeBuild: string;
  /** True when this start made the store. */
  readonly made: boolean;
  /** Null: nothing is measured. */
  readonly metrics: Metrics | null;
  /** Reads certificates, keys of TLS and keys of tokens again; null: there are none. */
  readonly reload: (() => Promise<void>) | null;
  /** Drains, hands over, lets running requests end, saves the indexes, closes the store, all within shutdown_timeout_ms. One step that fails
   *  does not keep the next from being done. @throws Error when it was not clean: the data is safe all the same */
  stop(): Promise<void>;
}

/** Starts a node and resolves when it is ready to serve.
 *  @throws Error, StoreRefused: why it cannot start; everything that was opened is closed again */
export async function startNode(options: NodeOptions): Promise<Node> {
  const starting = new StartingNode(options);
  try {
    return await starting.run();
  } catch (error) {
    await starting.stop('debug').catch((failure: unknown) => options.log.error('stop_failed', { error: failure }));
    throw error;
  }
}

/** A handover takes some hundred milliseconds when the replica is near. */
const HANDOVER_MS = 10_000;

class StartingNode {
  readonly #options: NodeOptions;
  readonly #log: Log;
  readonly #errors = new ErrorTracker(systemClock);
  readonly #steps: StartSteps;
  readonly #measuring: Measuring;
  readonly #guards: Guarding;
  readonly #certificates: Certificates;
  readonly #tokenKeys: TokenKeys;
  readonly #health: NodeHealth;
  readonly #tracing: NodeTracing;
  readonly #data: NodeData;
  readonly #links: LinkGuard;
  readonly #recovery: Recovery;
  readonly #late: LateRoles;
  /** What this node calls outside itself; whoever does adds it here. */
  readonly #dependencies: Dependencies;
  readonly #backingUp: BackingUp;
  #roles: Roles | null = null;
  #url: string | null = null;
  #http: HttpServer | null = null;
  #stopping: Promise<void> | null = null;
  /** No new work is taken. */
  #closing = false;
  /** What it was when it ran last, or is to be at its first start. */
  #before: NodeState;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { config, onFatal } = options;
    const log = this.#errors.over(options.log);
    this.#log = log;
    const { streamAllowed, master, clusterKeys } = config.replication;
    this.#before = { role: master === null ? 'master' : 'replica', masterUrl: master, highestEpoch: 0 };
    this.#steps = new StartSteps({
      log,
      isBlank: () => this.#roles?.isBlank === true,
      snapshot: () => this.#roles?.snapshot ?? null,
    });
    this.#links = new LinkGuard({
      ...{ clusterKeyed: clusterKeys.length > 0, streamAllowed, log, clock: systemClock },
      accessKeys: () => this.#data.keys?.count ?? 0,
      endLinks: (reason) => this.#roles?.closeLinks(reason),
    });
    this.#late = lateRoles({
      roles: () => this.#roles,
      opened: () => this.#withRoles(),
      roleBefore: () => this.#before.role,
      links: this.#links,
    });
    this.#dependencies = new Dependencies({ log, wallMs: () => systemClock.wallMs(), defaults: config.dependencies });
    this.#guards = new Guarding({
      ...{ settings: config.guards, log, engine: () => this.#data.engine },
      cutSilent: () => this.#http?.cutSilent(),
    });
    this.#measuring = measureNode({
      ...{ on: config.observing.metrics, errors: this.#errors, dependencies: this.#dependencies },
      ...{ about: { version, nativeBuild: nativeBuild() }, replication: this.#late.replication },
      engine: () => this.#data.engine,
      isReady: () => !this.#closing && !this.#guards.draining && this.#serving() !== null,
      guards: () => this.#guards.figures(),
      backups: () => this.#backingUp.status(),
      recovery: () => (this.#data.engine === null ? null : this.#recovery.status()),
    });
    this.#tracing = nodeTracing({
      ...{ settings: config.tracing, dependencies: this.#dependencies },
      ...{ meter: this.#measuring.meter, clock: systemClock, log },
    });
    this.#certificates = new Certificates({
      ...{ paths: config.replication, tls: config.replication.tls, log, meter: this.#measuring.meter, clock: systemClock },
      listen: (tls) => this.#http?.setCertificate({ ...tls, key: tls.key?.reveal() ?? '' }),
    });
    this.#tokenKeys = new TokenKeys({ settings: config.tokens, log });
    this.#data = new NodeData({
      settings: engineSettings(config),
      ...{ log, clock: systemClock, onFatal, guards: this.#guards.forEngine },
      onStep: (step, progress, message) => this.#steps.note(step, progress, message),
      onIndexes: (progress, message) => this.#steps.note('indexes', progress, message),
      onSearch: (search) => this.#measuring.countSearch(search),
      onWork: (work) => this.#measuring.countWork(work),
    });
    this.#backingUp = new BackingUp({
      ...{ config, log, clock: systemClock, dependencies: this.#dependencies },
      engine: () => this.#data.engine,
      roles: () => this.#roles,
      opened: () => this.#withRoles(),
    });
    this.#health = nodeHealth({
      ...{ config, log, clock: systemClock, dependencies: this.#dependencies },
      meter: this.#measuring.metrics?.meter ?? null,
      engine: () => this.#ready(),
      replication: () => ({
        stats: this.#late.replication.stats(),
        replicas: this.#late.replication.replicas(),
        concerns: this.#roles?.concerns() ?? [],
      }),
      storeConcern: () => this.#recovery.concern,
      recovery: () => this.#recovery.status(),
      concerned: concernedParts(config, { guards: this.#guards, backups: this.#backingUp, certificates: this.#certificates }),
      about: () => ({ url: this.#url, role: this.#late.replication.role(), version }),
    });
    this.#recovery = new Recovery({
      ...{ dataDir: config.dataDir, settings: scrubSettings(config), clock: systemClock, log },
      engine: () => this.#data.engine,
      role: () => this.#late.replication.role(),
      peers: () => this.#roles?.peers ?? null,
      past: () => this.#backingUp.past,
    });
  }

  async run(): Promise<Node> {
    const { config } = this.#options;
    this.#guards.start();
    this.#certificates.start();
    this.#tokenKeys.start();
    const { http, url } = await this.#listen();
    this.#url = url;
    const { folder, state } = await this.#openFolder();
    await warnOfPassingStorage(config.dataDir, process.platform, this.#options.log);
    this.#steps.note('indexes', 0, 'opening the store');
    const engine = await this.#data.openEngine(state);
    void this.#tracing.begin(engine.log.state().nodeId);
    this.#roles = this.#makeRoles(state);
    await this.#roles.start();
    this.#links.start();
    this.#backingUp.start();
    // Before the first look at health, which then sees what the start did not read or found damaged.
    this.#recovery.start(folder.quick);
    if (!this.#roles.isBlank) this.#serves();
    // A node that waits for its first snapshot is watched too.
    if (this.#stopping === null) this.#health.start();
    const hasFiles = config.replication.tls.cert !== null || this.#tokenKeys.rules !== null;
    const reload = async () => void (await Promise.all([this.#certificates.reload(), this.#tokenKeys.reload()]));
    const about = { url, dataDir: config.dataDir, nativeBuild: nativeBuild(), made: folder.made };
    const calls = { isServing: () => this.#serving() !== null, connect: () => http.connect(), stop: () => this.stop() };
    return { ...about, metrics: this.#measuring.metrics, reload: hasFiles ? reload : null, ...calls };
  }

  async #openFolder(): Promise<{ folder: OpenData; state: NodeState }> {
    const { config } = this.#options;
    const { dataDir, verifyAtStart, acceptLostTail } = config;
    const { master: masterUrl, takeMastership } = config.replication;
    const wish = { masterUrl, takeMastership };
    const noted = readNodeState(dataDir);
    const before = noted ?? this.#before;
    this.#before = before;
    const how: Parameters<NodeData['openFolder']>[0] = {
      ...{ blank: before.role === 'replica', verifyAtStart, acceptLostTail, before },
      forgotten: noted === null ? wish : null,
      recoverAtStart: config.recovery.recoverAtStart,
      cannotFollow: (masterUrl, { record: own }) =>
        reachMaster(roleSettings(config, this.#certificates.forLinks), {
          masterUrl,
          own,
          address: advertisedAddress(config, this.#url),
        }),
    };
    const folder = await this.#data.openFolder(how);
    const known = readNodeState(dataDir);
    const state = known ?? folder.before;
    if (known === null) writeNodeState(dataDir, state);
    if (noted !== null) warnOfWish(this.#log, noted, wish);
    return { folder, state };
  }

  #makeRoles(state: NodeState): Roles {
    const { config } = this.#options;
    return new Roles({
      settings: roleSettings(config, this.#certificates.forLinks),
      clock: systemClock,
      log: this.#log,
      tracer: this.#tracing.tracer,
      state,
      mayLink: () => this.#links.mayLink,
      address: () => advertisedAddress(config, this.#url),
      engine: () => this.#opened(),
      storePaths: () => {
        const { databasePath, checkpointsPath } = this.#opened() && this.#data.folder.store;
        const { readerCacheBytes: cacheBytes, limits } = config;
        const { diskFreeBytesMin } = limits;
        return { storePath: databasePath, checkpointsDir: checkpointsPath, cacheBytes, diskFreeBytesMin };
      },
      exchange: (incoming, head) => this.#exchange(incoming, head),
      replace: async (install, as) => void (await this.#data.exchange(install, as)),
    });
  }

  /** @throws Error when it cannot be used: then the old data serves as before */
  async #exchange(incoming: IncomingSnapshot, head: SnapshotHead): Promise<void> {
    const blank = this.#roles?.isBlank === true;
    const fields = { seq: head.baseSeq };
    await logOperation({ log: this.#log, clock: systemClock, name: 'snapshot_install', fields }, async (scope) => {
      const store = await this.#data.exchange((identity) => incoming.install(identity));
      scope.add({ store: store.name });
    });
    if (blank) this.#serves();
  }

  #serves(): void {
    this.#steps.note('ready', 1, 'ready');
    this.#health.serves();
  }

  async #listen(): Promise<{ readonly http: HttpServer; readonly url: string }> {
    const { config } = this.#options;
    const { meter, metrics } = this.#measuring;
    const http = await buildHttpServer({
      service: this.#service(),
      config: httpSettings(config),
      ...{ log: this.#log, meter, metrics, clock: systemClock, tracer: this.#tracing.tracer },
      audit: auditOf(config, this.#log),
    });
    this.#http = http;
    if (this.#options.listens === false) return { http, url: INSIDE_URL };
    const address = await http.listen();
    return { http, url: httpUrlOf(address.host, address.port, config.replication.tls.cert !== null) };
  }

  #service(): HttpService {
    const { config, log, shownConfig } = this.#options;
    return {
      engine: () => this.#ready(),
      accessKeys: () => this.#data.keys ?? this.#opened().keys,
      tokenRules: this.#tokenKeys.rules,
      startProgress: () => this.#steps.shown(),
      health: this.#health.service,
      nativeBuild: nativeBuild(),
      version,
      configuration: () => shownConfig,
      writeConcern: this.#late.writeConcern,
      replication: this.#late.replication,
      backups: this.#backingUp,
      observing: observingService({
        ...{ config, control: log.control, log: this.#log },
        ...{ errors: this.#errors, meter: this.#measuring.meter },
      }),
      guards: this.#guards,
    };
  }

  #withRoles(): Roles {
    if (this.#roles === null) this.#ready();
    if (this.#roles === null) throw this.#steps.refusal();
    return this.#roles;
  }

  #opened(): RunningEngine {
    const { engine } = this.#data;
    if (engine === null) throw this.#steps.refusal();
    return engine;
  }

  #ready(): Engine {
    if (this.#closing) throw new SkeinError('ShuttingDown', 'The server is stopping and takes no new work');
    const engine = this.#serving();
    if (engine === null) throw this.#steps.refusal();
    return engine;
  }

  #serving(): Engine | null {
    return this.#roles?.isBlank === false ? this.#data.engine : null;
  }

  stop(stepLevel: 'info' | 'debug' = 'info'): Promise<void> {
    this.#stopping ??= this.#stop(stepLevel);
    return this.#stopping;
  }

  #stop(stepLevel: 'info' | 'debug'): Promise<void> {
    const { shutdownTimeoutMs: totalMs, guards } = this.#options.config;
    // For the links and the data behind the requests.
    const closingMs = closingMsOf(totalMs);
    const steps = [
      { name: 'drain', keepsMs: 2 * closingMs, run: (leftMs: number) => this.#drain(Math.min(guards.drainDelayMs, leftMs)) },
      { name: 'handover', keepsMs: closingMs, run: (leftMs: number) => this.#handOver(Math.min(HANDOVER_MS, leftMs / 2)) },
      { name: 'requests', keepsMs: closingMs, run: (leftMs: number) => this.#endRequests(leftMs) },
      { name: 'recovery', keepsMs: closingMs / 2, run: () => this.#recovery.stop() },
      { name: 'backups', keepsMs: closingMs / 2, run: () => this.#backingUp.stop() },
      { name: 'links', keepsMs: 0, run: async () => this.#roles?.stop() },
      { name: 'data', keepsMs: 0, run: () => this.#data.close() },
      { name: 'traces', keepsMs: 0, run: () => this.#tracing.stop() },
    ];
    return runStopSteps(steps, { totalMs, clock: systemClock, log: this.#log, stepLevel }).finally(() => {
      this.#measuring.stop();
      this.#guards.stop();
    });
  }

  /** /health/ready says it at once. */
  async #drain(delayMs: number): Promise<void> {
    this.#guards.draining = true;
    if (delayMs > 0 && this.#roles !== null) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  async #handOver(timeoutMs: number): Promise<void> {
    if (this.#options.config.guards.handoverAtStop) await this.#roles?.handOverBeforeStop(timeoutMs);
  }

  async #endRequests(leftMs: number): Promise<void> {
    this.#closing = true;
    this.#health.stop();
    this.#certificates.stop();
    this.#tokenKeys.stop();
    this.#links.stop();
    await this.#http?.close(leftMs);
  }
}
