/** The lag of a replica's store, seen from outside: from a write's acknowledgement by the master until the replica is found at its position.
 *
 *  Every write counts; the replica is asked every few milliseconds, so that a lag is too long by up to that and one answer, and never too
 *  short. What the replica says of its lag when it is asked is kept too. */

import type { HttpConnection } from './http-connection.js';
import { Latencies, type LatencySummary } from './latencies.js';
import { statsOf } from './replication-stats.js';
import { Sampling } from './sampling.js';
import type { ServerProcess } from './server-process.js';
import type { Look } from './told-lag.js';
import { delay } from './waiting.js';
import type { Acknowledgement } from './write-stream.js';

export interface LagSample {
  /** When the write was acknowledged. */
  readonly atMs: number;
  readonly lagMs: number;
}

export interface LagFound {
  /** One per write. */
  readonly lag: LatencySummary;
  readonly samples: readonly LagSample[];
  /** By seq. */
  readonly writes: readonly Acknowledgement[];
  /** By time. */
  readonly looks: readonly Look[];
}

const LOOK_EVERY_MS = 4;
const LAST_WRITE_DEADLINE_MS = 600_000;
const LAST_WRITE_POLL_MS = 5;

export class LagWatch {
  readonly #connection: HttpConnection;
  readonly #looking: Sampling;
  readonly #looks: Look[] = [];
  readonly #writes: Acknowledgement[] = [];
  #newestSeq = 0;

  private constructor(connection: HttpConnection) {
    this.#connection = connection;
    this.#looking = new Sampling(LOOK_EVERY_MS, () => this.#look());
  }

  static async start(replica: ServerProcess): Promise<LagWatch> {
    return new LagWatch(await replica.connect());
  }

  acknowledged(write: Acknowledgement): void {
    this.#writes.push(write);
    this.#newestSeq = Math.max(this.#newestSeq, write.seq);
  }

  /** Returns when the replica has every acknowledged write. @throws Error when it does not get them */
  async stop(): Promise<LagFound> {
    const untilMs = performance.now() + LAST_WRITE_DEADLINE_MS;
    const level = (): boolean => (this.#looks.at(-1)?.seq ?? 0) >= this.#newestSeq;
    while (!level() && performance.now() < untilMs) await delay(LAST_WRITE_POLL_MS);
    await this.#looking.stop();
    this.#connection.close();
    if (!level()) throw new Error(`the replica did not reach seq ${this.#newestSeq}`);
    const writes = this.#writes.sort((a, b) => a.seq - b.seq);
    const samples = lagsOf(writes, this.#looks);
    const lag = new Latencies();
    for (const { lagMs } of samples) lag.add(lagMs);
    return { lag: lag.summary(), samples, writes, looks: this.#looks };
  }

  async #look(): Promise<void> {
    const stats = await statsOf(this.#connection);
    if (stats !== null) this.#looks.push({ atMs: performance.now(), seq: stats.seq, toldMs: stats.lagMs });
  }
}

/** @param writes by seq @param looks by time; the last one has every write */
function lagsOf(writes: readonly Acknowledgement[], looks: readonly Look[]): LagSample[] {
  let look = 0;
  return writes.map(({ seq, atMs }) => {
    while ((looks[look] as Look).seq < seq) look += 1;
    // The replica may have it before the caller knows.
    return { atMs, lagMs: Math.max(0, (looks[look] as Look).atMs - atMs) };
  });
}

/** By how much lag grows, in ms a second: the straight line nearest to the samples whose write was acknowledged from `fromMs` on.
 *  @returns 0 for fewer than two samples */
export function lagGrowth(samples: readonly LagSample[], fromMs: number): number {
  const late = samples.filter(({ atMs }) => atMs >= fromMs);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanAt, meanLag] = [mean(late.map(({ atMs }) => atMs)), mean(late.map(({ lagMs }) => lagMs))];
  const spread = late.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  const together = late.reduce((sum, { atMs, lagMs }) => sum + (atMs - meanAt) * (lagMs - meanLag), 0);
  return spread > 0 ? (together / spread) * 1000 : 0;
}
