/** The change feed as users of the client see it: what is asked for, and changes. Must not know: HTTP, how events travel. */

import type { Payload, PointId } from '../model/point.js';
import type { ReadPreference } from './nodes.js';
import type { Filter, PointRecord } from './types.js';

export interface ChangesRequest {
  /** `now` (default), `snapshot`, the token of a change, or a position. */
  readonly from?: 'now' | 'snapshot' | (string & {});
  /** By its own name, not by an alias. Default: all collections, and aliases. */
  readonly collection?: string;
  /** Held against the new state of each point; as text, in the JSON of docs/HTTP_API.md. */
  readonly filter?: Filter | string;
  /** Default true. */
  readonly withPayload?: boolean;
  /** Default false. */
  readonly withVector?: boolean;
  /** With a filter: tell also of writes that it does not pass, as `leave`. Default true. */
  readonly withLeaves?: boolean;
}

export interface ChangesOptions {
  readonly signal?: AbortSignal;
  /** Who is followed where there are several nodes. Default: as the client's reads. */
  readonly readPreference?: ReadPreference;
  /** Go on elsewhere when a replica is older than this, or does not know. Default: any age. */
  readonly maxStalenessMs?: number;
  /** So many failures in a row, and the feed throws the last. Default: it goes on until it is ended. */
  readonly failuresMax?: number;
  /** Called with each failure after which it goes on. */
  readonly onFailure?: (error: unknown) => void;
}

interface Told {
  /** Of the entry; several changes of one write may have one. */
  readonly seq: number;
  /** When it was written, by the master's clock (ISO 8601); null in a snapshot. */
  readonly time: string | null;
  /** It is a part of a snapshot. */
  readonly snapshot: boolean;
  /** Of the place right behind: `from` of a feed that goes on with the next change. */
  readonly token: string;
}

export interface UpsertChange extends Told {
  readonly type: 'upsert';
  readonly collection: string;
  readonly id: PointId;
  /** The seq of the write, as `version` of the point. */
  readonly version: number;
  readonly payload?: Payload;
  readonly vector?: Float32Array;
  readonly vectors?: PointRecord['vectors'];
  readonly expiresAt?: string;
}

export interface PointChange extends Told {
  /** leave: written, and does not pass the filter now. */
  readonly type: 'delete' | 'leave';
  readonly collection: string;
  readonly id: PointId;
}

export interface CollectionChanged extends Told {
  readonly type: 'create_collection' | 'update_collection';
  readonly collection: string;
  /** As on the wire (snake_case). */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface CollectionDeleted extends Told {
  readonly type: 'delete_collection';
  readonly collection: string;
}

export interface AliasPut extends Told {
  readonly type: 'put_alias';
  readonly alias: string;
  readonly collection: string;
}

export interface AliasDeleted extends Told {
  readonly type: 'delete_alias';
  readonly alias: string;
}

export interface SnapshotBorder extends Told {
  readonly type: 'snapshot_begin' | 'snapshot_end';
}

export type Change =
  | UpsertChange
  | PointChange
  | CollectionChanged
  | CollectionDeleted
  | AliasPut
  | AliasDeleted
  | SnapshotBorder;
