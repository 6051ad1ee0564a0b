/** Skein inside a program: the same engine, routes and client as over the network, in one process and without a port.
 *
 *    openSkein ─► settings ─► node (listens nowhere) ─► SkeinClient over streams in memory ─► close: indexes saved, folder free
 *                               └─ follow: a read replica of a server; reads are its own, writes go on to the master
 *
 *  Whatever holds of a server holds here: acknowledged is durable, one process to a folder, a failed commit ends it. The work of indexes and of the store is
 *  done in threads. Must not know: what HTTP, replication and storage do. */

// Whoever reads the types has `Symbol.asyncDispose` by this, whatever else is configured.
/// <reference lib="esnext.disposable" preserve="true" />

import { setTimeout as pause } from 'node:timers/promises';
import { type LoadedConfig, loadConfig } from '../config/config.js';
import { describeConfig } from '../config/describe.js';
import { logOptions } from '../config/log-options.js';
import type { Log } from '../model/log.js';
import { type Node, startNode } from '../node/node.js';
import { INSIDE_URL } from '../node/node-settings.js';
import { createLog } from '../observability/logging.js';
import { SkeinClient } from '../sdk/index.js';
import { FatalEnd } from './fatal-end.js';
import { InsideTransport } from './inside-transport.js';
import { checkOptions, type OpenOptions } from './open-options.js';

const SERVING_CHECK_MS = 20;
const CONNECTIONS_MAX = 64;
/** Nothing listens there; it is said so that a `host` in settings asks for no key. */
const NOWHERE = '127.0.0.1';

export interface EmbeddedSkein {
  /** The same client as of a server, with the same types and errors. */
  readonly client: SkeinClient;
  readonly dataDir: string;
  /** Lets running calls end, saves the indexes and frees the folder. Calls that still run after shutdown_timeout_ms are cut off, such as an import whose
   *  source has no end. May be called again. What was acknowledged is durable without it; an end without it costs the next start a check of the store. */
  readonly close: () => Promise<void>;
  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a folder as a database inside this program, and resolves when it can be read and written; a new replica once it has the data.
 *  @throws ConfigError: options or settings that cannot be used · StoreRefused: the folder is in use (`reason` is `locked`), or damaged · Error: the
 *  disk fails · the reason of the signal. The first two are told apart by their `name`. Nothing is open then. */
export async function openSkein(options: OpenOptions): Promise<EmbeddedSkein> {
  checkOptions(options);
  const { signal, onFatal } = options;
  signal?.throwIfAborted();
  const loaded = configOf(options);
  const { config } = loaded;
  const log = createLog(logOptions(config));
  for (const warning of loaded.warnings) log.warn('configuration', { warning });
  const place: { node: Node | null } = { node: null };
  // Made first: client settings that cannot be used leave nothing open.
  const client = clientOver(options.client ?? {}, place, () => fatal.reason);
  const fatal = new FatalEnd({ endCalls: (error) => client.close(error), tell: onFatal });
  const shownConfig = describeConfig(config, loaded.sources);
  const starting = startNode({ config, shownConfig, log, listens: false, onFatal: (reason) => fatal.happened(reason) });
  try {
    place.node = await Promise.race([starting, fatal.duringOpening]);
    // A new replica has nothing to read until its first snapshot is there.
    while (!place.node.isServing()) await pausedOrAborted(signal, fatal);
    signal?.throwIfAborted();
    fatal.opened();
    return new OpenedSkein(place.node, client, config.shutdownTimeoutMs);
  } catch (error) {
    client.close();
    // What failed on the way may never come to its end; nobody waits for it then.
    const ended = endOf(starting, log);
    if (fatal.reason === null) await ended;
    throw error;
  }
}

/** @throws ConfigError */
function configOf({ dataDir, follow, clusterKeyFile, logLevel, settings }: OpenOptions): LoadedConfig {
  return loadConfig({
    flags: { dataDir, host: NOWHERE, ...definedOnly({ master: follow, clusterKeyFile }) },
    environment: {},
    workingDir: process.cwd(),
    settings: { docs: false, voter: false, log_level: logLevel ?? 'warn', ...settings },
  });
}

/** @throws TypeError, RangeError for settings that cannot be used */
function clientOver(
  settings: NonNullable<OpenOptions['client']>,
  place: { readonly node: Node | null },
  failure: () => string | null,
): SkeinClient {
  const connect: Node['connect'] = () => {
    if (place.node === null) throw new Error('the node is not open');
    return place.node.connect();
  };
  const { connectionsMax = CONNECTIONS_MAX } = settings;
  const transport = new InsideTransport({ url: INSIDE_URL, connect, failure, connectionsMax });
  return new SkeinClient({ ...settings, url: INSIDE_URL, transport });
}

/** @throws the reason of the signal · why the node has failed */
async function pausedOrAborted(signal: AbortSignal | undefined, fatal: FatalEnd): Promise<void> {
  const paused = pause(SERVING_CHECK_MS, undefined, signal === undefined ? {} : { signal });
  // Its own error says that there was a signal, not why.
  await Promise.race([paused.catch(() => signal?.throwIfAborted()), fatal.duringOpening]);
}

async function endOf(starting: Promise<Node>, log: Log): Promise<void> {
  const node = await starting.catch(() => null);
  await node?.stop().catch((failure: unknown) => log.error('stop_failed', { error: failure }));
}

class OpenedSkein implements EmbeddedSkein {
  readonly client: SkeinClient;
  readonly #node: Node;
  readonly #callsEndMs: number;
  #closing: Promise<void> | null = null;

  /** @param callsEndMs how long calls that run are waited for */
  constructor(node: Node, client: SkeinClient, callsEndMs: number) {
    this.#node = node;
    this.client = client;
    this.#callsEndMs = callsEndMs;
  }

  get dataDir(): string {
    return this.#node.dataDir;
  }

  /** Bound: `const { client, close } = await openSkein(…)` is how it is taken apart. */
  readonly close = (): Promise<void> => {
    this.#closing ??= this.#close();
    return this.#closing;
  };

  async #close(): Promise<void> {
    // An import ends when its source does, which may be never.
    const cut = setTimeout(() => this.client.close(), this.#callsEndMs);
    await this.client.end();
    clearTimeout(cut);
    await this.#node.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function definedOnly(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
