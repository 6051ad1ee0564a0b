/** What each error of the server has in its details: one table, from which the types of the typed errors follow.
 *
 *  Names are those of the wire, as docs/ERRORS.md lists them (tests/sdk/error-details.test.ts holds the two to each other). A `?` marks what is
 *  not always there. A newer server may send more. Must not know: messages, statuses. */

import type { ErrorType } from '../model/errors.js';
import type { PointId } from '../model/point.js';

interface Kinds {
  readonly text: string;
  readonly number: number;
  /** Null: not known. */
  readonly 'number|null': number | null;
  readonly texts: readonly string[];
  readonly id: PointId;
  readonly 'id|null': PointId | null;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
  readonly engines: readonly { readonly engine: string; readonly message: string }[];
}

type Kind = keyof Kinds;
type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

export const DETAILS = {
  InvalidRequest: { issues: 'issues', limit: 'number?' },
  InvalidJson: { offset: 'number?' },
  DimensionMismatch: { expected: 'number', got: 'number', point_id: 'id|null?', path: 'text?' },
  InvalidVector: { point_id: 'id|null?', component: 'number?', path: 'text?' },
  InvalidFilter: { path: 'text', message: 'text', limit: 'number?' },
  InvalidCollectionName: { collection: 'text?' },
  ZeroVector: { point_id: 'id|null?', path: 'text?' },
  WriteConcernImpossible: { required: 'number', voters: 'number' },
  Unauthorized: {},
  Forbidden: { needed: 'text?', key_role: 'text?', collection: 'text?', origin: 'text?', host: 'text?' },
  CollectionNotFound: { collection: 'text', available_collections: 'texts?' },
  PointNotFound: { id: 'id', collection: 'text?' },
  AliasNotFound: { alias: 'text', available_aliases: 'texts?' },
  RouteNotFound: { method: 'text?', path: 'text?' },
  ReplicaNotFound: { id: 'text' },
  KeyNotFound: { key_id: 'text' },
  BackupNotFound: {},
  MethodNotAllowed: { method: 'text', path: 'text', allowed: 'texts' },
  RequestTimeout: {},
  CollectionAlreadyExists: { collection: 'text', alias_of: 'text?' },
  VersionConflict: { id: 'id', expected: 'number', actual: 'number' },
  IdempotencyConflict: {},
  BackupsOff: {},
  BackupNeeded: { backup: 'text', reason: 'text', needed_by: 'texts' },
  PositionLost: { requested_seq: 'number?', last_seq: 'number?', seq: 'number?' },
  AdminKeyRequired: {},
  NotPromotable: { reason: 'text' },
  ChangesGone: { requested_seq: 'number', oldest_seq: 'number', oldest: 'text' },
  NotRepairable: { reason: 'text' },
  PayloadTooLarge: { limit_bytes: 'number?', point_id: 'id?', path: 'text?' },
  UnsupportedMediaType: { content_type: 'text?', content_encoding: 'text?', supported: 'texts?' },
  NotMaster: { master_url: 'text?' },
  RateLimited: { retry_after_ms: 'number', limit: 'number?', strict_mode: 'text?' },
  Internal: {},
  BackupDamaged: { backup: 'text?', object: 'text?', problem: 'text?' },
  CorruptData: {
    ...({ collection: 'text?', point_id: 'id|null?', table: 'text?', collection_uid: 'number?' } as const),
    ...({ label: 'number?', seq: 'number?', code: 'text?' } as const),
  },
  BackupTargetFailed: { target: 'text?', operation: 'text?', key: 'text?', reason: 'text' },
  Starting: { step: 'text', progress: 'number', eta_ms: 'number|null' },
  ShuttingDown: {},
  NoMaster: {},
  ReplicaBehind: { requested: 'number|null', applied: 'number', lag_ms: 'number|null', max_staleness_ms: 'number?' },
  IndexBehind: { requested: 'number', applied: 'number' },
  CircuitOpen: { dependency: 'text', retry_after_ms: 'number', last_failure: 'text?' },
  Overloaded: { reason: 'text' },
  SearchUnavailable: { failed: 'engines' },
  ReadOnly: { reason: 'text?' },
  WriteConcernTimeout: { required: 'number', acknowledged: 'number', position: 'text' },
  Timeout: {},
  MemoryLimitExceeded: { used_bytes: 'number?', limit_bytes: 'number?' },
  DiskLimitExceeded: { reason: 'text?', free_bytes: 'number?', needed_bytes: 'number?' },
} as const satisfies Readonly<Record<ErrorType, Shape>>;

type KindOf<Word> = Word extends `${infer Known extends Kind}?` ? Kinds[Known] : Word extends Kind ? Kinds[Word] : never;

type DetailsOf<Named> = {
  readonly [Name in keyof Named as Named[Name] extends `${string}?` ? never : Name]: KindOf<Named[Name]>;
} & {
  readonly [Name in keyof Named as Named[Name] extends `${string}?` ? Name : never]?: KindOf<Named[Name]>;
};

/** The details of one type of error, with their names of the wire; others may be among them. */
export type ErrorDetailsOf<Type extends ErrorType> = DetailsOf<(typeof DETAILS)[Type]> & Readonly<Record<string, unknown>>;
