/** Health of what the node stands on: the disk under the data folder, memory, CPU, the event loop. Each has a limit of its own and
 *  hysteresis; what is measured is passed in (system-figures.ts).
 *  Must not know: where figures come from. */

import type { HealthCheck, HealthFinding } from '../model/health.js';
import { isHigh, isShareHigh } from './health-hysteresis.js';
import type { SystemFigures } from './system-figures.js';

export interface SystemLimits {
  /** Shares of the whole from which on it is degraded; 1: never. */
  readonly cpuMax: number;
  readonly memoryMax: number;
  readonly diskMax: number;
  /** p99 of the event loop's delay, in milliseconds. */
  readonly eventLoopMaxMs: number;
  /** How long one look may take. */
  readonly timeoutMs: number;
}

export function systemChecks(figures: SystemFigures, limits: SystemLimits): HealthCheck[] {
  const checked = (name: string, check: HealthCheck['check']): HealthCheck => ({
    name,
    deadlineMs: limits.timeoutMs,
    whenSilent: 'degraded',
    check,
  });
  return [
    checked('disk', diskCheck(figures, limits.diskMax)),
    checked('memory', memoryCheck(figures, limits.memoryMax)),
    checked('cpu', cpuCheck(figures, limits.cpuMax)),
    checked('event_loop', eventLoopCheck(figures, limits.eventLoopMaxMs)),
  ];
}

function diskCheck({ disk }: SystemFigures, max: number): HealthCheck['check'] {
  let high = false;
  return async () => {
    const startMs = performance.now();
    const { totalBytes, freeBytes, usedShare } = await disk();
    const latencyMs = performance.now() - startMs;
    high = isShareHigh(high, usedShare, max);
    const details = { used_share: usedShare, used_share_max: max, free_bytes: freeBytes, total_bytes: totalBytes };
    const said = `the disk of the data folder is ${percent(usedShare)} full`;
    return { ...judged(high, said, max), latencyMs, details };
  };
}

function memoryCheck({ memory }: SystemFigures, max: number): HealthCheck['check'] {
  let high = false;
  return () => {
    const { residentBytes, limitBytes, limitedBy } = memory();
    const share = residentBytes / limitBytes;
    high = isShareHigh(high, share, max);
    const details = {
      used_share: share,
      used_share_max: max,
      rss_bytes: residentBytes,
      limit_bytes: limitBytes,
      limited_by: limitedBy,
    };
    const whole = limitedBy === 'cgroup' ? 'what its control group allows' : 'the memory of the machine';
    return { ...judged(high, `the process has ${percent(share)} of ${whole}`, max), latencyMs: null, details };
  };
}

function cpuCheck({ cpu }: SystemFigures, max: number): HealthCheck['check'] {
  let high = false;
  return () => {
    const { share, processShare, cores, windowMs } = cpu();
    if (share === null) return { status: 'healthy', message: 'the use of CPU has not been measured yet', latencyMs: null };
    high = isShareHigh(high, share, max);
    const details = { used_share: share, used_share_max: max, process_share: processShare, cores, window_ms: windowMs };
    const said = `${percent(share)} of ${cores} cores were used in the last ${Math.round(windowMs / 1_000)} s`;
    return { ...judged(high, said, max), latencyMs: null, details };
  };
}

function eventLoopCheck({ eventLoopDelayMs }: SystemFigures, maxMs: number): HealthCheck['check'] {
  let high = false;
  return () => {
    const p99Ms = eventLoopDelayMs();
    high = isHigh(high, p99Ms, maxMs);
    const said = `the event loop was ${p99Ms.toFixed(1)} ms late (p99)`;
    return {
      status: high ? 'degraded' : 'healthy',
      message: high ? `${said}, more than ${maxMs} ms` : said,
      latencyMs: p99Ms,
      details: { p99_ms: p99Ms, p99_ms_max: maxMs },
    };
  };
}

function judged(high: boolean, said: string, max: number): Pick<HealthFinding, 'status' | 'message'> {
  return high ? { status: 'degraded', message: `${said}; the limit is ${percent(max)}` } : { status: 'healthy', message: said };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
