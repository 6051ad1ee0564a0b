/** Runs units inside one transaction: sequencer → applier → log, or on a replica applier → log. The first is undone with the transaction, every later one by a savepoint.
 *
 *  What a savepoint must undo is kept in memory by SQLite, so a later unit may change only so much of what is there.
 *  Invariant: a refused unit leaves no trace, on disk or in memory, and takes no seq; a kept unit has dense seqs, a chain hash per
 *  entry, and the state digest on its last entry. Nothing here is durable before the caller's commit.
 *  Must not know: threads, messages, when to commit. */

import { chainHash } from '../codec/digest.js';
import { encodeEntry } from '../codec/entry.js';
import type { Effect, Entry } from '../model/entry.js';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import { FIXED, type Limits } from '../model/limits.js';
import type { Idempotency, Operation, OperationResult } from '../model/operation.js';
import type { PointId } from '../model/point.js';
import { dropsNextChange } from '../model/test-hooks.js';
import type { StoreWriter } from '../storage/storage.js';
import { Applier, ImpossibleEffect, TooMuchToUndo } from './applier.js';
import type { CarryOperation } from './carried-over.js';
import type { ClusterOperation } from './cluster-operations.js';
import { withoutGone } from './correct.js';
import { ApplyRefused, type CheckedEntry } from './entry-intake.js';
import type { KeyOperation } from './key-operations.js';
import { type ExpiryOperation, Sequencer } from './sequencer.js';
import { WriterState } from './writer-state.js';

const UNDO_BYTES_MAX = 32 * 1024 * 1024;

export interface UnitRequest {
  readonly operations: readonly (Operation | ExpiryOperation | ClusterOperation | KeyOperation | CarryOperation)[];
  readonly idempotency?: Idempotency;
  readonly trace?: string;
  /** Only ask whether the key is known: nothing is written, and nothing remembered. */
  readonly recallOnly?: boolean;
}

export interface UnitOutcome {
  readonly seq: number;
  /** The collections that it names in its effects; none when it is a repeat. */
  readonly uids: readonly number[];
  readonly results: readonly OperationResult[];
  readonly repeated: boolean;
}

/** What became of points whose time has come. */
export interface Sweep {
  /** How many went. */
  readonly deleted: number;
  /** May more be due by now? */
  readonly more: boolean;
  /** Why collections kept theirs. */
  readonly refused: readonly ErrorRecord[];
}

export class UnitWriter {
  readonly #store: StoreWriter;
  readonly #limits: Limits;
  state: WriterState;
  #sequencer: Sequencer;
  #applier: Applier;
  /** Digests of earlier units are not compared (correct.ts). */
  #trustedFromSeq = 0;

  constructor(store: StoreWriter, limits: Limits) {
    this.#store = store;
    this.#limits = limits;
    this.state = new WriterState(store);
    this.#sequencer = new Sequencer(store, this.state, limits);
    this.#applier = new Applier(store, this.state);
  }

  /** Forgets everything held in memory and reads it anew: after a transaction that did not happen. */
  reload(): void {
    this.state = new WriterState(this.#store);
    this.#sequencer = new Sequencer(this.#store, this.state, this.#limits);
    this.#applier = new Applier(this.#store, this.state);
  }

  /** Runs one unit inside the open transaction.
   *  @param first nothing was changed in the transaction yet
   *  @throws SkeinError (refused, no trace) · TooMuchToUndo (no trace: run it first in another transaction)
   *  · StorageFull, StorageFailure (the whole transaction is lost) */
  run(request: UnitRequest, timeMs: number, first = false): UnitOutcome {
    const known = request.idempotency === undefined ? undefined : this.#recall(request.idempotency, timeMs);
    if (known !== undefined) return known;
    if (request.recallOnly === true) return { seq: this.state.state.seq, uids: [], results: [], repeated: false };
    if (!first) this.#store.savepoint();
    this.state.beginUnit();
    this.#sequencer.beginUnit();
    this.#applier.beginUnit(first ? Number.POSITIVE_INFINITY : UNDO_BYTES_MAX);
    try {
      const outcome = this.#write(request, timeMs);
      if (!first) this.#store.release();
      this.state.keepUnit();
      return outcome;
    } catch (error) {
      if (!(error instanceof SkeinError) && !(error instanceof TooMuchToUndo)) throw error;
      this.#undo(first);
      throw error;
    }
  }

  #undo(first: boolean): void {
    if (first) {
      this.#store.rollback();
      this.#store.begin();
    } else {
      this.#store.rollbackToSavepoint();
    }
    this.state.undoUnit();
  }

