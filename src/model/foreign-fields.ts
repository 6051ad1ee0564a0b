/** Reading fields of JSON that came from elsewhere (a network, a backup): each is what it must be, or is named as what it is not.
 *  Pure. Must not know: what the fields are for. */

const SHOWN_LENGTH_MAX = 40;

/** @throws RangeError */
export function fieldsOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RangeError(`${name} is not an object`);
  return value as Record<string, unknown>;
}

/** @throws RangeError */
export function hexOf(value: unknown, name: string, digits: number): string {
  if (typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)) return value;
  throw new RangeError(`${name} is not ${digits} lower-case hex digits`);
}

/** @throws RangeError */
export function countOf(value: unknown, name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  const wanted = least === most ? String(least) : `a whole number from ${least} to ${most}`;
  throw new RangeError(`${name} is ${String(value).slice(0, SHOWN_LENGTH_MAX)}, not ${wanted}`);
}

/** @throws RangeError */
export function listOf(value: unknown, name: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw new RangeError(`${name} is not a list of up to ${most}`);
  return value as unknown[];
}
