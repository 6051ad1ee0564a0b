/** Writes a float32 as the shortest decimal text that reads back to the same float32; −0 as 0. writeFloat makes no string.
 *
 *  For 1 to 9 digits: the value is scaled by a power of ten, rounded to an integer, and scaled back; the first digits whose float32 is
 *  the value itself are taken. Six digits always restore a decimal that had at most six (so trailing zeros are cut and the text is the
 *  shortest), and nine restore every float32. Both scalings are exact enough in float64 as long as the power is below 10^22; outside
 *  of that, toPrecision does the same at ten times the cost. */

const DIGITS_FEW = 6;
const DIGITS_MOST = 9;
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Between these sizes text has no exponent. */
const PLAIN_FROM = 1e-6;
const PLAIN_BELOW = 1e21;
/** Integers below this are float32 as they stand and print as they are. */
const INTEGER_BELOW = 2 ** 24;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

/** The longest text: a sign, `0.00000` and nine digits, or digits with an exponent. */
export const FLOAT_TEXT_BYTES_MAX = 24;

const SCRATCH = Buffer.alloc(FLOAT_TEXT_BYTES_MAX);

/** @param target has FLOAT_TEXT_BYTES_MAX bytes from `at` on  @param value a finite float32  @returns where the text ends */
export function writeFloat(target: Uint8Array, at: number, value: number): number {
  if (value === 0) {
    target[at] = ZERO;
    return at + 1;
  }
  let size = value;
  if (value < 0) {
    target[at++] = MINUS;
    size = -value;
  }
  if (size < INTEGER_BELOW && size === Math.floor(size)) return writeInteger(target, at, size, 0);
  if (size < PLAIN_FROM || size >= PLAIN_BELOW) return writeText(target, at, textOf(size));
  // size = digits · 10^−scale with digits of DIGITS_FEW places.
  let scale = DIGITS_FEW - 1 - decimalExponent(size);
  for (let places = DIGITS_FEW; places <= DIGITS_MOST; places++, scale++) {
    if (scale > 22 || scale < 0) break;
    const power = POWERS[scale] as number;
    let digits = Math.round(size * power);
    if (Math.fround(digits / power) !== size) continue;
    let fraction = scale;
    while (fraction > 0 && digits % 10 === 0) {
      digits /= 10;
      fraction--;
    }
    return writeInteger(target, at, digits, fraction);
  }
  return writeText(target, at, textOf(size));
}

/** The same as a text. @param value a finite float32 */
export function floatText(value: number): string {
  return SCRATCH.toString('latin1', 0, writeFloat(SCRATCH, 0, value));
}

function decimalExponent(size: number): number {
  let exponent = 0;
  if (size >= 1) {
    while (exponent < 22 && size >= (POWERS[exponent + 1] as number)) exponent++;
  } else {
    while (size * (POWERS[-exponent] as number) < 1) exponent--;
  }
  return exponent;
}

/** Digits of an integer below 2^53, the last `fraction` of them behind a point. */
function writeInteger(target: Uint8Array, at: number, integer: number, fraction: number): number {
  let length = 1;
  while (length < 16 && integer >= (POWERS[length] as number)) length++;
  const digits = fraction >= length ? fraction + 1 : length;
  const end = at + digits + (fraction > 0 ? 1 : 0);
  let left = integer;
  for (let i = end - 1, place = 0; i >= at; i--, place++) {
    if (fraction > 0 && place === fraction) {
      target[i] = POINT;
      i--;
    }
    const tenth = Math.floor(left / 10);
    target[i] = ZERO + (left - tenth * 10);
    left = tenth;
  }
  return end;
}

function textOf(size: number): string {
  for (let places = 1; places < DIGITS_MOST; places++) {
    const text = size.toPrecision(places);
    if (Math.fround(Number(text)) === size) return String(Number(text));
  }
  return String(Number(size.toPrecision(DIGITS_MOST)));
}

function writeText(target: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
  return at + text.length;
}
