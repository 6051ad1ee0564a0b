/** A load that comes as users come: requests begin at their times, whether earlier ones are answered or not, and a latency counts from the
 *  time at which its request should have begun (so a server that stands still is seen by all who would have come meanwhile).
 *
 *  Bounded: when that many requests are under way, what would begin is counted as turned away here, which is a failure of the run. */

import { HttpConnection, type PreparedRequest } from './http-connection.js';
import { Latencies } from './latencies.js';
import { delay } from './waiting.js';

export interface OpenRequest {
  /** What it is counted under. */
  readonly kind: string;
  readonly port: number;
  readonly request: PreparedRequest;
  /** @returns why the answer is a failure, or null */
  check(status: number, body: Buffer): string | null;
}

export interface OpenLoadResult {
  readonly seconds: number;
  readonly latencies: ReadonlyMap<string, Latencies>;
  readonly all: Latencies;
  /** Reason → how often. */
  readonly failures: ReadonlyMap<string, number>;
}

const UNDER_WAY_MAX = 500;
const TICK_MS = 5;
const LAST_ANSWERS_MS = 60_000;

/** @param next makes the request with this number  @param untilMs of performance.now() */
export async function openLoad(
  perSecond: number,
  untilMs: number,
  next: (number: number) => OpenRequest,
): Promise<OpenLoadResult> {
  const load = new Running();
  const beganMs = performance.now();
  for (let number = 0; ; ) {
    const nowMs = performance.now();
    if (nowMs >= untilMs) break;
    for (; beganMs + (number * 1_000) / perSecond <= nowMs; number += 1)
      load.begin(next(number), beganMs + (number * 1_000) / perSecond);
    await delay(TICK_MS);
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  await load.end();
  return { seconds, latencies: load.latencies, all: load.all, failures: load.failures };
}

class Running {
  readonly latencies = new Map<string, Latencies>();
  readonly all = new Latencies();
  readonly failures = new Map<string, number>();
  readonly #idle = new Map<number, HttpConnection[]>();
  readonly #underWay = new Set<Promise<void>>();

  begin(one: OpenRequest, dueMs: number): void {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#fail(`${one.kind}: ${UNDER_WAY_MAX} requests are under way`);
      return;
    }
    const running = this.#send(one, dueMs).catch((error: unknown) => this.#fail(`${one.kind}: ${String(error)}`));
    this.#underWay.add(running);
    void running.finally(() => this.#underWay.delete(running));
  }

  async #send({ kind, port, request, check }: OpenRequest, dueMs: number): Promise<void> {
    const idle = this.#idle.get(port) ?? [];
    this.#idle.set(port, idle);
    const connection = idle.pop() ?? (await HttpConnection.open(port));
    const { status, body } = await connection.send(request);
    const tookMs = performance.now() - dueMs;
    const failure = check(status, body);
    idle.push(connection);
    this.all.add(tookMs);
    const own = this.latencies.get(kind) ?? new Latencies();
    this.latencies.set(kind, own);
    own.add(tookMs);
    if (failure !== null) this.#fail(`${kind}: ${failure}`);
  }

  #fail(reason: string): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }

  async end(): Promise<void> {
    await Promise.race([Promise.all(this.#underWay), delay(LAST_ANSWERS_MS)]);
    for (const left of this.#underWay) if (left !== undefined) this.#fail('an answer that never came');
    for (const connections of this.#idle.values()) for (const connection of connections) connection.close();
  }
}
