/** Skein inside a program: the same engine, routes and client as over the network, in one process and without a port.
 *
 *    openSkein ─► settings ─► node (listens nowhere) ─► SkeinClient over streams in memory ─► close: indexes saved, folder free
 *                               └─ follow: a read replica of a server; reads are its own, writes go on to the master
 *
 *  Whatever holds of a server holds here: acknowledged is durable, one process to a folder, a failed commit ends it. The work of indexes and of the store is
 *  done in threads. Must not know: what HTTP, replication and storage do. */

import { setTimeout } from 'node:timers/promises';
import { loadConfig } from '../config/config.js';
import { describeConfig } from '../config/describe.js';
import { secretsIn } from '../config/secret.js';
import type { LogLevel } from '../model/log.js';
import { type Node, startNode } from '../node/node.js';
import { INSIDE_URL } from '../node/node-settings.js';
import { createLog } from '../observability/logging.js';
import { type ClientSettings, SkeinClient } from '../sdk/index.js';
import { InsideTransport } from './inside-transport.js';

const SERVING_CHECK_MS = 20;

export interface OpenOptions {
  /** The folder with everything: made when it is not there, locked while it is open. */
  readonly dataDir: string;
  /** Address of a server, as http://host:7171 or ws://host:7171: this program becomes a read replica of it. Counts when the folder is new; later it
   *  is what it was last. With data it opens and reads without the server, too. */
  readonly follow?: string;
  /** File with the key that nodes prove to each other, where the server has one. */
  readonly clusterKeyFile?: string;
  /** Further settings, as in a configuration file: snake_case names (docs/CONFIGURATION.md). `voter` is false here unless it is given: programs come
   *  and go, and a majority must not wait for them. Nothing is read from the environment. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Of what the node has to say, to standard error. Default warn. */
  readonly logLevel?: LogLevel;
  /** As for a client of a server. apiKey is for the master, which writes of a replica are sent on to; the own node asks for none. */
  readonly client?: Omit<ClientSettings, 'url' | 'nodes' | 'transport' | 'tryTimeoutMs' | 'readPreference'>;
  /** Gives up waiting for the first data of a new replica. */
  readonly signal?: AbortSignal;
  /** A commit failed or a thread was lost, so that what is on disk is known only after it is opened again: every call fails from then on. Left out,
   *  the reason is thrown where nobody catches it, which ends the program. */
  readonly onFatal?: (reason: Error) => void;
}

export interface EmbeddedSkein {
  /** The same client as of a server, with the same types and errors. */
  readonly client: SkeinClient;
  readonly dataDir: string;
  /** Lets running calls end, saves the indexes and frees the folder. May be called again. What was acknowledged is durable without it; an end without
   *  it costs the next start a check of the store. */
  readonly close: () => Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a folder as a database inside this program, and resolves when it can be read and written; a new replica once it has the data.
 *  @throws ConfigError: settings that cannot be used · StoreRefused: damage, with what is wrong · Error: the folder is in use, the disk fails */
export async function openSkein(options: OpenOptions): Promise<EmbeddedSkein> {
  const { config, sources } = loadConfig({
    flags: { dataDir: options.dataDir, ...definedOnly({ master: options.follow, clusterKeyFile: options.clusterKeyFile }) },
    environment: {},
    workingDir: process.cwd(),
    settings: { docs: false, voter: false, log_level: options.logLevel ?? 'warn', ...options.settings },
  });
  const { logLevel: level, logFormat: format } = config;
  const log = createLog({ level, format, file: null, secrets: secretsIn(config) });
  const fatal = new FatalEnd(options.onFatal ?? throwUncaught);
  const shownConfig = describeConfig(config, sources);
  const node = await startNode({ config, shownConfig, log, listens: false, onFatal: (reason) => fatal.happened(reason) });
  const opened = new OpenedSkein(node, fatal, options.client ?? {});
  const waiting = options.signal === undefined ? {} : { signal: options.signal };
  try {
    // A new replica has nothing to read until its first snapshot is there.
    while (!node.isServing()) {
      if (fatal.reason !== null) throw new Error(`the embedded node has failed: ${fatal.reason}`);
      await setTimeout(SERVING_CHECK_MS, undefined, waiting);
    }
  } catch (error) {
    await opened.close().catch((failure: unknown) => log.error('stop_failed', { error: failure }));
    throw error;
  }
  return opened;
}

class OpenedSkein implements EmbeddedSkein {
  readonly client: SkeinClient;
  readonly #node: Node;
  #closing: Promise<void> | null = null;

  constructor(node: Node, fatal: FatalEnd, settings: NonNullable<OpenOptions['client']>) {
    this.#node = node;
    const transport = new InsideTransport({
      url: INSIDE_URL,
      connect: () => node.connect(),
      failure: () => fatal.reason,
      connectionsMax: settings.connectionsMax ?? 64,
    });
    this.client = new SkeinClient({ ...settings, url: INSIDE_URL, transport });
  }

  get dataDir(): string {
    return this.#node.dataDir;
  }

  /** Bound: `const { client, close } = await openSkein(…)` is how it is taken apart. */
  readonly close = (): Promise<void> => {
    this.#closing ??= this.client.end().then(() => this.#node.stop());
    return this.#closing;
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The one end that data may be at risk by, said once. */
class FatalEnd {
  readonly #tell: (reason: Error) => void;
  reason: string | null = null;

  constructor(tell: (reason: Error) => void) {
    this.#tell = tell;
  }

  happened(reason: string): void {
    if (this.reason !== null) return;
    this.reason = reason;
    this.#tell(new Error(`the embedded node has failed: ${reason}`));
  }
}

function throwUncaught(reason: Error): void {
  setImmediate(() => {
    throw reason;
  });
}

function definedOnly(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
