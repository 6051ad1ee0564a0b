/** Figures of the machine, as the control group of the process bounds it: disk, memory, CPU over a window, delay of the event loop.
 *
 *  CPU: with a quota, the time of the process against it; else the time of all cores of the machine. Memory: the resident size of the
 *  process against the limit of its group, or the machine's memory. Must not know: what is too much. */

import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../model/clock.js';
import { cgroupLimits } from '../resilience/cgroup.js';

export interface SystemFigures {
  disk(): Promise<{ readonly totalBytes: number; readonly freeBytes: number; readonly usedShare: number }>;
  memory(): { readonly residentBytes: number; readonly limitBytes: number; readonly limitedBy: 'cgroup' | 'machine' };
  /** Of about the window that was asked for; share is null until it has passed once: a start takes all cores for some seconds. */
  cpu(): {
    readonly share: number | null;
    /** The process alone, of the same whole. */
    readonly processShare: number;
    readonly cores: number;
    readonly windowMs: number;
  };
  /** p99 of the last 10 to 20 seconds. */
  eventLoopDelayMs(): number;
  stop(): void;
}

interface CpuSample {
  readonly atMs: number;
  /** CPU time of the process, of all threads, in milliseconds. */
  readonly processMs: number;
  /** Of the machine, over all cores, in milliseconds. */
  readonly busyMs: number;
  readonly allMs: number;
}

/** Two samples nearer than this say little. */
const SAMPLES_APART_MS = 1_000;
const SAMPLES_MAX = 3_600;
const LOOP_RESOLUTION_MS = 20;
const LOOP_WINDOW_MS = 10_000;
const NANOSECONDS_PER_MS = 1e6;

export function systemFigures(dataDir: string, cpuWindowMs: number, clock: Clock): SystemFigures {
  const limits = cgroupLimits();
  const loop = new LoopDelay(clock);
  const cpu = new CpuUse(limits.cores, cpuWindowMs, clock);
  const total = totalmem();
  return {
    disk: async () => {
      const { blocks, bfree, bavail, bsize } = await statfs(dataDir);
      // As `df` counts: what is kept for root is neither used nor free.
      const used = blocks - bfree;
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize, usedShare: used / Math.max(1, used + bavail) };
    },
    memory: () => {
      const residentBytes = process.memoryUsage.rss();
      const { memoryBytes } = limits;
      return memoryBytes === null || memoryBytes > total
        ? { residentBytes, limitBytes: total, limitedBy: 'machine' }
        : { residentBytes, limitBytes: memoryBytes, limitedBy: 'cgroup' };
    },
    cpu: () => cpu.look(),
    eventLoopDelayMs: () => loop.p99Ms(),
    stop: () => loop.stop(),
  };
}

class CpuUse {
  readonly #quota: number | null;
  readonly #cores: number;
  readonly #windowMs: number;
  readonly #clock: Clock;
  #samples: CpuSample[];

  constructor(quota: number | null, windowMs: number, clock: Clock) {
    this.#quota = quota;
    this.#cores = quota ?? availableParallelism();
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#samples = [this.#sample()];
  }

  #sample(): CpuSample {
    const { user, system } = process.cpuUsage();
    let busyMs = 0;
    let allMs = 0;
    for (const { times } of cpus()) {
      const busy = times.user + times.nice + times.sys + times.irq;
      busyMs += busy;
      allMs += busy + times.idle;
    }
    return { atMs: this.#clock.monotonicMs(), processMs: (user + system) / 1_000, busyMs, allMs };
  }

  look(): ReturnType<SystemFigures['cpu']> {
    const now = this.#sample();
    const newest = this.#samples.at(-1);
    if (newest === undefined || now.atMs - newest.atMs >= SAMPLES_APART_MS) this.#samples.push(now);
    // One that is older than the window stays, so that there is always a whole window to look at.
    while (this.#samples.length > SAMPLES_MAX || (this.#samples[1]?.atMs ?? now.atMs) <= now.atMs - this.#windowMs)
      this.#samples.shift();
    const oldest = this.#samples[0];
    const windowMs = oldest === undefined ? 0 : now.atMs - oldest.atMs;
    const cores = this.#cores;
    if (oldest === undefined || windowMs < this.#windowMs) return { share: null, processShare: 0, cores, windowMs };
    const processShare = (now.processMs - oldest.processMs) / (windowMs * cores);
    const share = this.#quota === null ? (now.busyMs - oldest.busyMs) / Math.max(1, now.allMs - oldest.allMs) : processShare;
    return { share, processShare, cores, windowMs };
  }
}

/** The delay beyond the period of the timer that measures it; the window that ended last counts until the next has ended. */
class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #clock: Clock;
  #startedMs: number;
  #beforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#histogram.enable();
  }

  p99Ms(): number {
    const currentMs =
      this.#histogram.count === 0 ? 0 : Math.max(0, this.#histogram.percentile(99) / NANOSECONDS_PER_MS - LOOP_RESOLUTION_MS);
    const p99Ms = Math.max(this.#beforeMs, currentMs);
    if (this.#clock.monotonicMs() - this.#startedMs >= LOOP_WINDOW_MS) {
      this.#beforeMs = currentMs;
      this.#startedMs = this.#clock.monotonicMs();
      this.#histogram.reset();
    }
    return p99Ms;
  }

  stop(): void {
    this.#histogram.disable();
  }
}
