/** What a replica says of its own lag, held against what can be known from outside.
 *
 *  lag_ms is the age of the oldest write that the replica has not in its store and its index. The master had a write durably between its
 *  sending and its acknowledgement; the index had it before a search for it was answered, and not yet when such a search still waited.
 *  So at any moment there is an age at least and an age at most, and what is said must lie between them. */

import { Latencies, type LatencySummary } from './latencies.js';
import type { Acknowledgement } from './write-stream.js';

/** One time the replica was asked. */
export interface Look {
  /** When the answer was here. */
  readonly atMs: number;
  /** Of its store. */
  readonly seq: number;
  readonly toldMs: number | null;
}

/** A search that waited for the index to have a write. */
export interface FreshSearch {
  readonly write: Acknowledgement;
  readonly sentMs: number;
  readonly answeredMs: number;
}

export interface ToldLag {
  readonly atLeast: LatencySummary;
  readonly told: LatencySummary;
  readonly atMost: LatencySummary;
  /** Shares of the looks at which what was told lay outside by more than TOLERANCE_MS, and at which the replica did not know. */
  readonly tooLow: number;
  readonly tooHigh: number;
  readonly unknown: number;
}

/** Searches are sent every 20 ms and take their time. */
const TOLERANCE_MS = 30;

/** @param writes by seq @param looks those while writes were under way, by time */
export function toldLag(writes: readonly Acknowledgement[], looks: readonly Look[], searches: readonly FreshSearch[]): ToldLag {
  const [atLeast, told, atMost] = [new Latencies(), new Latencies(), new Latencies()];
  let [tooLow, tooHigh, unknown] = [0, 0, 0];
  for (const { atMs, toldMs } of looks) {
    if (toldMs === null) {
      unknown += 1;
      continue;
    }
    const least = ageAtLeast(searches, atMs);
    const most = ageAtMost(writes, searches, atMs);
    atLeast.add(least);
    told.add(toldMs);
    atMost.add(most);
    if (toldMs < least - TOLERANCE_MS) tooLow += 1;
    if (toldMs > most + TOLERANCE_MS) tooHigh += 1;
  }
  const share = (count: number): number => (looks.length === 0 ? 0 : count / looks.length);
  return {
    atLeast: atLeast.summary(),
    told: told.summary(),
    atMost: atMost.summary(),
    tooLow: share(tooLow),
    tooHigh: share(tooHigh),
    unknown: share(unknown),
  };
}

/** Since the acknowledgement of the oldest write for which a search waits. */
function ageAtLeast(searches: readonly FreshSearch[], atMs: number): number {
  const waiting = searches.filter(({ sentMs, answeredMs }) => sentMs <= atMs && answeredMs > atMs + TOLERANCE_MS);
  return Math.max(0, ...waiting.map(({ write }) => atMs - write.atMs));
}

/** Since the sending of the first write behind the newest that a search has found. */
function ageAtMost(writes: readonly Acknowledgement[], searches: readonly FreshSearch[], atMs: number): number {
  const found = Math.max(0, ...searches.filter(({ answeredMs }) => answeredMs <= atMs).map(({ write }) => write.seq));
  const missing = writes[firstAfter(writes, found)];
  return missing === undefined ? 0 : Math.max(0, atMs - missing.sentMs);
}

/** By halving. */
function firstAfter(writes: readonly Acknowledgement[], seq: number): number {
  let [low, high] = [0, writes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((writes[middle] as Acknowledgement).seq > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
