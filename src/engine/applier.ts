/** The applier: turns one effect into rows, label allocation and digest. The same code on a master and on a replica.
 *
 *  Deterministic: no clock, no randomness, no environment; equal effects on equal states give equal states.
 *  Labels are given out here, in log order: a new one only when a vector changes, never twice.
 *  Must not know: requests, who waits, which role the node has. */

import { encodeSpec } from '../codec/collection-spec.js';
import { accessKeyHash, aliasHash, bucketOf, catalogueHash, contentHash, voterHash } from '../codec/digest.js';
import { encodePointId } from '../codec/point-id.js';
import type { Alias } from '../model/alias.js';
import type { Effect, Entry, PointValue } from '../model/entry.js';
import { FIXED } from '../model/limits.js';
import type { PointId } from '../model/point.js';
import type { PointRow, StoreWriter } from '../storage/storage.js';
import { vectorSetFits } from './point-vectors.js';
import { vectorsLost } from './row-reads.js';
import type { CollectionState, WriterState } from './writer-state.js';

/** Something a correct log cannot contain: the node must stop and resynchronise, never skip. */
export class ImpossibleEffect extends Error {
  override readonly name = 'ImpossibleEffect';
}

/** The unit changes more than may be kept in memory for its undoing: it must be the first of a transaction, which is then undone as a whole. */
export class TooMuchToUndo extends Error {
  override readonly name = 'TooMuchToUndo';
}

/** Where an effect stands in the log. */
export type EntryPlace = Pick<Entry, 'seq' | 'epoch' | 'timeMs'>;

/** What SQLite keeps of a row that is changed behind a savepoint, beside its payload: about a page. */
const UNDO_ROW_BYTES = 4_096;

export class Applier {
  readonly #store: StoreWriter;
  readonly #state: WriterState;
  #undoBytesLeft = Number.POSITIVE_INFINITY;

  constructor(store: StoreWriter, state: WriterState) {
    this.#store = store;
    this.#state = state;
  }

  /** What is applied from here on is of another unit. @param undoBytesMax how much of the rows that it changes may be kept for undoing */
  beginUnit(undoBytesMax: number): void {
    this.#undoBytesLeft = undoBytesMax;
  }

