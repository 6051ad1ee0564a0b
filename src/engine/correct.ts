/** Corrects rows of a replica that differ from its master's, in the write thread: no entry of the log, the seq stays.
 *
 *  One transaction: all of it or nothing. Versions are the master's, so content hashes are; digests and counts follow from the rows. Every
 *  point that is put gets a new label, also when its vectors were right: its version may lie behind the cursors of the indexes, which find it by
 *  its label. So labels need not equal the master's from then on. What the master has written behind the replica's seq comes by the log: until the last
 *  seq that was looked at has been applied, the digests of units say nothing and a delete may find its point gone.
 *  Must not know: links, threads, how differences are found. */

import { bucketOf, contentHash } from '../codec/digest.js';
import { encodePointId } from '../codec/point-id.js';
import type { Effect } from '../model/entry.js';
import { messageOf, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { PointId } from '../model/point.js';
import type { PointRow, StoreWriter } from '../storage/storage.js';
import { decodeValues, type StoredValue } from './compare.js';
import { vectorSetFits } from './point-vectors.js';
import type { CollectionState, WriterState } from './writer-state.js';

export interface Correction {
  /** Where the replica stands; at any other seq the correction is refused. */
  readonly seq: number;
  /** The state digest that its master had there. */
  readonly digest: Uint8Array;
  /** The newest state of the master that was looked at. */
  readonly throughSeq: number;
  readonly collections: readonly CollectionCorrection[];
}

export interface CollectionCorrection {
  readonly uid: number;
  /** Pages of values (compare.ts) to be put. */
  readonly values: readonly Uint8Array[];
  /** Points to be removed. */
  readonly surplus: readonly PointId[];
}

/** Makes the change inside the open transaction. @returns the seq from which on digests must be equal again
 *  @throws NotRepairable: the transaction must be rolled back and the state read anew · CorruptData, StorageFull, StorageFailure */
export function applyCorrection(store: StoreWriter, state: WriterState, correction: Correction): number {
  const { seq } = state.state;
  if (seq !== correction.seq) throw notRepairable('moved', `The data has moved from seq ${correction.seq} to ${seq} meanwhile`);
  for (const { uid, values, surplus } of correction.collections) {
    if (state.byUid(uid) === undefined) throw notRepairable('catalogue', `There is no collection of uid ${uid} here`);
    const rows = new RowCorrection(store, state, state.change(uid));
    for (const id of surplus) rows.remove(id);
    for (const page of values) for (const value of valuesOf(page)) rows.put(value);
  }
  if (Buffer.compare(state.digest.toBytes(), correction.digest) === 0) return seq;
  if (correction.throughSeq > seq) return correction.throughSeq;
  throw notRepairable('digest', 'The differing points alone do not make the data equal');
}

function valuesOf(page: Uint8Array): StoredValue[] {
  try {
    return [...decodeValues(page)];
  } catch (error) {
    throw notRepairable('values', `Values cannot be read (${messageOf(error)})`);
  }
}

/** The effect without deletes of points that are gone: a repair may have been earlier. */
export function withoutGone(store: StoreWriter, effect: Effect): Effect {
  if (effect.kind !== 'delete_points') return effect;
  return { ...effect, ids: effect.ids.filter((id) => store.headById(effect.uid, id) !== undefined) };
}

export function notRepairable(reason: string, message: string): SkeinError {
  return new SkeinError('NotRepairable', `${message}; nothing was changed, a full resync helps`, { reason });
}

class RowCorrection {
  readonly #store: StoreWriter;
  readonly #state: WriterState;
  readonly #collection: CollectionState;
  readonly #seq: number;

  constructor(store: StoreWriter, state: WriterState, collection: CollectionState) {
    this.#store = store;
    this.#state = state;
    this.#collection = collection;
    this.#seq = state.state.seq;
    collection.lastSeq = this.#seq;
  }

  put({ id, version, expiresAtMs, vectorSet, payload }: StoredValue): void {
    const { uid, spec, nextLabel } = this.#collection;
    if (version > this.#seq || !vectorSetFits(spec, vectorSet))
      throw notRepairable('values', `Point ${JSON.stringify(id)} came in a form that does not belong here`);
    const idBytes = encodePointId(id);
    const hash = contentHash({ uid, idBytes, version, expiresAtMs, vectorSet, payload });
    const before = this.#store.pointById(uid, id);
    const value = { uid, id, version, expiresAtMs, deadSeq: null, payload, contentHash: hash };
    if (nextLabel > FIXED.labelMax)
      throw notRepairable('labels', `Collection '${this.#collection.name}' has used up its label space`);
    if (before !== undefined) this.#subtract(before);
    if (before !== undefined) this.#store.markDead(before, this.#seq);
    this.#store.insertPoint({ ...value, label: nextLabel, labelSeq: this.#seq, prevLabel: before?.label ?? null });
    this.#store.insertVectorSet(uid, nextLabel, vectorSet);
    this.#collection.nextLabel = nextLabel + 1;
    this.#state.addHash(this.#collection, bucketOf(idBytes), hash);
    this.#collection.pointsCount += 1;
    this.#collection.dataBytes += idBytes.length + payload.length + vectorSet.length;
  }

  /** One that is gone already is no mistake. */
  remove(id: PointId): void {
    const row = this.#store.pointById(this.#collection.uid, id);
    if (row === undefined) return;
    this.#subtract(row);
    this.#store.markDead(row, this.#seq);
  }

  #subtract(row: PointRow): void {
    const idBytes = encodePointId(row.id);
    this.#state.subtractHash(this.#collection, bucketOf(idBytes), row.contentHash);
    this.#collection.pointsCount -= 1;
    this.#collection.dataBytes -= idBytes.length + row.payload.length + this.#vectorsOf(row).length;
  }

  #vectorsOf({ uid, label }: PointRow): Uint8Array {
    const vectorSet = this.#store.vectorSet(uid, label);
    if (vectorSet === undefined) throw notRepairable('vectors', `Label ${label} of collection uid ${uid} has no vectors`);
    return vectorSet;
  }
}
