/** The sequencer: resolves a client's operation against the current state into effects, or refuses it.
 *
 *  Runs on the master only, in the writer thread, inside the transaction: what it reads is what the effects will change.
 *  Time, ids, expiry, versions and merges are settled here, so the applier needs no clock and no choice.
 *  Must not know: how effects are stored, who asked, HTTP. */

import { payloadText } from '../codec/payload.js';
import { encodePointId } from '../codec/point-id.js';
import { type CollectionSpec, collectionNotFound, NOTHING_DECLARED } from '../model/collection.js';
import type { Effect, PointValue } from '../model/entry.js';
import { SkeinError } from '../model/errors.js';
import { FIXED, type Limits } from '../model/limits.js';
import type { Operation, OperationResult, UpsertCondition } from '../model/operation.js';
import type { PayloadChange } from '../model/payload-change.js';
import type { Payload, PointId, PointPatch } from '../model/point.js';
import { strictRefusal } from '../model/strict-mode.js';
import type { PointRow, StoreReads } from '../storage/storage.js';
import { mustBeNoAlias, resolveAlias } from './alias-operations.js';
import { type CarryOperation, resolveCarried } from './carried-over.js';
import { changedPayload } from './change-payload.js';
import { changedSpec } from './changed-spec.js';
import { type ClusterOperation, resolveCluster } from './cluster-operations.js';
import { newVectors } from './declared-vectors.js';
import { onRows, rowTest } from './filter-rows.js';
import { type KeyOperation, resolveKey } from './key-operations.js';
import { mergePayload } from './merge-payload.js';
import { patchedSet, vectorSetsOf } from './point-vectors.js';
import type { CollectionState, WriterState } from './writer-state.js';

/** Effects of one operation and what they will have done. */
export interface Resolved {
  readonly effects: readonly Effect[];
  /** Null for what no client asked. */
  readonly result: OperationResult | null;
  /** The epoch that begins with it. */
  readonly epoch?: number;
}

type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { readonly kind: Kind }>;

/** Deletes of points whose time has come; re-checked here, because the point may have been written again meanwhile. */
export interface ExpiryOperation {
  readonly kind: 'expire';
  readonly uid: number;
  readonly ids: readonly PointId[];
}

const NO_BYTES = new Uint8Array(0);

export class Sequencer {
  readonly #store: StoreReads;
  readonly #state: WriterState;
  readonly #limits: Limits;
  #patchedBytes = 0;
  #parsed: { readonly change: PayloadChange; readonly given: Payload } | null = null;

  constructor(store: StoreReads, state: WriterState, limits: Limits) {
    this.#store = store;
    this.#state = state;
    this.#limits = limits;
  }

  /** Operations that are resolved from here on are of another unit. */
  beginUnit(): void {
    this.#patchedBytes = 0;
    this.#parsed = null;
  }

