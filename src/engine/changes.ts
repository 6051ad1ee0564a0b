/** The change feed as the engine gives it: what happened to points, collections and aliases, in the order of the log, or from a snapshot on.
 *
 *  A reader is a place and holds nothing here: no queue, no cursor, no part of the log. So a slow one costs no memory, and one that comes too
 *  late finds ChangesGone. Must not know: HTTP, how changes travel. */

import type { KeyScope } from '../model/access-key.js';
import type { Cancellation } from '../model/cancellation.js';
import type { ChangePlace } from '../model/change-place.js';
import type { CollectionSpec } from '../model/collection.js';
import type { Filter } from '../model/filter.js';
import type { NamedVectors, PointId } from '../model/point.js';

/** Which changes, and what of them. */
export interface ChangeSelection {
  /** The name of a collection, not an alias; null: all. With one, or with a scope, aliases are left out: the log does not say which
   *  collection an alias stood for that is removed. */
  readonly collection: string | null;
  readonly scope: KeyScope;
  /** Held against the new state of each point. */
  readonly filter: Filter | null;
  readonly withPayload: boolean;
  readonly withVector: boolean;
  /** With a filter: tell also of points that do not pass it now, as they may have passed before. */
  readonly withLeaves: boolean;
}

/** A point as a change left it; what was not asked for is null. */
export interface ChangedPoint {
  readonly id: PointId;
  /** UTF-8 JSON as stored; empty means `{}`. */
  readonly payload: Uint8Array | null;
  readonly vector: Float32Array | null;
  /** By name; absent where the collection has none, or they were not asked for. */
  readonly vectors?: NamedVectors;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAtMs: number | null;
}

export type ChangeEvent =
  /** Also of points that were patched: the whole new state. */
  | { readonly kind: 'upsert'; readonly collection: string; readonly point: ChangedPoint }
  /** The ids existed. */
  | { readonly kind: 'delete'; readonly collection: string; readonly id: PointId }
  /** Written, and does not pass the filter; whether it did before the log cannot tell. */
  | { readonly kind: 'leave'; readonly collection: string; readonly id: PointId }
  | {
      readonly kind: 'create_collection' | 'update_collection';
      readonly collection: string;
      readonly spec: CollectionSpec;
    }
  /** With all its points and aliases. */
  | { readonly kind: 'delete_collection'; readonly collection: string }
  | { readonly kind: 'put_alias'; readonly alias: string; readonly collection: string }
  | { readonly kind: 'delete_alias'; readonly alias: string }
  /** What follows up to the end is the state at the seq of this event, less what was changed since; the log tells of that. */
  | { readonly kind: 'snapshot_begin' }
  | { readonly kind: 'snapshot_end' };

export interface Change {
  readonly event: ChangeEvent;
  /** Of its entry; in a snapshot: of the entry that last wrote the point, else of the state. */
  readonly seq: number;
  /** The master's clock at the write, in milliseconds since 1970; null in a snapshot. */
  readonly timeMs: number | null;
  /** The token of the place right behind it. */
  readonly token: string;
}

export interface ChangePage {
  /** Decoded as they are taken. */
  readonly changes: Iterable<Change>;
  /** Behind all of them, and behind what the selection left out. */
  readonly place: ChangePlace;
}

/** Where a feed begins: behind all that is durable here, before the state that is durable here, or at a place. */
export type ChangeStart = 'now' | 'snapshot' | ChangePlace;

export interface ChangeLog {
  /** The first page, which is there at once.
   *  @param reachMs how long a replica may take to get to the place
   *  @throws PositionLost, ReplicaBehind, ChangesGone · CollectionNotFound (not with a place: it may be gone), InvalidRequest (an alias), InvalidFilter */
  begin(start: ChangeStart, selection: ChangeSelection, reachMs: number): Promise<ChangePage>;
  /** What comes behind a place: at once when there is something, else when something comes, or empty after waitMs.
   *  @throws PositionLost, ReplicaBehind, ChangesGone · Overloaded, CorruptData, ShuttingDown · Timeout (cancelled) */
  next(place: ChangePlace, selection: ChangeSelection, waitMs: number, cancellation?: Cancellation): Promise<ChangePage>;
}
