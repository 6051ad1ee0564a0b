/** Real nodes that replicate: a master and its replicas as processes of their own, each with its own data folder and a port that it keeps
 *  when it is started again.
 *
 *  Ports lie below those that the system gives to outgoing connections: a replica that calls a dead master must not happen to get the
 *  master's port for itself and talk to itself. Must not know: what is tested. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { NodeCalls } from './node-calls.js';
import { type Ending, type ServerProcess, type Surroundings, startServer } from './server-process.js';
import type { TestContext } from './suite.js';

type Cleaner = Pick<TestContext, 'after' | 'folder'>;

export interface NodeOptions extends Omit<Surroundings, 'port'> {
  /** ws://host:port of a master, or of a proxy before it. Default none: the node is a master. */
  readonly master?: string;
  readonly flags?: readonly string[];
  /** Of each call to the node; default 10,000. */
  readonly deadlineMs?: number;
}

export interface ClusterOptions extends Omit<NodeOptions, 'master'> {
  /** Default 2. */
  readonly replicas?: number;
  /** A fault proxy before the master for each replica; default false. */
  readonly proxied?: boolean;
}

export interface Cluster {
  readonly master: ClusterNode;
  readonly replicas: readonly ClusterNode[];
  /** proxies[i] stands between replicas[i] and the master. */
  readonly proxies: readonly FaultProxy[];
  readonly nodes: readonly ClusterNode[];
}

const FIRST_PORT = 20_000;
const PORTS = 10_000;
const PORT_TRIES = 100;

export async function startCluster(
  t: Cleaner,
  { replicas: count = 2, proxied = false, ...options }: ClusterOptions = {},
): Promise<Cluster> {
  const master = await startNode(t, 'master', options);
  const proxies: FaultProxy[] = [];
  const replicas: ClusterNode[] = [];
  for (let index = 0; index < count; index++) {
    if (proxied) proxies.push(await startFaultProxy(t, master.port, { seed: index + 1 }));
    const replica = await startNode(t, `replica-${index}`, { ...options, master: proxies[index]?.url ?? master.replicationUrl });
    replicas.push(replica);
  }
  return { master, replicas, proxies, nodes: [master, ...replicas] };
}

/** Starts a node on an empty folder. */
export async function startNode(t: Cleaner, name: string, options: NodeOptions = {}): Promise<ClusterNode> {
  const node = await newNode(t, name, options);
  await node.start();
  return node;
}

/** A node on an empty folder that is yet to be started. */
export async function newNode(t: Cleaner, name: string, options: NodeOptions = {}): Promise<ClusterNode> {
  return new ClusterNode(t, name, await freePort(), options);
}

export class ClusterNode extends NodeCalls {
  readonly port: number;
  readonly dataDir: string;
  readonly #t: Cleaner;
  #options: NodeOptions;
  #process: ServerProcess | null = null;
  #ended: Promise<Ending> | null = null;

  constructor(t: Cleaner, name: string, port: number, options: NodeOptions) {
    super(name, `http://127.0.0.1:${port}`, options.deadlineMs);
    this.#t = t;
    this.port = port;
    this.dataDir = join(t.folder(), 'data');
    this.#options = options;
  }

  /** For --master and follow. */
  get replicationUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** @throws Error when it does not run */
  get process(): ServerProcess {
    if (this.#process === null) throw new Error(`${this.name} does not run`);
    return this.#process;
  }

  get isRunning(): boolean {
    return this.#process !== null;
  }

  /** How its last process ended, when it has. @throws Error when none was ever started */
  get ended(): Promise<Ending> {
    if (this.#ended === null) throw new Error(`${this.name} never ran`);
    return this.#ended;
  }

  /** Starts it again on its folder and port, with what changed in its options. @throws ServerDidNotStart */
  async start(changed: NodeOptions = {}): Promise<void> {
    if (this.#process !== null) throw new Error(`${this.name} runs already`);
    this.#options = { ...this.#options, ...changed };
    const { master, flags = [], ...surroundings } = this.#options;
    const all = master === undefined ? flags : ['--master', master, ...flags];
    const started = await startServer(this.#t, this.dataDir, all, { ...surroundings, port: this.port });
    this.#process = started;
    this.#ended = started.ended;
    void started.ended.then(() => {
      if (this.#process === started) this.#process = null;
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.process.kill();
    this.#process = null;
  }

  /** Stops it as an operator would; a frozen node must be thawed first. @returns the exit code */
  async stop(): Promise<number | null> {
    const code = await this.process.stop();
    this.#process = null;
    return code;
  }

  async restart(changed: NodeOptions = {}): Promise<void> {
    await this.stop();
    await this.start(changed);
  }

  /** SIGSTOP: it holds its connections, and does and says nothing. */
  freeze(): void {
    this.process.signal('SIGSTOP');
  }

  thaw(): void {
    this.process.signal('SIGCONT');
  }
}

async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!free) continue;
    const closed = once(server, 'close');
    server.close();
    await closed;
    return port;
  }
  throw new Error(`no free port in ${PORT_TRIES} tries`);
}
