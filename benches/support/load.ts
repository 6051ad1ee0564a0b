/** Drives a server with prepared requests over several connections, each sending its next request when the last was answered. */

import { HttpConnection, type PreparedRequest } from './http-connection.js';
import { Latencies, type LatencySummary } from './latencies.js';

export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  readonly requests: readonly PreparedRequest[];
  /** Turns over the requests until this time is over; left out: each is sent once. */
  readonly forMs?: number;
  /** Runs before the clock starts; for searches. */
  readonly warmUpMs?: number;
}

export interface LoadResult {
  readonly answered: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly latencies: LatencySummary;
}

/** @throws Error on the first answer that is not 2xx */
export async function drive(plan: LoadPlan): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: plan.connections }, () => HttpConnection.open(plan.port)));
  try {
    if (plan.warmUpMs !== undefined) await run(connections, { ...plan, forMs: plan.warmUpMs });
    return await run(connections, plan);
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function run(connections: readonly HttpConnection[], { requests, forMs }: LoadPlan): Promise<LoadResult> {
  const latencies = new Latencies();
  const startMs = performance.now();
  const untilMs = forMs === undefined ? Number.POSITIVE_INFINITY : startMs + forMs;
  let sent = 0;
  const work = async (connection: HttpConnection): Promise<void> => {
    for (;;) {
      const beganMs = performance.now();
      if (beganMs >= untilMs || (forMs === undefined && sent >= requests.length)) return;
      const request = requests[sent++ % requests.length];
      if (request === undefined) return;
      const { status, body } = await connection.send(request);
      if (status >= 300) throw new Error(`${status}: ${body.toString('utf8').slice(0, 500)}`);
      latencies.add(performance.now() - beganMs);
    }
  };
  await Promise.all(connections.map(work));
  const seconds = (performance.now() - startMs) / 1000;
  const summary = latencies.summary();
  return { answered: summary.count, seconds, perSecond: summary.count / seconds, latencies: summary };
}

/** Sends one request again and again, at most every `intervalMs`, until stopped; for watching a server while others load it.
 *  An answer that came late also counts for the requests that should have been sent meanwhile, so that a stall weighs what it lasted. */
export class Watch {
  readonly latencies = new Latencies();
  readonly #intervalMs: number;
  readonly #requests: readonly PreparedRequest[];
  readonly #connection: HttpConnection;
  readonly #running: Promise<void>;
  #stopped = false;
  #failure: unknown = null;
  /** Latencies since the last call of takeWindow. */
  #window = new Latencies();

  private constructor(connection: HttpConnection, requests: readonly PreparedRequest[], intervalMs: number) {
    this.#connection = connection;
    this.#requests = requests;
    this.#intervalMs = intervalMs;
    this.#running = this.#run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  static async start(port: number, requests: readonly PreparedRequest[], intervalMs: number): Promise<Watch> {
    return new Watch(await HttpConnection.open(port), requests, intervalMs);
  }

  takeWindow(): Latencies {
    const window = this.#window;
    this.#window = new Latencies();
    return window;
  }

  /** @throws Error when an answer was not 2xx */
  async stop(): Promise<LatencySummary> {
    this.#stopped = true;
    await this.#running;
    this.#connection.close();
    if (this.#failure !== null) throw new Error('a watched request failed', { cause: this.#failure });
    return this.latencies.summary();
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn += 1) {
      const request = this.#requests[turn % this.#requests.length];
      if (request === undefined) return;
      const beganMs = performance.now();
      const { status, body } = await this.#connection.send(request);
      if (status >= 300) throw new Error(`${status}: ${body.toString('utf8').slice(0, 500)}`);
      const tookMs = performance.now() - beganMs;
      for (let lateMs = tookMs; lateMs > 0; lateMs -= this.#intervalMs) {
        this.latencies.add(lateMs);
        this.#window.add(lateMs);
      }
      const restMs = this.#intervalMs - tookMs;
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }
}
