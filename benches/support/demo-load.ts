/** The load of the demo: new points in small requests at a steady rate, until stopped. */

import type { VectorRows } from './clusters.js';
import type { HttpConnection } from './http-connection.js';
import { upsertRequests } from './requests.js';
import { Sampling } from './sampling.js';
import type { ServerProcess } from './server-process.js';

const POINTS_PER_REQUEST = 50;
const SEND_EVERY_MS = 50;

export interface DemoLoadPlan {
  readonly collection: string;
  readonly dimension: number;
  nextVector(): Float32Array;
}

export class DemoLoad {
  readonly #plan: DemoLoadPlan;
  readonly #connection: HttpConnection;
  readonly #sending: Sampling;
  /** Points that were acknowledged. */
  acknowledged = 0;

  private constructor(connection: HttpConnection, plan: DemoLoadPlan) {
    this.#connection = connection;
    this.#plan = plan;
    this.#sending = new Sampling(SEND_EVERY_MS, () => this.#send());
  }

  static async start(master: ServerProcess, plan: DemoLoadPlan): Promise<DemoLoad> {
    return new DemoLoad(await master.connect(), plan);
  }

  /** @throws Error when a write was refused */
  async stop(): Promise<void> {
    await this.#sending.stop();
    this.#connection.close();
  }

  async #send(): Promise<void> {
    const { collection } = this.#plan;
    const idOf = (row: number): number => this.acknowledged + row;
    const query = '?w=1&wait=durable';
    const [request] = upsertRequests(this.#rows(), { collection, form: 'msgpack', size: POINTS_PER_REQUEST, idOf, query });
    if (request === undefined) return;
    const { status, body } = await this.#connection.send(request);
    // Busy: the next turn sends the same ids.
    if (status === 503) return;
    if (status >= 300) throw new Error(`${status}: ${body.toString('utf8').slice(0, 500)}`);
    this.acknowledged += POINTS_PER_REQUEST;
  }

  #rows(): VectorRows {
    const { dimension } = this.#plan;
    const values = new Float32Array(POINTS_PER_REQUEST * dimension);
    for (let row = 0; row < POINTS_PER_REQUEST; row += 1) values.set(this.#plan.nextVector(), row * dimension);
    return { count: POINTS_PER_REQUEST, dimension, values };
  }
}
