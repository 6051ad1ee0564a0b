/** What a replica knows of its master's tail, and so how far behind its own answers may be, by its own clock.
 *
 *    lag = now − when the oldest thing was heard of that is not applied here, plus the age of the sender's own data; without contact, at
 *    least since the last word.  Null: not known.
 *  A node that has what its master has not says nothing of how old it is, until its data is the master's again: unknown.
 *  A link that comes back brings word of what happened meanwhile: that is as old as the last contact, never as young as the news of it.
 *  Must not know: sockets, what a frame is. Specified in docs/REPLICATION.md. */

import { CommitTimes } from './commit-times.js';

/** How a link stands when lag is asked for. */
export interface Contact {
  readonly nowMs: number;
  readonly appliedSeq: number;
  readonly linked: boolean;
  readonly heardMs: number;
  readonly heartbeatMs: number;
}

/** How a link begins. */
export interface LinkBeginning {
  readonly lastSeq: number;
  readonly epoch: number;
  readonly parted: boolean;
  readonly nowMs: number;
}

export class MasterTail {
  readonly #times = new CommitTimes(0);
  #knownSeq: number | null = null;
  /** Of the newest mastership that was followed. */
  #epoch = 0;
  /** Below this nothing is known of when it was written. */
  #unknownBelow = 0;
  /** The last word of the link before, or of this one. */
  #contactMs: number | null = null;
  /** How old the sender's data was by its last heartbeat; null: it did not know, or has not said. */
  #senderLagMs: number | null = null;
  /** This node has another line of data than the master. */
  #parted = false;

  /** The last seq that the master is known to have; null before the first word of it, and while this node has another line of data. */
  get knownSeq(): number | null {
    return this.#parted ? null : this.#knownSeq;
  }

  /** A link begins, and says how far the master is. What an older mastership had and this one has not will never come.
   *  @param parted this node has entries that the sender has not */
  linked({ lastSeq, epoch, parted, nowMs }: LinkBeginning): void {
    this.#parted = parted;
    // It says so with its first heartbeat, a master too: it may have been left behind.
    this.#senderLagMs = null;
    if (epoch > this.#epoch && this.#knownSeq !== null && lastSeq < this.#knownSeq) {
      this.#times.cut(lastSeq);
      this.#knownSeq = lastSeq;
    }
    this.#epoch = Math.max(this.#epoch, epoch);
    if (this.#contactMs === null) this.#unknownBelow = lastSeq;
    this.#heard(lastSeq, 0, this.#contactMs ?? nowMs);
    this.#contactMs = nowMs;
  }

  /** Entries came. */
  entries(lastSeq: number, bytes: number, nowMs: number): void {
    this.#heard(lastSeq, bytes, nowMs);
    this.#contactMs = nowMs;
  }

  heartbeat(lastSeq: number, senderLagMs: number | null, nowMs: number): void {
    this.#heard(lastSeq, 0, nowMs);
    this.#senderLagMs = senderLagMs;
    this.#contactMs = nowMs;
  }

  #heard(seq: number, bytes: number, atMs: number): void {
    if (this.#knownSeq === null || seq > this.#knownSeq || bytes > 0) this.#times.note(seq, bytes, atMs);
    this.#knownSeq = Math.max(this.#knownSeq ?? 0, seq);
  }

  lagMs({ nowMs, appliedSeq, linked, heardMs, heartbeatMs }: Contact): number | null {
    if (this.knownSeq === null || this.#contactMs === null || appliedSeq < this.#unknownBelow || this.#senderLagMs === null)
      return null;
    const since = this.#times.firstAfter(appliedSeq);
    const behindMs = since === null ? 0 : nowMs - since;
    const silentMs = nowMs - Math.max(this.#contactMs, linked ? heardMs : 0);
    const silent = !linked || silentMs > 2 * heartbeatMs;
    return Math.round((silent ? Math.max(behindMs, silentMs) : behindMs) + this.#senderLagMs);
  }

  lagOperations(appliedSeq: number): number | null {
    return this.knownSeq === null ? null : Math.max(0, this.knownSeq - appliedSeq);
  }

  /** Bytes that came and are not applied; null while more is known of than has come. */
  lagBytes(appliedSeq: number, receivedSeq: number): number | null {
    if (this.knownSeq === null || receivedSeq < this.knownSeq) return null;
    return this.#times.bytesAfter(appliedSeq);
  }
}
