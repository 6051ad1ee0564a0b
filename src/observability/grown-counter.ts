/** Counters whose owner keeps the total: they are told how far it has come. */

import type { CounterSeries, Meter } from '../model/meter.js';

/** @returns takes the total; one that is smaller than before changes nothing */
export function grownCounter(meter: Meter, name: string, help: string): (total: number) => void {
  return grown(meter.counter({ name, help }).series());
}

/** The same for one series of a counter with labels; it is printed from the start. */
export function grown(series: CounterSeries): (total: number) => void {
  series.add(0);
  let before = 0;
  return (total) => {
    if (total > before) series.add(total - before);
    before = Math.max(before, total);
  };
}
