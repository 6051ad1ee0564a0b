/** Writes as a stream: at a given rate, or as fast as they are taken; whoever listens hears of every acknowledgement.
 *
 *  The rate is kept by the clock and not by the answers: a write that had to wait is sent late, and those behind it do not wait for its
 *  answer as long as a connection is free. A 503 is tried again after a pause, as clients do. */

import { unpackMessage } from '../../src/codec/msgpack.js';
import { HttpConnection, type PreparedRequest, type RawHttpAnswer } from './http-connection.js';
import { Latencies, type LatencySummary } from './latencies.js';
import { delay } from './waiting.js';

export interface Acknowledgement {
  readonly seq: number;
  /** The token to read one's own write with. */
  readonly position: string;
  /** When it was sent and when the answer was here, on performance.now(). */
  readonly sentMs: number;
  readonly atMs: number;
}

export interface WriteStreamPlan {
  readonly port: number;
  readonly connections: number;
  /** With msgpack bodies; each is sent once, in order. */
  readonly requests: readonly PreparedRequest[];
  /** Requests a second; null: each connection sends its next one when the last was answered. */
  readonly rate: number | null;
  /** Ends after this time; left out: with the last request. */
  readonly forMs?: number;
  onAcknowledged?(acknowledgement: Acknowledgement): void;
}

export interface WriteStreamResult {
  readonly answered: number;
  readonly seconds: number;
  /** Of requests, from sending to the answer; pauses after a 503 count. */
  readonly latencies: LatencySummary;
  /** Answers of 503. */
  readonly refused: number;
}

const REFUSED_PAUSE_MS = 20;

/** @throws Error on the first answer that is neither 2xx nor 503 */
export async function streamWrites(plan: WriteStreamPlan): Promise<WriteStreamResult> {
  const { requests, rate, forMs = Number.POSITIVE_INFINITY } = plan;
  const connections = await Promise.all(Array.from({ length: plan.connections }, () => HttpConnection.open(plan.port)));
  const latencies = new Latencies();
  const startMs = performance.now();
  let [next, refused] = [0, 0];
  const work = async (connection: HttpConnection): Promise<void> => {
    for (let at = next++; at < requests.length; at = next++) {
      const dueMs = rate === null ? 0 : startMs + (at * 1000) / rate - performance.now();
      if (dueMs > 0) await delay(dueMs);
      const beganMs = performance.now();
      if (beganMs - startMs >= forMs) return;
      let sentMs = beganMs;
      let answer = await connection.send(requests[at] as PreparedRequest);
      for (; answer.status === 503; refused += 1) {
        await delay(REFUSED_PAUSE_MS);
        sentMs = performance.now();
        answer = await connection.send(requests[at] as PreparedRequest);
      }
      const atMs = performance.now();
      latencies.add(atMs - beganMs);
      plan.onAcknowledged?.({ ...acknowledged(answer), sentMs, atMs });
    }
  };
  try {
    await Promise.all(connections.map(work));
  } finally {
    for (const connection of connections) connection.close();
  }
  return { answered: latencies.count, seconds: (performance.now() - startMs) / 1000, latencies: latencies.summary(), refused };
}

function acknowledged({ status, body }: RawHttpAnswer): { seq: number; position: string } {
  if (status >= 300) throw new Error(`${status}: ${body.toString('utf8').slice(0, 500)}`);
  return unpackMessage(body) as { seq: number; position: string };
}