  /** @throws CollectionNotFound, CollectionAlreadyExists, AliasNotFound, DimensionMismatch, ZeroVector, PointNotFound, VersionConflict,
   *  PayloadTooLarge, KeyNotFound, AdminKeyRequired, NotPromotable (begin_history in an epoch that is not later), InvalidRequest (ids and addresses of nodes; a change that
   *  cannot be made) */
  resolve(operation: Operation | ExpiryOperation | ClusterOperation | KeyOperation | CarryOperation, timeMs: number): Resolved {
    switch (operation.kind) {
      case 'upsert':
        return this.#upsert(this.#collection(operation.collection), operation, timeMs);
      case 'patch':
        return this.#patch(this.#collection(operation.collection), operation);
      case 'delete':
        return this.#delete(this.#collection(operation.collection), operation);
      case 'expire':
        return this.#expire(operation, timeMs);
      case 'create_collection':
        return this.#create(operation, timeMs);
      case 'update_collection': {
        const { uid, name, spec, pointsCount, dataBytes } = this.#collection(operation.collection);
        const changed = changedSpec(spec, operation.change);
        const collection = { uid, name, spec: changed, pointsCount, dataBytes };
        return {
          effects: [{ kind: 'update_collection', uid, spec: changed }],
          result: { kind: 'update_collection', collection },
        };
      }
      case 'delete_collection': {
        const { uid } = this.#collection(operation.collection);
        return { effects: [{ kind: 'drop_collection', uid }], result: { kind: 'delete_collection' } };
      }
      case 'put_alias':
      case 'delete_alias':
        return resolveAlias(operation, this.#state);
      case 'begin_history':
      case 'put_voter':
      case 'remove_voter':
        return resolveCluster(operation, this.#store, this.#state.state.epoch);
      case 'create_key':
      case 'rotate_key':
      case 'delete_key':
        return resolveKey(operation, this.#state, timeMs);
      case 'carry_over':
        return resolveCarried(operation, this.#store, this.#state);
    }
  }

  #collection(name: string): CollectionState {
    const collection = this.#state.resolve(name);
    if (collection === undefined) throw collectionNotFound(name, this.#state.collectionNames());
    return collection;
  }

  #create(operation: Operation & { kind: 'create_collection' }, timeMs: number): Resolved {
    const name = operation.collection;
    if (this.#state.byName(name) !== undefined) {
      throw new SkeinError('CollectionAlreadyExists', `Collection '${name}' exists already`, { collection: name });
    }
    mustBeNoAlias(name, this.#state);
    if (this.#state.collectionsCount >= this.#limits.collectionsMax || this.#state.state.nextUid > FIXED.collectionUidMax) {
      throw new SkeinError('Overloaded', `This node holds its maximum of ${this.#limits.collectionsMax} collections`, {
        reason: 'collections_max',
        limit: this.#limits.collectionsMax,
      });
    }
    const spec: CollectionSpec = { ...NOTHING_DECLARED, ...operation.spec, ...newVectors(operation.spec), createdAtMs: timeMs };
    const uid = this.#state.state.nextUid;
    const collection = { uid, name, spec, pointsCount: 0, dataBytes: 0 };
    return { effects: [{ kind: 'create_collection', uid, name, spec }], result: { kind: 'create_collection', collection } };
  }

  #upsert(collection: CollectionState, { points: block, only }: OperationOf<'upsert'>, timeMs: number): Resolved {
    const isWanted = only === undefined ? null : upsertTest(collection, only, this.#store);
    const points: PointValue[] = [];
    const sets = vectorSetsOf(collection.spec, block);
    const ttlExpiry = collection.spec.ttlMs === null ? null : timeMs + collection.spec.ttlMs;
    for (let i = 0; i < block.ids.length; i++) {
      const id = block.ids[i] as PointId;
      const vectorSet = sets.next().value as Uint8Array;
      const ifVersion = block.ifVersions?.[i] ?? Number.NaN;
      if (!Number.isNaN(ifVersion)) checkVersion(id, ifVersion, this.#store.pointById(collection.uid, id));
      const expires = block.expiresAt?.[i] ?? Number.NaN;
      const start = i === 0 ? 0 : (block.payloadEnds[i - 1] as number);
      if (isWanted?.(id) === false) continue;
      points.push({
        id,
        vectorSet,
        payload: block.payloadBytes.subarray(start, block.payloadEnds[i]),
        expiresAtMs: Number.isNaN(expires) ? ttlExpiry : Number.isFinite(expires) ? expires : null,
      });
    }
    checkLabels(collection, points.length);
    this.#boundCount(collection, isWanted === null ? block.ids : points.map(({ id }) => id));
    return { effects: putEffects(collection.uid, points), result: { kind: 'upsert', upserted: points.length } };
  }

  /** Cost: a look at each point only where the collection is nearly full. */
  #boundCount({ uid, name, pointsCount, spec: { strictMode: mode } }: CollectionState, ids: readonly PointId[]): void {
    const limit = mode?.enabled === true ? mode.maxPointsCount : null;
    if (limit === null || pointsCount + ids.length <= limit) return;
    const fresh = ids.filter((id) => this.#store.pointById(uid, id) === undefined).length;
    if (fresh > 0 && pointsCount + fresh > limit)
      throw strictRefusal('maxPointsCount', {
        path: 'points',
        message: `'${name}' has ${pointsCount} of ${limit} points`,
        limit,
      });
  }

  #patch(collection: CollectionState, { patches, where, earlier }: OperationOf<'patch'>): Resolved {
    const matches = where === undefined ? null : onRows(this.#store, rowTest(collection.spec, where));
    const points: PointValue[] = [];
    for (const patch of patches) {
      const row = this.#store.pointById(collection.uid, patch.id);
      if (patch.ifVersion !== undefined) checkVersion(patch.id, patch.ifVersion, row);
      if (matches !== null && (row === undefined || !matches(row))) continue;
      if (row === undefined) {
        throw new SkeinError('PointNotFound', `Point ${JSON.stringify(patch.id)} not found in '${collection.name}'`, {
          id: patch.id,
          collection: collection.name,
        });
      }
      const vectorSet = this.#store.vectorSet(collection.uid, row.label);
      if (vectorSet === undefined) throw new Error(`label ${row.label} has no vectors`);
      const payload = this.#patchedPayload(row, patch);
      const after = patchedSet(collection.spec, vectorSet, patch);
      const point = { id: patch.id, vectorSet: after, payload, expiresAtMs: row.expiresAtMs };
      this.#boundPatched(point);
      points.push(point);
    }
    checkLabels(collection, points.length);
    const patched = points.length + (earlier?.patched ?? 0);
    const units = earlier === undefined ? {} : { units: earlier.units + 1 };
    return { effects: putEffects(collection.uid, points), result: { kind: 'patch', patched, ...units } };
  }

  /** A patch brings back whole points, which may be far larger than the request, and a unit is held in memory. One is always taken: it was
   *  written once, and must not be beyond any change. */
  #boundPatched(point: PointValue): void {
    const before = this.#patchedBytes;
    this.#patchedBytes += pointBytes(point);
    const limit = this.#limits.writeQueueBytesMax;
    if (this.#patchedBytes <= limit || before === 0) return;
    throw new SkeinError('PayloadTooLarge', `The patched points have more than ${limit} bytes together: patch fewer at once`, {
      limit_bytes: limit,
    });
  }

  #patchedPayload(row: PointRow, patch: PointPatch): Uint8Array {
    const { payload, unset, change } = patch;
    if (payload === undefined && unset === undefined && change === undefined) return row.payload;
    const before = parsePayload(row.payload);
    const merged =
      change === undefined
        ? mergePayload(before, parsePayload(payload ?? NO_BYTES), unset ?? [])
        : changedPayload(before, change, this.#givenBy(change));
    const bytes = Object.keys(merged).length === 0 ? NO_BYTES : Buffer.from(payloadText(merged, true));
    const limit = this.#limits.payloadBytesMax;
    if (bytes.length > limit) {
      throw new SkeinError(
        'PayloadTooLarge',
        `The merged payload of point ${JSON.stringify(patch.id)} has ${bytes.length} bytes, at most ${limit} are kept`,
        {
          id: patch.id,
          limit_bytes: limit,
        },
      );
    }
    return bytes;
  }

  /** One change may be that of many points. */
  #givenBy(change: PayloadChange): Payload {
    if (this.#parsed?.change !== change)
      this.#parsed = { change, given: 'payload' in change ? parsePayload(change.payload) : {} };
    return this.#parsed.given;
  }

  #delete(collection: CollectionState, operation: Operation & { kind: 'delete' }): Resolved {
    const matches = operation.where === undefined ? null : onRows(this.#store, rowTest(collection.spec, operation.where));
    const present: PointId[] = [];
    for (const id of operation.ids) {
      const row = this.#store.pointById(collection.uid, id);
      if (row !== undefined && (matches === null || matches(row))) present.push(id);
    }
    const { earlier } = operation;
    const deleted = present.length + (earlier?.deleted ?? 0);
    const units = earlier === undefined ? {} : { units: earlier.units + 1 };
    return { effects: deleteEffects(collection.uid, present), result: { kind: 'delete', deleted, ...units } };
  }

  #expire(operation: ExpiryOperation, timeMs: number): Resolved {
    const live = this.#state.byUid(operation.uid)?.droppedSeq === null;
    const due = (live ? operation.ids : []).filter((id) => this.#isDue(operation.uid, id, timeMs));
    return { effects: deleteEffects(operation.uid, due), result: { kind: 'delete', deleted: due.length } };
  }

  /** A point with a damaged row is left alone: it cannot be deleted without knowing what to take from the digest and the sizes. */
  #isDue(uid: number, id: PointId, timeMs: number): boolean {
    try {
      const row = this.#store.pointById(uid, id);
      if (row === undefined || row.expiresAtMs === null || row.expiresAtMs > timeMs) return false;
      return this.#store.vectorSet(uid, row.label) !== undefined;
    } catch (error) {
      if (error instanceof SkeinError) return false;
      throw error;
    }
  }
}

/** Is a point of an upsert to be written? */
function upsertTest(
  { uid, spec }: CollectionState,
  { ids, where }: UpsertCondition,
  store: StoreReads,
): (id: PointId) => boolean {
  const matches = where === undefined ? null : onRows(store, rowTest(spec, where));
  return (id) => {
    const row = store.pointById(uid, id);
    if (row === undefined) return ids !== 'existing';
    return ids !== 'new' && (matches === null || matches(row));
  };
}

/** docs/decisions/0003-row-keys.md */
function checkLabels(collection: CollectionState, count: number): void {
  if (collection.nextLabel + count <= FIXED.labelMax) return;
  throw new SkeinError(
    'Overloaded',
    `Collection '${collection.name}' has used up its labels; export it and import it under a new name`,
    {
      reason: 'labels_used_up',
    },
  );
}

function parsePayload(bytes: Uint8Array): Payload {
  if (bytes.length === 0) return {};
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as Payload;
}

function checkVersion(id: PointId, expected: number, row: PointRow | undefined): void {
  const actual = row?.version ?? 0;
  if (actual === expected) return;
  throw new SkeinError('VersionConflict', `Point ${JSON.stringify(id)} has version ${actual}, not ${expected}`, {
    id,
    expected,
    actual,
  });
}

/** Cuts points into entries of at most 1,000 points or about 1 MiB (one larger point stands alone). */
function putEffects(uid: number, points: readonly PointValue[]): Effect[] {
  return cut(points, pointBytes).map((part) => ({ kind: 'put_points', uid, points: part }));
}

function deleteEffects(uid: number, ids: readonly PointId[]): Effect[] {
  return cut(ids, (id) => encodePointId(id).length).map((part) => ({ kind: 'delete_points', uid, ids: part }));
}

function pointBytes(point: PointValue): number {
  return point.payload.length + FIXED.idBytesMax + point.vectorSet.length;
}

function cut<T>(items: readonly T[], bytesOf: (item: T) => number): T[][] {
  const parts: T[][] = [];
  let part: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (part.length > 0 && (part.length >= FIXED.entryPointsMax || bytes + size > FIXED.entryBytesTarget)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
