/** A master and its replicas as real processes on this machine, each with a folder of its own that outlives its process. */

import { join } from 'node:path';
import type { HttpConnection } from './http-connection.js';
import { type NodeStats, replicasToldBy, statsOf } from './replication-stats.js';
import { ServerProcess } from './server-process.js';
import { withFolder } from './temporary-folder.js';
import { waitFor } from './waiting.js';

const EQUAL_DEADLINE_MS = 600_000;
const EQUAL_POLL_MS = 5;

export class Cluster {
  readonly master: ServerProcess;
  /** Kept open for asking the master. */
  readonly masterConnection: HttpConnection;
  readonly #folder: string;
  readonly #processes = new Map<number, ServerProcess>();

  private constructor(folder: string, master: ServerProcess, masterConnection: HttpConnection) {
    this.#folder = folder;
    this.master = master;
    this.masterConnection = masterConnection;
  }

  /** @param folder holds the folders of all nodes */
  static async start(folder: string): Promise<Cluster> {
    const master = await ServerProcess.start({ dataDir: join(folder, 'master') });
    return new Cluster(folder, master, await master.connect());
  }

  /** Starts replica `index`, on the folder that it had before if there was one; returns when it serves. */
  async startReplica(index: number): Promise<ServerProcess> {
    const dataDir = join(this.#folder, `replica-${index}`);
    const replica = await ServerProcess.start({ dataDir, flags: ['--master', `ws://127.0.0.1:${this.master.port}`] });
    this.#processes.set(index, replica);
    return replica;
  }

  /** Waits until the master counts all of these as voters that are level with it. */
  async joined(replicas: readonly ServerProcess[]): Promise<void> {
    await waitFor('voters', EQUAL_DEADLINE_MS, EQUAL_POLL_MS, async () => {
      const told = await replicasToldBy(this.masterConnection);
      return told.filter(({ voter, status }) => voter && status === 'Connected').length === replicas.length ? true : null;
    });
    await this.equal(replicas);
  }

  /** Waits until the master and these have the same position and, at it, the same digest. @returns what the master says then
   *  @throws Error after the deadline */
  async equal(replicas: readonly ServerProcess[], deadlineMs = EQUAL_DEADLINE_MS): Promise<NodeStats> {
    const connections = await Promise.all(replicas.map((replica) => replica.connect()));
    try {
      return await waitFor('equal nodes', deadlineMs, EQUAL_POLL_MS, async () => {
        const [first, ...others] = await Promise.all([this.masterConnection, ...connections].map(statsOf));
        const same = others.every((one) => one?.seq === first?.seq && one?.digest === first?.digest);
        return first && same ? first : null;
      });
    } finally {
      for (const connection of connections) connection.close();
    }
  }

  /** SIGKILL for all that still run: their folders are not needed any more. */
  async end(): Promise<void> {
    this.masterConnection.close();
    await Promise.all([this.master, ...this.#processes.values()].map((node) => node.kill()));
  }
}

/** Runs `work` with a master and as many replicas, which have joined; all are gone afterwards. */
export function withCluster<T>(
  count: number,
  work: (cluster: Cluster, replicas: readonly ServerProcess[]) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const cluster = await Cluster.start(folder);
    try {
      const replicas: ServerProcess[] = [];
      for (let index = 0; index < count; index += 1) replicas.push(await cluster.startReplica(index));
      await cluster.joined(replicas);
      return await work(cluster, replicas);
    } finally {
      await cluster.end();
    }
  });
}
