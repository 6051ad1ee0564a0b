/** Measures of the process itself: memory, CPU, event-loop delay, uptime, open handles. Read when they are printed, at no other cost but
 *  the event-loop histogram's timer (every 10 ms). Delay is beyond that period, so an idle loop shows about 0. */

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter } from '../model/meter.js';

const RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;

/** @returns how to stop measuring */
export function measureProcess(meter: Meter): () => void {
  const gauge = (name: string, help: string) => meter.gauge({ name, help }).series();
  const memory = meter.gauge({ name: 'process_memory_bytes', help: 'Memory of the process by kind.', labels: ['kind'] });
  const resident = memory.series({ kind: 'rss' });
  const heap = memory.series({ kind: 'heap_used' });
  const external = memory.series({ kind: 'external' });
  const buffers = memory.series({ kind: 'array_buffers' });
  const cpu = gauge('process_cpu_seconds', 'CPU time of all threads since the start.');
  const started = gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.');
  started.set(Math.round(performance.timeOrigin) / 1_000);
  const uptime = gauge('process_uptime_seconds', 'Seconds since the process started.');
  const handles = gauge('process_active_resources', 'Timers, sockets and other resources that keep the loop alive.');
  const delay = meter.gauge({
    name: 'event_loop_delay_seconds',
    help: 'How late the main event loop ran since the last reading, by quantile.',
    labels: ['quantile'],
  });
  const quantiles = ['0.5', '0.99', '1'].map((quantile) => ({ quantile: Number(quantile), series: delay.series({ quantile }) }));
  const histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  meter.beforePrinting(() => {
    const { rss, heapUsed, external: outside, arrayBuffers } = process.memoryUsage();
    resident.set(rss);
    heap.set(heapUsed);
    external.set(outside);
    buffers.set(arrayBuffers);
    const { user, system } = process.cpuUsage();
    cpu.set((user + system) / 1e6);
    uptime.set(process.uptime());
    handles.set(process.getActiveResourcesInfo().length);
    for (const { quantile, series } of quantiles) {
      const nanoseconds = histogram.count === 0 ? 0 : quantile === 1 ? histogram.max : histogram.percentile(quantile * 100);
      series.set(Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000));
    }
    histogram.reset();
  });
  return () => histogram.disable();
}
