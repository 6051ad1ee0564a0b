/** Reads single numbers from the server's /metrics (Prometheus text). */

import type { HttpConnection } from './http-connection.js';
import { prepare } from './requests.js';

/** The value of the first sample whose name and labels fit.
 *  @throws Error naming the pattern when there is none */
export async function readMetric(connection: HttpConnection, pattern: RegExp): Promise<number> {
  const { status, body } = await connection.send(prepare('GET', '/metrics', 'json', null));
  if (status !== 200) throw new Error(`/metrics answered ${status}`);
  const lines = body.toString('utf8').split('\n');
  const line = lines.find((text) => !text.startsWith('#') && pattern.test(text));
  if (line === undefined) throw new Error(`no metric fits ${pattern}`);
  return Number(line.slice(line.lastIndexOf(' ') + 1));
}

const SECONDS_TO_MS = 1_000;

/** The 99th percentile of event-loop delay since /metrics was last read. */
export async function eventLoopP99Ms(connection: HttpConnection): Promise<number> {
  return (await readMetric(connection, /^skein_event_loop_delay_seconds\{quantile="0\.99"\}/)) * SECONDS_TO_MS;
}
