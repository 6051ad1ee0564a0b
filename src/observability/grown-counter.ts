/** Counters whose owner keeps the total: they are told how far it has come. */

import type { Meter } from '../model/meter.js';

/** @returns takes the total; one that is smaller than before changes nothing */
export function grownCounter(meter: Meter, name: string, help: string): (total: number) => void {
  const series = meter.counter({ name, help }).series();
  let before = 0;
  return (total) => {
    if (total > before) series.add(total - before);
    before = Math.max(before, total);
  };
}
