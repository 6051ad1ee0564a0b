/** What came from a master and is not applied yet: batches in their order, checked before anything of them is applied, cut into groups
 *  of whole units.
 *
 *  Invariant: what group() gives continues the state without a gap, in one line of epochs, with a chain hash that equals the master's at
 *  the end of every batch it was taken from. Entries the state has already are passed over: the chain hash proves that they are the same.
 *  Must not know: transactions, threads, what an effect does. */

import { chainHash } from '../codec/digest.js';
import { decodeEntry } from '../codec/entry.js';
import type { Entry } from '../model/entry.js';
import { messageOf } from '../model/errors.js';
import type { StoreState } from '../storage/storage.js';
import type { ApplyFailure, EntryBatch } from './engine.js';

/** A batch that cannot be applied. */
export class ApplyRefused extends Error {
  override readonly name = 'ApplyRefused';
  readonly failure: ApplyFailure;

  constructor(reason: ApplyFailure['reason'], seq: number, message: string) {
    super(message);
    this.failure = { reason, seq, message };
  }
}

/** An entry as it came, what it says, and the chain hash after it. */
export interface CheckedEntry {
  readonly entry: Entry;
  readonly bytes: Uint8Array;
  readonly chainHash: Uint8Array;
}

interface Cursor {
  seq: number;
  epoch: number;
  hash: Uint8Array;
  /** First seq of the unit that is open, or null between units. */
  openUnit: number | null;
}

/** What an entry costs beside its bytes while it waits. */
const ENTRY_BYTES = 256;
/** About so much is applied in one transaction. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** A unit is held in memory until its end has come; no master writes one of this size. */
const UNIT_BYTES_MAX = 512 * 1024 * 1024;

export class EntryIntake {
  #session = 0;
  #failed = false;
  #batches: EntryBatch[] = [];
  #batchBytes = 0;
  #cursor: Cursor | null = null;
  #ready: CheckedEntry[] = [];
  #readyBytes = 0;
  /** How many of #ready are whole units, and their bytes. */
  #whole = 0;
  #wholeBytes = 0;

  /** What is left is dropped; from now on batches of this session are taken. */
  begin(session: number): void {
    this.#session = session;
    this.#failed = false;
    this.#drop();
  }

  /** What is left is dropped, and so is the rest of the session. @returns the session */
  fail(): { readonly session: number } {
    this.#failed = true;
    this.#drop();
    return { session: this.#session };
  }

  /** Passes over a batch of another session, and of one that has failed. */
  take(session: number, batch: EntryBatch): void {
    if (session !== this.#session || this.#failed) return;
    this.#batches.push(batch);
    this.#batchBytes += batchBytes(batch);
  }

  /** Bytes of memory that others must leave free: none while the end of a unit is waited for, so that it can come. */
  get heldBytes(): number {
    return this.hasWork ? this.#batchBytes + this.#readyBytes : 0;
  }

  /** There is a batch to be looked at or a whole unit to be applied. */
  get hasWork(): boolean {
    return this.#batches.length > 0 || this.#whole > 0;
  }

  /** The next whole units, about 8 MiB, the same until done() is called. @throws ApplyRefused */
  group(state: Readonly<StoreState>): readonly CheckedEntry[] {
    this.#cursor ??= { seq: state.seq, epoch: state.epoch, hash: state.chainHash, openUnit: null };
    while (this.#wholeBytes < GROUP_BYTES) {
      const batch = this.#batches.shift();
      if (batch === undefined) break;
      this.#batchBytes -= batchBytes(batch);
      this.#check(batch, this.#cursor);
    }
    return this.#ready.slice(0, this.#whole);
  }

  /** The group is durable. */
  done(): void {
    this.#ready.splice(0, this.#whole);
    this.#readyBytes -= this.#wholeBytes;
    this.#whole = 0;
    this.#wholeBytes = 0;
  }

  #drop(): void {
    this.#batches = [];
    this.#batchBytes = 0;
    this.#cursor = null;
    this.#ready = [];
    this.#readyBytes = 0;
    this.#whole = 0;
    this.#wholeBytes = 0;
  }

  #check(batch: EntryBatch, cursor: Cursor): void {
    let seq = batch.firstSeq;
    for (const bytes of batch.entries) {
      if (seq > cursor.seq + 1) throw new ApplyRefused('gap', seq, `seq ${seq} came where ${cursor.seq + 1} is next`);
      if (seq > cursor.seq) this.#push(checkEntry(bytes, seq, cursor));
      seq += 1;
    }
    if (seq !== cursor.seq + 1 || Buffer.compare(cursor.hash, batch.chainHash) === 0) return;
    throw new ApplyRefused('chain', cursor.seq, `the chain hash at seq ${cursor.seq} is another than the master's`);
  }

  #push(checked: CheckedEntry): void {
    this.#ready.push(checked);
    this.#readyBytes += checked.bytes.length + ENTRY_BYTES;
    if (checked.entry.last) {
      this.#whole = this.#ready.length;
      this.#wholeBytes = this.#readyBytes;
    } else if (this.#readyBytes - this.#wholeBytes > UNIT_BYTES_MAX) {
      throw new ApplyRefused('format', checked.entry.seq, `the unit of seq ${checked.entry.firstSeq} has no end`);
    }
  }
}

/** How much memory a batch is counted for while it waits. */
export function batchBytes({ entries }: EntryBatch): number {
  return entries.reduce((sum, { length }) => sum + length + ENTRY_BYTES, 0);
}

/** Moves the cursor behind the entry. @throws ApplyRefused */
function checkEntry(bytes: Uint8Array, seq: number, cursor: Cursor): CheckedEntry {
  const entry = decoded(bytes, seq);
  const refuse = (reason: ApplyFailure['reason'], what: string): never => {
    throw new ApplyRefused(reason, seq, `entry ${seq} ${what}`);
  };
  const begins = entry.effect.kind === 'begin_history';
  if (entry.seq !== seq) refuse('gap', `says that it is entry ${entry.seq}`);
  if (entry.epoch < cursor.epoch) refuse('epoch', `is of epoch ${entry.epoch}, older than epoch ${cursor.epoch}`);
  if (begins !== entry.epoch > cursor.epoch)
    refuse('effect', `is of epoch ${entry.epoch}, which does not follow ${cursor.epoch}`);
  if (entry.firstSeq !== (cursor.openUnit ?? seq)) refuse('format', `names ${entry.firstSeq} as the first of its unit`);
  if (entry.last !== (entry.digest !== null)) refuse('format', 'has no digest at the end of its unit, or one inside');
  if (begins && !(entry.last && entry.firstSeq === seq)) refuse('effect', 'begins a history inside a unit');
  const hash = chainHash(cursor.hash, bytes);
  cursor.seq = seq;
  cursor.epoch = entry.epoch;
  cursor.hash = hash;
  cursor.openUnit = entry.last ? null : entry.firstSeq;
  return { entry, bytes, chainHash: hash };
}

function decoded(bytes: Uint8Array, seq: number): Entry {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    throw new ApplyRefused('format', seq, `entry ${seq} cannot be read: ${messageOf(error)}`);
  }
}
