/** Counters whose owner keeps the total: they are told how far it has come.
 *
 *  A total that is smaller than before is of a new owner that began at 0 (the store was exchanged), and counts as a whole. What the old one
 *  counted after it was asked last is not known. */

import type { CounterSeries, Meter } from '../model/meter.js';

/** @returns takes the total */
export function grownCounter(meter: Meter, name: string, help: string): (total: number) => void {
  return grown(meter.counter({ name, help }).series());
}

/** The same for one series of a counter with labels; it is printed from the start. */
export function grown(series: CounterSeries): (total: number) => void {
  series.add(0);
  let before = 0;
  return (total) => {
    series.add(total < before ? total : total - before);
    before = total;
  };
}
