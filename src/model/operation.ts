/** Operations: a client's intended change, checked for form, not yet resolved against state.
 *
 *  `collection` is a collection's name or an alias; the sequencer resolves it. One request is a list of operations that take effect together or not at all (a unit).
 *  The sequencer resolves them to effects; effects are what the log carries (model/entry.ts). */

import type { CollectionRecord, Declarations, PayloadIndexType, TextChange } from './collection.js';
import type { Distance } from './distance.js';
import type { Filter } from './filter.js';
import type { PointBlock, PointId, PointPatch } from './point.js';
import type { StrictMode } from './strict-mode.js';
import type { HnswParameters, NewDenseVector, NewSparseVector, Quantization, SparseModifier } from './vector-spec.js';

/** What is declared of nothing may be left out. */
export interface NewCollection extends Partial<Declarations> {
  /** Of the default vector, both or neither; null: there is none. */
  readonly dimension: number | null;
  readonly distance: Distance | null;
  readonly hnsw: HnswParameters;
  readonly ttlMs: number | null;
  /** Names are unique among both. */
  readonly vectors?: readonly NewDenseVector[];
  readonly sparseVectors?: readonly NewSparseVector[];
}

/** A named dense vector as it is to be: one that is not there is declared, and needs dimension and distance; of one that is there
 *  hnsw.efSearch and quantization change (as CollectionChange.quantization), and what else is said must be as it is. */
export interface DenseVectorChange {
  readonly name: string;
  readonly dimension?: number;
  readonly distance?: Distance;
  readonly hnsw?: Partial<HnswParameters>;
  readonly quantization?: Partial<Quantization> | null;
}

/** Likewise; left out, the modifier stays, or is none. */
export interface SparseVectorChange {
  readonly name: string;
  readonly modifier?: SparseModifier | null;
}

/** What indexes a field from now on, in the place of what did; null: nothing. */
export interface FieldChange {
  /** Dotted. */
  readonly path: string;
  readonly declare: PayloadIndexType | 'text' | null;
  /** How text is read, where no other field is text. */
  readonly text?: TextChange;
  /** `text` is for a field that is not text yet: one that is stays as it is read. */
  readonly keepsText?: true;
}

/** Absent fields stay as they are. */
export interface CollectionChange {
  readonly efSearch?: number;
  readonly ttlMs?: number | null;
  /** In the place of all that were declared; with none, the other settings of text are forgotten. */
  readonly textFields?: readonly string[];
  readonly text?: TextChange;
  /** In the place of all that were declared. */
  readonly payloadIndexes?: Declarations['payloadIndexes'];
  /** Names, with what points have under them, before others are set; one that is not there is refused. */
  readonly removeVectors?: readonly string[];
  readonly setVectors?: readonly DenseVectorChange[];
  readonly setSparseVectors?: readonly SparseVectorChange[];
  /** One field, whatever the others are; not beside the lists above. */
  readonly fields?: FieldChange;
  /** The type is fixed: naming another one, or null where there is one, is refused. */
  readonly quantization?: Partial<Quantization> | null;
  /** What is absent stays; null takes it away as a whole. */
  readonly strictMode?: Partial<StrictMode> | null;
}

/** Which points of an upsert are written; the others are left alone. Looked at inside the transaction. */
export interface UpsertCondition {
  /** new: those whose id is not there. existing: those whose id is there. Left out: both. */
  readonly ids?: 'new' | 'existing';
  /** Points that are there must match it as they are. */
  readonly where?: Filter;
}

export type Operation =
  | { readonly kind: 'upsert'; readonly collection: string; readonly points: PointBlock; readonly only?: UpsertCondition }
  /** where: a point that is not there, or no longer matches inside the transaction, is left alone. earlier: as of a delete. */
  | {
      readonly kind: 'patch';
      readonly collection: string;
      readonly patches: readonly PointPatch[];
      readonly where?: Filter;
      readonly earlier?: { readonly patched: number; readonly units: number };
    }
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
  /** With its aliases. */
  | { readonly kind: 'delete_collection'; readonly collection: string }
  /** collection: a collection or another alias of it, as it stands at the moment of the write. */
  | { readonly kind: 'put_alias'; readonly alias: string; readonly collection: string }
  | { readonly kind: 'delete_alias'; readonly alias: string };

/** A collection right after an operation on it; a repeat of the request is answered from it, whatever has happened since. */
export type CollectionAfter = Pick<CollectionRecord, 'uid' | 'spec' | 'pointsCount' | 'dataBytes'> & {
  /** Its own, whatever name the request had for it; results that were remembered before there were aliases lack it. */
  readonly name?: string;
};

/** What one operation did. */
export type OperationResult =
  | { readonly kind: 'upsert'; readonly upserted: number }
  /** units: as of a delete. */
  | { readonly kind: 'patch'; readonly patched: number; readonly units?: number }
  /** units: by filter only, how many there were so far. */
  | { readonly kind: 'delete'; readonly deleted: number; readonly units?: number }
  | { readonly kind: 'create_collection'; readonly collection: CollectionAfter }
  | { readonly kind: 'update_collection'; readonly collection: CollectionAfter }
  | { readonly kind: 'delete_collection' }
  /** Names of collections: what it stands for now, and what it stood for before (null: it is new). */
  | { readonly kind: 'put_alias'; readonly collection: string; readonly previous: string | null }
  | { readonly kind: 'delete_alias' };

/** Scope and body of an idempotent request; both SHA-256, 32 bytes.
 *  scope = key + method + path (+ caller); body = the canonical operation, equal for JSON and MessagePack. */
export interface Idempotency {
  readonly scope: Uint8Array;
  readonly body: Uint8Array;
}
