/** Measures of the machine under the process: processors and memory. Read when they are printed, at no cost in between but the
 *  watch over garbage collection. What the system does not tell has no series. Must not know: the engine, thresholds. */

import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import type { Meter } from '../model/meter.js';
import { grown } from './grown-counter.js';
import { kept } from './kept-series.js';

const MODES = ['user', 'nice', 'sys', 'idle', 'irq'] as const;
const COLLECTIONS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak_callbacks',
};

/** @returns how to stop measuring */
export function measureSystem(meter: Meter): () => void {
  const gauge = (name: string, help: string) => meter.gauge({ name, help }).series();
  const memory = meter.gauge({ name: 'system_memory_bytes', help: 'Memory of the machine by kind.', labels: ['kind'] });
  const total = memory.series({ kind: 'total' });
  const available = memory.series({ kind: 'available' });
  const limit = gauge('process_memory_limit_bytes', 'Memory that the container allows; none: no limit is known.');
  const processors = gauge('system_cpus', 'Processors that the process may use.');
  const load = gauge('system_load1', 'Load of the machine, mean of the last minute.');
  const seconds = meter.counter({
    name: 'system_cpu_seconds_total',
    help: 'Time of all processors of the machine, by mode.',
    labels: ['mode'],
  });
  const modes = MODES.map((mode) => ({ mode, grow: rising(grown(seconds.series({ mode }))) }));
  meter.beforePrinting(() => {
    total.set(totalmem());
    available.set(freemem());
    limit.set(memoryLimit());
    processors.set(availableParallelism());
    load.set(loadavg()[0] ?? null);
    const times = cpus().map((cpu) => cpu.times);
    for (const { mode, grow } of modes) grow(times.reduce((sum, time) => sum + time[mode], 0) / 1_000);
  });
  return measureGarbage(meter);
}

/** Linux takes some of the idle time back now and then, and all of a processor that is taken away. */
function rising(tell: (total: number) => void): (total: number) => void {
  let highest = 0;
  return (total) => {
    highest = Math.max(highest, total);
    tell(highest);
  };
}

function measureGarbage(meter: Meter): () => void {
  const collected = meter.counter({
    name: 'process_gc_seconds_total',
    help: 'Time of garbage collection on the main thread, by kind.',
    labels: ['kind'],
  });
  const series = kept((kind: string) => collected.series({ kind }));
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as typeof entry & { readonly detail: { readonly kind: number } };
      const { kind } = detail;
      series(COLLECTIONS[kind] ?? 'other').add(duration / 1_000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => observer.disconnect();
}

/** Null where there is none: then it is 0, or more than any machine has. */
function memoryLimit(): number | null {
  const limit = process.constrainedMemory();
  return limit === undefined || limit === 0 || limit > totalmem() ? null : limit;
}