  /** Applies an effect inside the open transaction; the state stands at the entry before.
   *  @throws ImpossibleEffect, TooMuchToUndo, CorruptData, StorageFull, StorageFailure */
  apply(effect: Effect, place: EntryPlace): void {
    const { seq, timeMs } = place;
    switch (effect.kind) {
      case 'noop':
        return;
      case 'put_points': {
        const collection = this.#touch(effect.uid, seq);
        for (const point of effect.points) this.#put(collection, point, seq);
        return;
      }
      case 'delete_points': {
        const collection = this.#touch(effect.uid, seq);
        for (const id of effect.ids) this.#delete(collection, id, seq);
        return;
      }
      case 'create_collection':
        this.#create(effect, seq);
        return;
      case 'update_collection': {
        const collection = this.#touch(effect.uid, seq);
        const { dimension, distance } = collection.spec;
        if (effect.spec.dimension !== dimension || effect.spec.distance !== distance)
          throw new ImpossibleEffect(`entry ${seq} changes the dimension or the distance of collection uid ${effect.uid}`);
        this.#state.digest.subtract(catalogueHash(collection.uid, collection.name, encodeSpec(collection.spec)));
        collection.spec = effect.spec;
        this.#state.digest.add(catalogueHash(collection.uid, collection.name, encodeSpec(collection.spec)));
        return;
      }
      case 'drop_collection': {
        const collection = this.#touch(effect.uid, seq);
        for (const [name, uid] of [...this.#state.aliases]) if (uid === effect.uid) this.#removeAlias(name);
        this.#state.digest.subtract(collection.digest.toBytes());
        this.#state.digest.subtract(catalogueHash(collection.uid, collection.name, encodeSpec(collection.spec)));
        this.#state.dropCollection(effect.uid, seq);
        return;
      }
      case 'remember': {
        const { scope, body, results } = effect;
        this.#store.remember({ scope, body, results, seq, timeMs });
        return;
      }
      case 'begin_history':
        this.#beginHistory(effect.historyId, place);
        return;
      case 'put_voter': {
        const { nodeId, host, port } = effect;
        this.#forgetVoter(nodeId);
        this.#store.putVoter({ nodeId, host, port });
        this.#state.digest.add(voterHash(effect));
        this.#state.clusterChanged();
        return;
      }
      case 'remove_voter':
        if (!this.#forgetVoter(effect.nodeId)) throw new ImpossibleEffect(`entry ${seq} removes a voter that is not there`);
        this.#store.removeVoter(effect.nodeId);
        this.#state.clusterChanged();
        return;
      case 'put_alias':
        this.#putAlias(effect, seq);
        return;
      case 'remove_alias':
        if (!this.#removeAlias(effect.name)) throw new ImpossibleEffect(`entry ${seq} removes an alias that is not there`);
        return;
      case 'put_key':
        this.#forgetKey(effect.key.id);
        this.#state.setAccessKey(effect.key);
        this.#state.digest.add(accessKeyHash(effect.key));
        return;
      case 'remove_key':
        if (!this.#forgetKey(effect.id)) throw new ImpossibleEffect(`entry ${seq} removes an access key that is not there`);
        this.#state.removeAccessKey(effect.id);
    }
  }

  #putAlias({ name, uid }: Alias, seq: number): void {
    const collection = this.#state.byUid(uid);
    if (collection === undefined || collection.droppedSeq !== null || this.#state.byName(name) !== undefined)
      throw new ImpossibleEffect(`entry ${seq} makes '${name}' an alias of collection uid ${uid}, which cannot be`);
    this.#removeAlias(name);
    this.#state.setAlias(name, uid);
    this.#state.digest.add(aliasHash({ name, uid }));
  }

  /** @returns whether there was one */
  #removeAlias(name: string): boolean {
    const uid = this.#state.aliases.get(name);
    if (uid === undefined) return false;
    this.#state.digest.subtract(aliasHash({ name, uid }));
    this.#state.removeAlias(name);
    return true;
  }

  #beginHistory(historyId: string, { seq, epoch }: EntryPlace): void {
    const { state } = this.#state;
    if (epoch <= state.epoch || this.#store.lineage().some((row) => row.historyId === historyId))
      throw new ImpossibleEffect(`entry ${seq} begins history ${historyId} in epoch ${epoch}, behind epoch ${state.epoch}`);
    this.#store.insertLineage({ epoch, historyId, startSeq: seq - 1, startHash: state.chainHash });
    this.#state.beginHistory(historyId, epoch);
  }

  /** Takes a voter out of the digest. @returns whether there was one */
  #forgetVoter(nodeId: string): boolean {
    const before = this.#store.voters().find((voter) => voter.nodeId === nodeId);
    if (before !== undefined) this.#state.digest.subtract(voterHash(before));
    return before !== undefined;
  }

  /** Takes an access key out of the digest. @returns whether there was one */
  #forgetKey(id: string): boolean {
    const before = this.#state.accessKeys.get(id);
    if (before !== undefined) this.#state.digest.subtract(accessKeyHash(before));
    return before !== undefined;
  }

  #touch(uid: number, seq: number): CollectionState {
    if (this.#state.byUid(uid) === undefined)
      throw new ImpossibleEffect(`entry ${seq} names collection uid ${uid}, which is not there`);
    const collection = this.#state.change(uid);
    collection.lastSeq = seq;
    return collection;
  }

  #create(effect: Effect & { kind: 'create_collection' }, seq: number): void {
    const { uid, name, spec } = effect;
    const isTaken = this.#state.byName(name) !== undefined || this.#state.aliases.has(name);
    if (isTaken || uid < this.#state.state.nextUid) {
      throw new ImpossibleEffect(`entry ${seq} creates collection '${name}' (uid ${uid}) a second time`);
    }
    this.#state.setUids(uid + 1);
    this.#state.addCollection({
      uid,
      name,
      spec,
      nextLabel: 0,
      labelGeneration: 0,
      createdSeq: seq,
      lastSeq: seq,
      pointsCount: 0,
      dataBytes: 0,
      digest: new Uint8Array(16),
      droppedSeq: null,
    });
    this.#state.digest.add(catalogueHash(uid, name, encodeSpec(spec)));
  }

  #put(collection: CollectionState, point: PointValue, seq: number): void {
    const { uid } = collection;
    const { id, vectorSet, payload, expiresAtMs } = point;
    if (!vectorSetFits(collection.spec, vectorSet))
      throw new ImpossibleEffect(`entry ${seq} puts a point with vectors that collection uid ${uid} does not have`);
    const idBytes = encodePointId(id);
    const hash = contentHash({ uid, idBytes, version: seq, expiresAtMs, vectorSet, payload });
    const bucket = bucketOf(idBytes);
    const before = this.#store.pointById(uid, id);
    const value = { uid, id, version: seq, expiresAtMs, deadSeq: null, payload, contentHash: hash };
    if (before === undefined) {
      this.#insert(collection, { ...value, label: this.#newLabel(collection), labelSeq: seq, prevLabel: null }, vectorSet);
      collection.pointsCount += 1;
    } else {
      this.#keepForUndo(before);
      this.#state.subtractHash(collection, bucket, before.contentHash);
      const vectorsBefore = this.#vectorsOf(before);
      collection.dataBytes -= idBytes.length + before.payload.length + vectorsBefore.length;
      if (Buffer.compare(vectorsBefore, vectorSet) === 0) {
        this.#store.updatePoint({ ...before, ...value });
      } else {
        this.#store.markDead(before, seq);
        const label = this.#newLabel(collection);
        this.#insert(collection, { ...value, label, labelSeq: seq, prevLabel: before.label }, vectorSet);
      }
    }
    this.#state.addHash(collection, bucket, hash);
    collection.dataBytes += idBytes.length + payload.length + vectorSet.length;
  }

  #newLabel(collection: CollectionState): number {
    const label = collection.nextLabel;
    if (label > FIXED.labelMax) throw new ImpossibleEffect(`collection '${collection.name}' has used up its label space`);
    collection.nextLabel = label + 1;
    return label;
  }

  #insert(collection: CollectionState, row: PointRow, vectorSet: Uint8Array): void {
    this.#store.insertPoint(row);
    this.#store.insertVectorSet(collection.uid, row.label, vectorSet);
  }

  #delete(collection: CollectionState, id: PointId, seq: number): void {
    const row = this.#store.pointById(collection.uid, id);
    if (row === undefined) throw new ImpossibleEffect(`entry ${seq} deletes a point that is not there`);
    this.#keepForUndo(row);
    const idBytes = encodePointId(id);
    this.#state.subtractHash(collection, bucketOf(idBytes), row.contentHash);
    collection.pointsCount -= 1;
    collection.dataBytes -= idBytes.length + row.payload.length + this.#vectorsOf(row).length;
    this.#store.markDead(row, seq);
  }

  #keepForUndo(row: PointRow): void {
    this.#undoBytesLeft -= row.payload.length + UNDO_ROW_BYTES;
    if (this.#undoBytesLeft < 0) throw new TooMuchToUndo('the unit belongs at the beginning of a transaction');
  }

  #vectorsOf(row: PointRow): Uint8Array {
    const vectorSet = this.#store.vectorSet(row.uid, row.label);
    if (vectorSet === undefined) throw vectorsLost(row);
    return vectorSet;
  }
}
