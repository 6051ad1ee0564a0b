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

/** 1234567 → 1.2 MiB; sizes in a table are for the eye. */
export function roughBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = '';
  for (const next of units) {
    if (value < 1_024) break;
    value /= 1_024;
    unit = next;
  }
  return unit === '' ? `${bytes} B` : `${value.toFixed(1)} ${unit}`;
}

/** 1234 → 1.2 s. */
export function roughMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${grouped(Math.round(ms / 60_000))} min`;
}
