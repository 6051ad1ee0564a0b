/** Operations: a client's intended change, checked for form, not yet resolved against state.
 *
 *  One request is a list of operations that take effect together or not at all (a unit).
 *  The sequencer resolves them to effects; effects are what the log carries (model/entry.ts). */

import type { CollectionRecord, HnswParameters } from './collection.js';
import type { Distance } from './distance.js';
import type { Filter } from './filter.js';
import type { PointBlock, PointId, PointPatch } from './point.js';

export interface NewCollection {
  readonly dimension: number;
  readonly distance: Distance;
  readonly hnsw: HnswParameters;
  readonly ttlMs: number | null;
}

/** Absent fields stay as they are. */
export interface CollectionChange {
  readonly efSearch?: number;
  readonly ttlMs?: number | null;
}

export type Operation =
  | { readonly kind: 'upsert'; readonly collection: string; readonly points: PointBlock }
  | { readonly kind: 'patch'; readonly collection: string; readonly patches: readonly PointPatch[] }
  /** where: a point that no longer matches inside the transaction is left alone. earlier: what units of the same request did before. */
  | {
      readonly kind: 'delete';
      readonly collection: string;
      readonly ids: readonly PointId[];
      readonly where?: Filter;
      readonly earlier?: { readonly deleted: number; readonly units: number };
    }
  | { readonly kind: 'create_collection'; readonly collection: string; readonly spec: NewCollection }
  | { readonly kind: 'update_collection'; readonly collection: string; readonly change: CollectionChange }
  | { readonly kind: 'delete_collection'; readonly collection: string };

/** A collection right after an operation on it; a repeat of the request is answered from it, whatever has happened since. */
export type CollectionAfter = Pick<CollectionRecord, 'uid' | 'spec' | 'pointsCount' | 'dataBytes'>;

/** What one operation did. */
export type OperationResult =
  | { readonly kind: 'upsert'; readonly upserted: number }
  | { readonly kind: 'patch'; readonly patched: number }
  /** units: by filter only, how many there were so far. */
  | { readonly kind: 'delete'; readonly deleted: number; readonly units?: number }
  | { readonly kind: 'create_collection'; readonly collection: CollectionAfter }
  | { readonly kind: 'update_collection'; readonly collection: CollectionAfter }
  | { readonly kind: 'delete_collection' };

/** Scope and body of an idempotent request; both SHA-256, 32 bytes.
 *  scope = key + method + path (+ caller); body = the canonical operation, equal for JSON and MessagePack. */
export interface Idempotency {
  readonly scope: Uint8Array;
  readonly body: Uint8Array;
}
