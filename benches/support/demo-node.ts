/** A node of the demo as it is shown: running or not, with what it says of itself and what its master says of it. */

import type { NodeRow } from './demo-view.js';
import type { HttpConnection } from './http-connection.js';
import { type NodeStats, replicasToldBy, statsOf, type ToldReplica } from './replication-stats.js';
import { prepare } from './requests.js';
import type { ServerProcess } from './server-process.js';

export class DemoNode {
  readonly name: string;
  /** A connection has one request at a time: one is for being watched, one for whoever asks the node something. */
  #running: { readonly server: ServerProcess; readonly connection: HttpConnection; readonly watching: HttpConnection } | null =
    null;
  #state = 'not started';
  #last: { readonly points: number; readonly atMs: number } | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** @throws Error when it does not run */
  get server(): ServerProcess {
    if (this.#running === null) throw new Error(`${this.name} does not run`);
    return this.#running.server;
  }

  /** @throws Error when it does not run */
  get connection(): HttpConnection {
    if (this.#running === null) throw new Error(`${this.name} does not run`);
    return this.#running.connection;
  }

  /** @param state what is shown while it does not run */
  gone(state: string): void {
    this.#running?.connection.close();
    this.#running?.watching.close();
    this.#running = null;
    this.#last = null;
    this.#state = state;
  }

  async runs(server: ServerProcess): Promise<void> {
    this.#running = { server, connection: await server.connect(), watching: await server.connect() };
  }

  /** The replicas as it tells of them, for the rows. @throws Error when it does not run */
  replicas(): Promise<readonly ToldReplica[]> {
    if (this.#running === null) throw new Error(`${this.name} does not run`);
    return replicasToldBy(this.#running.watching);
  }

  /** @param collection whose points are counted @param replicas as the master tells of them */
  async row(collection: string, replicas: readonly ToldReplica[]): Promise<NodeRow> {
    const running = this.#running;
    const asked = running === null ? null : await ask(running.watching, collection).catch(() => null);
    // It may have been killed while it was asked.
    if (asked === null || running !== this.#running || running === null) {
      const status = this.#running === null ? this.#state : 'no answer';
      return {
        name: this.name,
        role: '',
        status,
        seq: null,
        points: null,
        lagMs: null,
        pending: null,
        perSecond: null,
        digest: '',
      };
    }
    const { points, stats } = asked;
    const { role, seq, lagMs, pending, digest } = stats;
    const told = replicas.find(({ port }) => port === running.server.port);
    const status = role === 'master' ? 'serves' : (told?.status ?? 'joins');
    return { name: this.name, role, status, seq, points, lagMs, pending, perSecond: this.#rate(points), digest };
  }

  #rate(points: number): number | null {
    const [before, atMs] = [this.#last, performance.now()];
    this.#last = { points, atMs };
    return before === null ? null : ((points - before.points) * 1000) / (atMs - before.atMs);
  }
}

/** @returns null while the node has nothing to tell */
async function ask(connection: HttpConnection, collection: string): Promise<{ stats: NodeStats; points: number } | null> {
  const stats = await statsOf(connection);
  if (stats === null) return null;
  const { status, body } = await connection.send(prepare('GET', `/v1/collections/${collection}`, 'json', null));
  // It may not have the collection yet.
  return { stats, points: status === 200 ? Number(JSON.parse(body.toString('utf8')).points_count) : 0 };
}
