/** One node, built by hand: HTTP first (so that health answers from the first moment), then folder, store, engine.
 *
 *    listening ─► lock ─► verify ─► open ─► indexes ─► ready ─► stopping ─► stopped          (any step may fail: then it stops)
 *
 *  The only place that knows all rooms; it decides nothing about data. A failure that puts data at risk ends in onFatal.
 *  Must not know: flags, terminals, signals. */

import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Engine, RunningEngine, StartProgress } from '../engine/engine.js';
import { openEngine } from '../engine/open-engine.js';
import { buildHttpServer, type HttpServer, type HttpService } from '../http/http.js';
import { systemClock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { measureEngine } from '../observability/engine-measures.js';
import { createMetrics } from '../observability/metrics.js';
import { measureProcess } from '../observability/process-measures.js';
import { nativeBuild } from '../vector-index/open-index.js';
import { openData } from './open-data.js';
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

class StartingNode {
  readonly #options: NodeOptions;
  readonly #bootId = randomBytes(16).toString('hex');
  #progress: StartProgress = { step: 'lock', progress: 0, etaMs: null, message: 'starting' };
  #stepStartedMs = performance.now();
  #engine: RunningEngine | null = null;
  #http: HttpServer | null = null;
  #release: () => void = () => {};
  #stopMeasuring: () => void = () => {};
  /** What the check of the whole store behind a quick start makes of it, or null when there is nothing to say. */
  #scrubConcern: string | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  async run(): Promise<Node> {
    const { config, log } = this.#options;
    const address = await this.#listen();
    const data = await openData({
      dataDir: config.dataDir,
      verifyAtStart: config.verifyAtStart,
      acceptLostTail: config.acceptLostTail,
      cacheBytes: config.writerCacheBytes,
      bootId: this.#bootId,
      log,
      onStep: (step, progress, message) => this.#step(step, progress, message),
    });
    this.#release = () => data.lock.release();
    this.#step('indexes', 0, 'opening the store');
    const engine = await openEngine({
      dataDir: config.dataDir,
      storePath: data.store.databasePath,
      checkpointsDir: data.store.checkpointsPath,
      bootId: this.#bootId,
      limits: config.limits,
      writerCacheBytes: config.writerCacheBytes,
      readerCacheBytes: config.readerCacheBytes,
      indexWorkers: config.indexWorkers === 'auto' ? null : config.indexWorkers,
      log,
      clock: systemClock,
      onProgress: (progress, message) => this.#step('indexes', progress, message),
      onFatal: (reason) => this.#options.onFatal(reason),
    });
    this.#engine = engine;
    this.#step('ready', 1, 'ready');
    if (data.quick) void this.#scrub(engine);
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return {
      url: `http://${host}:${address.port}`,
      dataDir: config.dataDir,
      nativeBuild: nativeBuild(),
      made: data.made,
      stop: () => this.stop(),
    };
  }

  async #listen(): Promise<{ host: string; port: number }> {
    const { config, log } = this.#options;
    const metrics = createMetrics();
    this.#stopMeasuring = measureProcess(metrics.meter);
    measureEngine(metrics.meter, { version, nativeBuild: nativeBuild() }, () => this.#engine);
    const apiKey = config.apiKey === null ? null : Buffer.from(config.apiKey.reveal());
    const { host, port, limits, docs } = config;
    const http = await buildHttpServer({
      service: this.#service(),
      config: { host, port, limits, apiKey, docs },
      log,
      meter: metrics.meter,
      metrics,
      clock: systemClock,
    });
    this.#http = http;
    return http.listen();
  }

  #service(): HttpService {
    const { config, shownConfig } = this.#options;
    return {
      engine: () => this.#ready(),
      startProgress: () => this.#progress,
      concerns: () => (this.#scrubConcern === null ? [] : [this.#scrubConcern]),
      nativeBuild: nativeBuild(),
      version,
      configuration: () => shownConfig,
      // One node: the master is the only voter until replicas join.
      writeConcern: {
        defaultRequired: () => (typeof config.defaultW === 'number' ? config.defaultW : 1),
        voters: () => 1,
        wait: () => Promise.resolve(1),
      },
    };
  }

  #ready(): Engine {
    if (this.#stopping !== null) throw new SkeinError('ShuttingDown', 'The server is stopping and takes no new work');
    if (this.#engine !== null) return this.#engine;
    const { step, progress, etaMs, message } = this.#progress;
    throw new SkeinError('Starting', `The server is starting: ${message}`, { step, progress, eta_ms: etaMs });
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
        await this.#engine?.stop();
      } finally {
        this.#stopMeasuring();
        this.#release();
      }
    }
  }
}
