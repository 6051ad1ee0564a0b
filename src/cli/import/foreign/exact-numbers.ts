/** Integers that JSON text holds and a number cannot: 9007199254740993 reads as 9007199254740992. They are found before they become
 *  something else. Pure. */

const LONG_INTEGERS = /[:[,]\s*(-?\d{16,})(?=\s*[,\]}])/g;

/** What the integers that lose digits are read as; usually none. */
export function roundedIntegers(json: string): ReadonlySet<number> {
  const rounded = new Set<number>();
  for (const [, digits] of json.matchAll(LONG_INTEGERS)) {
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) rounded.add(value);
  }
  return rounded;
}

/** The first number of a JSON value that was rounded; null: there is none. */
export function roundedNumberIn(value: unknown, rounded: ReadonlySet<number>): number | null {
  if (rounded.size === 0) return null;
  if (typeof value === 'number') return rounded.has(value) ? value : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const part of Object.values(value)) {
    const found = roundedNumberIn(part, rounded);
    if (found !== null) return found;
  }
  return null;
}
