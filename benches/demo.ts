/** `npm run demo [-- vectors.fvecs]`: replication to look at. A master and two replicas, real processes in a folder of their own, take a
 *  load; one replica is killed (-9) in the middle of it, comes back and catches up; in the end all three have the same digest and answer
 *  the same search. SKEIN_BENCH_SCALE shortens it.
 *
 *  Exit code 0 only when the three digests are equal, 130 when it was interrupted. Whatever happens, processes and folder are gone. */

import { scaledMs } from './support/bench.js';
import { Cluster } from './support/cluster.js';
import { ClusterStream, rowOf } from './support/clusters.js';
import { DemoLoad, type DemoLoadPlan } from './support/demo-load.js';
import { DemoNode } from './support/demo-node.js';
import { DemoView } from './support/demo-view.js';
import type { HttpConnection } from './support/http-connection.js';
import { knownStats } from './support/replication-stats.js';
import { ask, createRequest, get, prepare } from './support/requests.js';
import { Sampling } from './support/sampling.js';
import { killAllServers } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';
import { readFloatVectors } from './support/vector-files.js';
import { delay } from './support/waiting.js';

const COLLECTION = 'demo';
const DIMENSION = 128;
const PHASES = ['start', 'load', 'replica 2 killed, load on', 'replica 2 comes back', 'level'];
const LOAD_MS = 8_000;
const WITHOUT_MS = 6_000;
const BACK_MS = 4_000;
const LEVEL_DEADLINE_MS = 30_000;
const DRAW_EVERY_MS = 200;
const LINE_EVERY_MS = 1_000;
/** It takes half a minute where nothing else runs. */
const DEADLINE_MS = 180_000;
const INTERRUPTED = 130;
const WRONG_CALL = 2;

class Demo {
  readonly #view: DemoView;
  readonly #plan: DemoLoadPlan;
  readonly #query: readonly number[];
  readonly #signal: AbortSignal;
  readonly #master = new DemoNode('master');
  readonly #first = new DemoNode('replica 1');
  readonly #second = new DemoNode('replica 2');
  readonly #startMs = performance.now();
  /** What each node answered in the end, by name. */
  readonly #nearest = new Map<string, string>();
  #phase = 0;

  constructor(view: DemoView, plan: DemoLoadPlan, signal: AbortSignal) {
    this.#view = view;
    this.#plan = plan;
    this.#query = Array.from(plan.nextVector());
    this.#signal = signal;
  }

  /** @returns whether all nodes are equal in the end */
  async run(folder: string): Promise<boolean> {
    const cluster = await Cluster.start(folder);
    await this.#master.runs(cluster.master);
    const drawing = new Sampling(this.#view.live ? DRAW_EVERY_MS : LINE_EVERY_MS, () => this.#draw());
    // A failure of the drawing is one of the master, and shows in what was performed.
    try {
      await this.#perform(cluster);
    } finally {
      await drawing.stop().catch(() => undefined);
    }
    await this.#draw();
    return this.#compare();
  }

  async #perform(cluster: Cluster): Promise<void> {
    await this.#first.runs(await cluster.startReplica(0));
    await this.#second.runs(await cluster.startReplica(1));
    await cluster.joined([this.#first.server, this.#second.server]);
    await ask(this.#master.connection, createRequest(COLLECTION, this.#plan.dimension, 'euclid'));
    const load = await DemoLoad.start(cluster.master, this.#plan);
    await this.#during(1, LOAD_MS);
    const { server } = this.#second;
    this.#second.gone('killed (-9)');
    await server.kill();
    await this.#during(2, WITHOUT_MS);
    this.#phase = 3;
    this.#second.gone('starts');
    await this.#second.runs(await cluster.startReplica(1));
    await this.#during(3, BACK_MS);
    await load.stop();
    this.#phase = 4;
    await cluster.equal([this.#first.server, this.#second.server], LEVEL_DEADLINE_MS);
    const { position } = await get(this.#master.connection, `/v1/collections/${COLLECTION}`);
    // An answer at this position: the index has everything too.
    for (const { name, connection } of this.#nodes()) this.#nearest.set(name, await this.#search(connection, String(position)));
  }

  async #during(phase: number, fullMs: number): Promise<void> {
    this.#phase = phase;
    await delay(scaledMs(fullMs));
    this.#signal.throwIfAborted();
  }

  async #draw(): Promise<void> {
    const told = await this.#master.replicas();
    const rows = await Promise.all(this.#nodes().map((node) => node.row(COLLECTION, told)));
    this.#view.show({ phases: PHASES, phase: this.#phase, seconds: (performance.now() - this.#startMs) / 1000, rows });
  }

  async #compare(): Promise<boolean> {
    const digests: string[] = [];
    for (const { name, connection } of this.#nodes()) {
      const { digest, seq } = await knownStats(connection);
      digests.push(digest);
      this.#view.say(`${name.padEnd(10)} digest ${digest} at position ${seq}; ${this.#nearest.get(name)}`);
    }
    const { fullSyncs, partialSyncs } = await knownStats(this.#second.connection);
    this.#view.say(`replica 2 came back ${fullSyncs === 0 && partialSyncs > 0 ? 'from the log alone' : 'by a snapshot'}`);
    const equal = new Set(digests).size === 1;
    this.#view.say(equal ? 'All three are equal.' : 'The nodes differ.');
    return equal;
  }

  async #search(connection: HttpConnection, position: string): Promise<string> {
    const freshness = { min_position: position, max_wait_ms: LEVEL_DEADLINE_MS };
    const body = { vector: this.#query, limit: 3, with_payload: false, ...freshness };
    const answer = await ask(connection, prepare('POST', `/v1/collections/${COLLECTION}/points/search`, 'json', body));
    const hits = answer['hits'] as readonly { readonly id: number }[];
    return `nearest ${hits.map(({ id }) => id).join(', ')} in ${Number(answer['took_ms']).toFixed(1)} ms`;
  }

  #nodes(): readonly DemoNode[] {
    return [this.#master, this.#first, this.#second];
  }
}

/** @param path of vectors, or undefined: generated ones @throws Error when the file is not of vectors */
function planFor(path: string | undefined): DemoLoadPlan {
  if (path === undefined) {
    const stream = new ClusterStream(DIMENSION);
    return { collection: COLLECTION, dimension: DIMENSION, nextVector: () => stream.next() };
  }
  const rows = readFloatVectors(path);
  let next = 0;
  // A file with fewer vectors than the load takes begins again, with new ids.
  return { collection: COLLECTION, dimension: rows.dimension, nextVector: () => rowOf(rows, next++ % rows.count) };
}

async function main(path: string | undefined): Promise<number> {
  let plan: DemoLoadPlan;
  try {
    plan = planFor(path);
  } catch (error) {
    console.error(`${path} cannot be read as .fvecs: ${error instanceof Error ? error.message : String(error)}`);
    return WRONG_CALL;
  }
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
  const view = new DemoView(process.stdout);
  const stopped = new Promise<never>((_resolve, reject) => {
    interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
    setTimeout(() => reject(new Error(`the demo did not end within ${DEADLINE_MS} ms`)), DEADLINE_MS).unref();
  });
  try {
    return await withFolder(async (folder) => {
      try {
        return (await Promise.race([new Demo(view, plan, interrupted.signal).run(folder), stopped])) ? 0 : 1;
      } finally {
        await killAllServers();
      }
    });
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    console.error(error);
    return 1;
  } finally {
    view.close();
  }
}

// What still waits after an interruption has nothing left to do.
process.exit(await main(process.argv[2]));
