/** Numbers as sentences for people have them. */

/** 1234567 → 1,234,567, the same on every machine. */
export function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 point`, `2,000 points`. */
export function counted(count: number, word: string): string {
  return `${grouped(count)} ${word}${count === 1 ? '' : 's'}`;
}

/** How many a second, rounded; 0 when no time has passed. */
export function rateOf(count: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : Math.round((count * 1_000) / elapsedMs);
}
