/** What the states of components mean for the node: the one place that decides. Pure.
 *
 *    unhealthy   no search engine that is used does its work (one of two: degraded), or the store cannot be read
 *    degraded    any component is not healthy: digest, replication, disk, memory, CPU, event loop and outside dependencies never make
 *                more of it, because requests are answered all the same
 *    healthy     all else
 *  docs/OPERATIONS.md has the same as a table. Must not know: how components are looked at. */

import type { ComponentReport, HealthReport } from '../model/health.js';

/** The two that a search can do without one of. */
const ENGINES: ReadonlySet<string> = new Set(['vector', 'text']);

export function nodeHealth(components: readonly ComponentReport[]): Pick<HealthReport, 'status' | 'reasons'> {
  const worse = components.filter(({ status }) => status !== 'healthy');
  const reasons = worse.map(({ message }) => message);
  const used = components.filter(({ name, serves }) => ENGINES.has(name) && serves !== undefined && serves !== 'unused');
  const noSearch = used.length > 0 && used.every(({ serves }) => serves === 'no');
  const noData = components.some(({ name, serves }) => !ENGINES.has(name) && serves === 'no');
  if (noSearch || noData) return { status: 'unhealthy', reasons };
  return { status: worse.length === 0 ? 'healthy' : 'degraded', reasons };
}
