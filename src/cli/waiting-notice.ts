/** A word to who waits at the terminal: some answers take long, of a large backup as of a place that is out of reach, and silence looks like neither.
 *
 *  Said once, to where errors go, so that the output stays for programs. Must not know: what is waited for. */

import { print, type TextStream } from './surroundings.js';

/** So long nobody wonders. */
const QUIET_MS = 5_000;

/** Waits for `work`, and says so when that takes long. @param what as in "waiting for …" @param quietMs by default five seconds */
export async function sayingThatItWaits<T>(what: string, errors: TextStream, work: Promise<T>, quietMs = QUIET_MS): Promise<T> {
  const timer = setTimeout(() => print(errors, `skein: waiting for ${what}`), quietMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
