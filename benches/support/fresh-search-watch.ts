/** How long after its acknowledgement a write is found by searches of a node: every few milliseconds a search asks for the position of the
 *  newest acknowledged write, and its answer comes when the node's index has it.
 *
 *  As long as all connections wait for their answer no further write is followed; lags of more than CONNECTIONS × EVERY_MS have fewer samples. */

import type { HttpConnection } from './http-connection.js';
import type { LagSample } from './lag-watch.js';
import { Latencies, type LatencySummary } from './latencies.js';
import { prepare } from './requests.js';
import { Sampling } from './sampling.js';
import type { ServerProcess } from './server-process.js';
import type { FreshSearch } from './told-lag.js';
import type { Acknowledgement } from './write-stream.js';

const CONNECTIONS = 32;
const EVERY_MS = 20;
/** The longest that the server waits. */
const WAIT_MS_MAX = 60_000;

export class FreshSearchWatch {
  readonly #free: HttpConnection[];
  readonly #path: string;
  readonly #vector: readonly number[];
  readonly #sending: Sampling;
  readonly #underWay = new Set<Promise<void>>();
  readonly #lag = new Latencies();
  readonly #samples: LagSample[] = [];
  readonly #searches: FreshSearch[] = [];
  #newest: Acknowledgement | null = null;
  #failure: Error | null = null;

  private constructor(connections: HttpConnection[], collection: string, vector: Float32Array) {
    this.#free = connections;
    this.#path = `/v1/collections/${collection}/points/search`;
    this.#vector = Array.from(vector);
    this.#sending = new Sampling(EVERY_MS, () => this.#send());
  }

  static async start(server: ServerProcess, collection: string, vector: Float32Array): Promise<FreshSearchWatch> {
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.connect()));
    return new FreshSearchWatch(connections, collection, vector);
  }

  acknowledged(write: Acknowledgement): void {
    if (this.#newest === null || write.seq > this.#newest.seq) this.#newest = write;
  }

  /** Returns when the last search is answered. @throws Error when one was not answered with 200 */
  async stop(): Promise<{ lag: LatencySummary; samples: readonly LagSample[]; searches: readonly FreshSearch[] }> {
    await this.#sending.stop();
    await Promise.all(this.#underWay);
    for (const connection of this.#free) connection.close();
    if (this.#failure !== null) throw this.#failure;
    return { lag: this.#lag.summary(), samples: this.#samples, searches: this.#searches };
  }

  #send(): void {
    const write = this.#newest;
    const connection = write === null ? undefined : this.#free.pop();
    if (write === null || connection === undefined) return;
    this.#newest = null;
    const searching = this.#search(write, connection)
      .catch((error: unknown) => {
        this.#failure ??= new Error('a search for a write failed', { cause: error });
      })
      .finally(() => {
        this.#underWay.delete(searching);
        this.#free.push(connection);
      });
    this.#underWay.add(searching);
  }

  async #search(write: Acknowledgement, connection: HttpConnection): Promise<void> {
    const { position, atMs } = write;
    const sentMs = performance.now();
    const body = { vector: this.#vector, limit: 1, min_position: position, max_wait_ms: WAIT_MS_MAX };
    const asked = prepare('POST', this.#path, 'json', body);
    let answer = await connection.send(asked);
    // An index that is further behind than the server lets anybody wait is asked again: the lag is what is measured.
    while (answer.status === 503) answer = await connection.send(asked);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
    const answeredMs = performance.now();
    const lagMs = answeredMs - atMs;
    this.#searches.push({ write, sentMs, answeredMs });
    this.#lag.add(lagMs);
    this.#samples.push({ atMs, lagMs });
  }
}
