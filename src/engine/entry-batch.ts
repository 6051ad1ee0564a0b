/** What goes into the log of a replica, and what comes back: a stretch of its master's log, why it was not applied, what was traced in it.
 *  Plain data only. */

/** One stretch of the log as it came from a master. */
export interface EntryBatch {
  readonly firstSeq: number;
  /** Encoded entries, in order, dense in seq. Buffers of more than 64 KiB are given away: they must hold nothing else of use. A unit may
   *  go on in the next batch. */
  readonly entries: readonly Uint8Array[];
  /** Chain hash after the last of them, 32 bytes. */
  readonly chainHash: Uint8Array;
}

/** Why a batch was not applied; nothing of its group is kept.
 *    gap     not the next seq                     epoch   older than the state's
 *    chain   another past                         digest  other data than the master has
 *    effect  impossible here                      format  unreadable */
export interface ApplyFailure {
  readonly reason: 'gap' | 'epoch' | 'chain' | 'digest' | 'effect' | 'format';
  readonly seq: number;
  readonly message: string;
}

/** An entry that was applied here and carried the trace context of its request (W3C traceparent). */
export interface TracedEntry {
  readonly seq: number;
  readonly trace: string;
  /** How long the group that it was in took, from its begin to its end on disk. */
  readonly tookMs: number;
}
