/** Where bytes stop being UTF-8: a search for the message of a refusal, never on the way of good bodies. */

import { isUtf8 } from 'node:buffer';

/** The offset of the first byte that breaks UTF-8. Cost: linear, for a body that is refused anyway. */
export function firstBadByte(bytes: Buffer): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startsWell(bytes, middle + 1)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Are the first `length` bytes UTF-8, a character cut off at the end aside? */
function startsWell(bytes: Buffer, length: number): boolean {
  for (let cut = 0; cut < 4 && cut <= length; cut++) {
    const end = length - cut;
    if (isUtf8(bytes.subarray(0, end))) {
      return cut === 0 || cut < characterLength(bytes[end] as number);
    }
  }
  return false;
}

function characterLength(first: number): number {
  return first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? (first < 0xf0 ? 3 : 0) : first >= 0xc2 ? 2 : 0;
}