  #write(request: UnitRequest, timeMs: number): UnitOutcome {
    const firstSeq = this.state.state.seq + 1;
    const effects: Effect[] = [];
    const results: OperationResult[] = [];
    let { epoch } = this.state.state;
    const apply = (effect: Effect): void => {
      this.#applier.apply(effect, { seq: firstSeq + effects.length, epoch, timeMs });
      effects.push(effect);
    };
    for (const operation of request.operations) {
      const resolved = this.#sequencer.resolve(operation, timeMs);
      epoch = resolved.epoch ?? epoch;
      for (const effect of resolved.effects) apply(effect);
      if (resolved.result !== null) results.push(resolved.result);
    }
    if (request.idempotency !== undefined) {
      const { scope, body } = request.idempotency;
      apply({ kind: 'remember', scope, body, results: Buffer.from(JSON.stringify(results)) });
    }
    this.#log(effects, firstSeq, timeMs, request.trace ?? null);
    const uids = new Set<number>();
    for (const effect of effects) if ('uid' in effect) uids.add(effect.uid);
    return { seq: this.state.state.seq, uids: [...uids], results, repeated: false };
  }

  #log(effects: readonly Effect[], firstSeq: number, timeMs: number, trace: string | null): void {
    for (let i = 0; i < effects.length; i++) {
      const last = i === effects.length - 1;
      const entry = encodeEntry({
        seq: firstSeq + i,
        epoch: this.state.state.epoch,
        firstSeq,
        last,
        timeMs,
        trace: i === 0 ? trace : null,
        digest: last ? this.state.digest.toBytes() : null,
        effect: effects[i] as Effect,
      });
      const hash = chainHash(this.state.state.chainHash, entry);
      this.#store.appendLog({ seq: firstSeq + i, entry, chainHash: hash }, timeMs);
      this.state.advance(firstSeq + i, hash, entry.length);
    }
  }

  /** After a correction: what is applied before this seq may still differ, and what is deleted up to it may be gone already. */
  trustDigestsFrom(seq: number): void {
    this.#trustedFromSeq = seq;
  }

  /** Applies whole units of a master's log inside the open transaction, comparing digests after each.
   *  @throws ApplyRefused, StorageFull, StorageFailure: the transaction must be rolled back and the state read anew */
  follow(entries: readonly CheckedEntry[]): void {
    this.#applier.beginUnit(Number.POSITIVE_INFINITY);
    let comparing = true;
    for (const { entry, bytes, chainHash: hash } of entries) {
      const { seq, effect, timeMs } = entry;
      const isChange = effect.kind === 'put_points' || effect.kind === 'delete_points';
      if (isChange && dropsNextChange()) comparing = false;
      else this.#follow(entry);
      this.#store.appendLog({ seq, entry: bytes, chainHash: hash }, timeMs);
      this.state.advance(seq, hash, bytes.length);
      if (
        comparing &&
        seq >= this.#trustedFromSeq &&
        entry.digest !== null &&
        Buffer.compare(entry.digest, this.state.digest.toBytes()) !== 0
      )
        throw new ApplyRefused('digest', seq, `after entry ${seq} the data here is other than the master's`);
    }
  }

  #follow(entry: Entry): void {
    try {
      const { effect, seq } = entry;
      this.#applier.apply(seq <= this.#trustedFromSeq ? withoutGone(this.#store, effect) : effect, entry);
    } catch (error) {
      // A damaged row of this store is in the way as well: it cannot be changed without knowing what it was.
      if (!(error instanceof ImpossibleEffect) && !(error instanceof SkeinError)) throw error;
      throw new ApplyRefused('effect', entry.seq, error.message);
    }
  }

  #recall(idempotency: Idempotency, timeMs: number): UnitOutcome | undefined {
    const row = this.#store.remembered(idempotency.scope);
    if (row === undefined || row.timeMs + this.#limits.idempotencyMs < timeMs) return undefined;
    if (Buffer.compare(row.body, idempotency.body) !== 0) {
      throw new SkeinError('IdempotencyConflict', 'This idempotency key was used before with another request');
    }
    const results = JSON.parse(Buffer.from(row.results).toString()) as OperationResult[];
    return { seq: row.seq, uids: [], results, repeated: true };
  }

  /** Deletes points whose time has come, one unit per collection, at most expirySweepPoints in all; inside a transaction that is open and
   *  has changed nothing. A collection that refuses, because it is damaged, does not keep the others. */
  sweepExpired(timeMs: number): Sweep {
    const byCollection = new Map<number, PointId[]>();
    for (const { uid, id } of this.#store.expired(timeMs, FIXED.expirySweepPoints)) {
      const ids = byCollection.get(uid);
      if (ids === undefined) byCollection.set(uid, [id]);
      else ids.push(id);
    }
    const seqBefore = this.state.state.seq;
    const refused: ErrorRecord[] = [];
    let deleted = 0;
    for (const [uid, ids] of byCollection) {
      try {
        const { results } = this.run({ operations: [{ kind: 'expire', uid, ids }] }, timeMs, this.state.state.seq === seqBefore);
        for (const result of results) deleted += result.kind === 'delete' ? result.deleted : 0;
      } catch (error) {
        if (error instanceof TooMuchToUndo) return { deleted, more: true, refused };
        if (!(error instanceof SkeinError)) throw error;
        refused.push(error.toRecord());
      }
    }
    return { deleted, more: deleted >= FIXED.expirySweepPoints, refused };
  }
}
