/** What the parts of an engine answer when their health is asked for: plain data. Must not know: how they are asked, what it means. */

import type { EngineKind } from './index-messages.js';

export interface IndexProbe {
  /** Threads that serve an index, so that they were asked, and how many of those answered. */
  readonly asked: number;
  readonly answered: number;
  /** Refused because too many searches wait, or the engine is being closed: they live. */
  readonly busy: number;
  /** Points, or documents, in all indexes that serve. */
  readonly points: number;
  /** Of the slowest answer, in milliseconds; null when there was none. */
  readonly latencyMs: number | null;
  /** Type of the first error of those that did not answer, or null. */
  readonly failure: string | null;
}

export interface StoreProbe {
  readonly seq: number;
  /** The newest entry of the log is the one that the state says. */
  readonly whole: boolean;
  readonly latencyMs: number;
}

export interface DigestProbe {
  readonly seq: number;
  /** State digest, 32 hex digits. */
  readonly digest: string;
  readonly collections: number;
  /** The state digest is the sum of its parts. */
  readonly whole: boolean;
  /** The digest of one collection is the sum of its buckets; null when there is no collection. */
  readonly bucketsWhole: boolean | null;
}

export interface EngineProbes {
  /** Searches one index of each thread of this kind. Never rejects for what an index does.
   *  @param timeoutMs how long an answer is waited for */
  index(engine: EngineKind, timeoutMs: number): Promise<IndexProbe>;
  /** Reads the state and the end of the log on the main thread. Cost: some 20 µs. @throws CorruptData, StorageFailure */
  store(): StoreProbe;
  /** Adds up the digest tree: of all collections the heads, of one the buckets. Cost: about a millisecond; with many collections in the
   *  scan thread. @throws CorruptData · Timeout, Overloaded (the scan thread is busy) */
  digest(timeoutMs: number): Promise<DigestProbe>;
}
