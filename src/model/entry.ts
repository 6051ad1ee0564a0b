/** Entries: an operation with its position, as the log carries it. Effects are final values: deterministic, idempotent, no clock.
 *
 *  A unit is one request's entries, seqs dense; firstSeq names its first and `last` marks its end. Commit, publish, apply, prune
 *  and fork happen at unit borders only. An entry is the effect on up to 1,000 points or about 1 MiB of one collection. */

import type { AccessKey } from './access-key.js';
import type { Alias } from './alias.js';
import type { CollectionSpec } from './collection.js';
import type { PointId } from './point.js';
import type { Voter } from './replication.js';

export interface PointValue {
  readonly id: PointId;
  /** Encoded (codec/vector-set.ts): resolved once, then the same bytes in the log, in the digest and in the row. */
  readonly vectorSet: Uint8Array;
  /** UTF-8 JSON of an object exactly as stored; empty means `{}`. */
  readonly payload: Uint8Array;
  /** Milliseconds since 1970, or null. */
  readonly expiresAtMs: number | null;
}

export type Effect =
  | { readonly kind: 'noop' }
  | { readonly kind: 'put_points'; readonly uid: number; readonly points: readonly PointValue[] }
  | { readonly kind: 'delete_points'; readonly uid: number; readonly ids: readonly PointId[] }
  | { readonly kind: 'create_collection'; readonly uid: number; readonly name: string; readonly spec: CollectionSpec }
  | { readonly kind: 'update_collection'; readonly uid: number; readonly spec: CollectionSpec }
  /** With its points and its aliases. */
  | { readonly kind: 'drop_collection'; readonly uid: number }
  /** The name stands for the collection from now on, whatever it stood for before. */
  | ({ readonly kind: 'put_alias' } & Alias)
  | { readonly kind: 'remove_alias'; readonly name: string }
  /** Remembers an idempotent request; always the last effect of its unit. */
  | { readonly kind: 'remember'; readonly scope: Uint8Array; readonly body: Uint8Array; readonly results: Uint8Array }
  /** The first entry of a new epoch, alone in its unit; the entry's own epoch is the new one. Both ids are 32 lower-case hex digits. */
  | { readonly kind: 'begin_history'; readonly historyId: string; readonly nodeId: string }
  | ({ readonly kind: 'put_voter' } & Voter)
  | { readonly kind: 'remove_voter'; readonly nodeId: string }
  /** The whole record, whatever the key was before. */
  | { readonly kind: 'put_key'; readonly key: AccessKey }
  | { readonly kind: 'remove_key'; readonly id: string };

export interface Entry {
  readonly seq: number;
  readonly epoch: number;
  /** First seq of the unit. */
  readonly firstSeq: number;
  /** Last entry of its unit. */
  readonly last: boolean;
  /** The master's clock when the unit was admitted, in milliseconds since 1970. */
  readonly timeMs: number;
  /** W3C traceparent of the request, or null. */
  readonly trace: string | null;
  /** State digest (16 bytes) after the unit; on the last entry only. */
  readonly digest: Uint8Array | null;
  readonly effect: Effect;
}
