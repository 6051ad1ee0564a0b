/** A score that must be beaten, not met, for an engine that lets its bound pass: the next number beyond it. Pure. */

const bits = new DataView(new ArrayBuffer(8));

/** @param bound finite  @returns the nearest double that is better; Infinity when there is none */
export function beyond(bound: number, lowerIsBetter: boolean): number {
  if (bound === 0) return lowerIsBetter ? -Number.MIN_VALUE : Number.MIN_VALUE;
  bits.setFloat64(0, bound);
  // Doubles of one sign stand in the order of their bits, away from zero.
  const isAway = bound > 0 !== lowerIsBetter;
  bits.setBigInt64(0, bits.getBigInt64(0) + (isAway ? 1n : -1n));
  return bits.getFloat64(0);
}
