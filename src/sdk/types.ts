/** What users of the client see: requests and answers in camelCase, vectors as Float32Array.
 *  The wire's own shapes are in wire/http-bodies; wire-forms.ts translates. Must not know: HTTP, bytes. */

import type { Payload, PointId } from '../model/point.js';
import type { CollectionSettings } from './collection-types.js';
import type { ReadPreference } from './nodes.js';

export type { JsonValue, Payload, PointId } from '../model/point.js';
export type * from './collection-types.js';

/** Components as given by the user; a plain array is rounded to float32 before it is sent. */
export type VectorInput = Float32Array | readonly number[];

/** Indices are unsigned 32-bit integers, each once, in any order. */
export interface SparseVectorInput {
  readonly indices: Uint32Array | readonly number[];
  readonly values: VectorInput;
}
export type AnyVectorInput = VectorInput | SparseVectorInput;
/** By name, as the collection declares them. */
export type NamedVectorsInput = Readonly<Record<string, AnyVectorInput>>;

/** As read: indices ascending, as many as values. */
export interface SparseVector {
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}
export type NamedVector = Float32Array | SparseVector;

export interface PointInput {
  readonly id: PointId;
  /** The default vector; needed where the collection declares no other. */
  readonly vector?: VectorInput;
  readonly vectors?: NamedVectorsInput;
  readonly payload?: Payload;
  /** Refused with VersionConflict unless the stored version is this one; 0: must not exist. */
  readonly ifVersion?: number;
  /** Null: never, whatever the collection says. */
  readonly expiresAt?: Date | string | null;
}

/** Absent fields stay as they are; payload is merged deeply; unset removes dotted paths. */
export interface PointPatch {
  readonly id: PointId;
  readonly vector?: VectorInput;
  /** Each in the place of what the point had under its name. */
  readonly vectors?: NamedVectorsInput;
  readonly unsetVectors?: readonly string[];
  readonly payload?: Payload;
  readonly unset?: readonly string[];
  readonly ifVersion?: number;
}

/** A point as read; vector and payload are there when they were asked for. */
export interface PointRecord {
  readonly id: PointId;
  readonly version: number;
  readonly vector?: Float32Array;
  /** Of a collection that declares names. */
  readonly vectors?: Readonly<Record<string, NamedVector>>;
  readonly payload?: Payload;
  /** ISO 8601; of a point that expires, in reads by id and of pages. */
  readonly expiresAt?: string;
}

type MatchValue = string | number | boolean;
interface Bounds<Value> {
  readonly gt?: Value;
  readonly gte?: Value;
  readonly lt?: Value;
  readonly lte?: Value;
}
interface GeoPoint {
  readonly lat: number;
  readonly lon: number;
}

export type Condition =
  | Filter
  | {
      readonly key: string;
      readonly match:
        | { readonly value: MatchValue }
        | { readonly any: readonly MatchValue[] }
        | { readonly except: readonly MatchValue[] }
        | { readonly text: string }
        | { readonly textAny: string }
        | { readonly phrase: string }
        | { readonly prefix: string };
    }
  | { readonly key: string; readonly range: Bounds<number | string> }
  | { readonly key: string; readonly geoRadius: { readonly center: GeoPoint; readonly radiusM: number } }
  | { readonly key: string; readonly geoBox: { readonly topLeft: GeoPoint; readonly bottomRight: GeoPoint } }
  | {
      readonly key: string;
      readonly geoPolygon: { readonly exterior: readonly GeoPoint[]; readonly interiors?: readonly (readonly GeoPoint[])[] };
    }
  | { readonly key: string; readonly exists: boolean }
  | { readonly key: string; readonly isNull: boolean }
  | { readonly key: string; readonly isEmpty: boolean }
  | { readonly key: string; readonly valuesCount: Bounds<number> }
  | { readonly nested: { readonly key: string; readonly filter: Filter } }
  | { readonly hasId: readonly PointId[] }
  | { readonly slice: { readonly total: number; readonly index: number } };

/** By their ids, or all that pass a filter. */
export type ChosenPoints = { readonly ids: readonly PointId[] } | { readonly filter: Filter };

export interface Filter {
  readonly must?: readonly Condition[];
  readonly should?: readonly Condition[];
  readonly mustNot?: readonly Condition[];
  readonly minShould?: { readonly conditions: readonly Condition[]; readonly minCount: number };
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Bounds the whole call, retries included; default: the client's. */
  readonly timeoutMs?: number;
}

export interface ReadOptions extends CallOptions {
  /** The answer is at least as new as this position; default: the session's, if there is one. */
  readonly minPosition?: string;
  /** How long the node may wait until it is that new (the server's default is 1000). */
  readonly maxWaitMs?: number;
  /** How old the state of the node may be; an older one, and one that does not know, refuses with ReplicaBehind. Default: the client's. */
  readonly maxStalenessMs?: number;
  /** Who answers, where there are several nodes. Default: the client's. */
  readonly readPreference?: ReadPreference;
}

export interface WriteOptions extends CallOptions {
  /** Nodes that must hold the write durably. */
  readonly w?: number | 'majority';
  /** indexed: the next search on this node finds it (the server's default). durable: safe on disk. */
  readonly wait?: 'indexed' | 'durable';
  /** How long the server may take for `w` and `wait`. */
  readonly writeTimeoutMs?: number;
  /** Default: a fresh key for every call, so that a retry cannot do the write twice. false: none, and the call is repeated only when
   *  nothing was sent. 'not-needed': none, but repeating is harmless (upserts without ifVersion) and allowed. */
  readonly idempotencyKey?: string | false | 'not-needed';
}

export interface WriteAnswer {
  readonly seq: number;
  readonly position: string;
  readonly writeConcern: { readonly required: number; readonly acknowledged: number };
}
/** A name that stands for a collection wherever a collection's name is asked for. */
export interface Alias {
  readonly alias: string;
  /** The collection's own name. */
  readonly collection: string;
}
export interface PutAliasAnswer extends WriteAnswer, Alias {
  /** There was no such alias before. */
  readonly created: boolean;
  /** The collection it stood for before; null when it is new. */
  readonly previous: string | null;
}
export interface UpsertAnswer extends WriteAnswer {
  readonly upserted: number;
}
export interface PatchAnswer extends WriteAnswer {
  readonly patched: number;
}
/** deleted counts points that existed; units (by filter only) is how many atomic units of at most 10,000 points it took. */
export interface DeleteAnswer extends WriteAnswer {
  readonly deleted: number;
  readonly units?: number;
}

export interface Selection {
  /** true: all vectors; or the names of those that are wanted. */
  readonly withVector?: boolean | readonly string[];
  readonly withPayload?: boolean;
}

export interface ScrollRequest extends Selection {
  readonly filter?: Filter;
  /** Default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}
export interface ScrollPage {
  readonly points: readonly PointRecord[];
  /** For the next page; null behind the last. */
  readonly nextCursor: string | null;
}

export interface FacetRequest {
  /** Dotted path of the payload field. */
  readonly key: string;
  readonly filter?: Filter;
  /** How many values at most; default 10. */
  readonly limit?: number;
  /** Default true. false: values that the payload index of the field does not hold may be left out. */
  readonly exact?: boolean;
}
export interface FacetAnswer {
  /** Most frequent first; `count` points have the value. */
  readonly values: readonly { readonly value: string | number | boolean; readonly count: number }[];
  readonly exact: boolean;
  readonly position: string;
}

/** How the hits of vector and text become one list. */
export interface FusionSettings {
  /** Default rrf: by ranks alone. weighted and dbsf: by scores. */
  readonly method?: 'rrf' | 'weighted' | 'dbsf';
  /** Added to ranks, of rrf only. Default 60. */
  readonly rrfK?: number;
  /** Shares of the two engines, default 1 and 1; only their ratio counts. */
  readonly weights?: { readonly vector?: number; readonly text?: number };
}

export interface SearchRequest extends Selection {
  /** At least one of vector, id and text, and not both vector and id; the point of an id is left out of its own hits. */
  readonly vector?: AnyVectorInput;
  /** Name of the vectors that are searched; default: the default ones. */
  readonly using?: string;
  readonly id?: PointId;
  /** Words to find in the text fields of the collection; with a vector or an id beside it the search is hybrid. */
  readonly text?: string;
  readonly filter?: Filter;
  readonly fusion?: FusionSettings;
  /** Hits taken from each engine before fusion. */
  readonly candidates?: number;
  /** false: the answer is computed anew. Default true. */
  readonly cache?: boolean;
  /** How long the server may take for the search itself. */
  readonly searchTimeoutMs?: number;
  /** Default 10. */
  readonly limit?: number;
  readonly offset?: number;
  readonly efSearch?: number;
  readonly exact?: boolean;
  readonly scoreThreshold?: number;
  readonly explain?: boolean;
}

export interface Hit extends PointRecord {
  readonly score: number;
}

/** How a search was done, with the names of the wire. Written out, so that who reads the types of the client loads no schemas. */
export interface SearchExplanation {
  /** flat, graph, scan or text; two of them joined by ` + ` in a hybrid search. */
  readonly plan: string;
  readonly reason: string;
  /** Of the points that may be hits. */
  readonly cardinality: { readonly estimated: number; readonly actual: number };
  /** Points that were compared, or postings that were read. */
  readonly visited: number;
  readonly rejected: number;
  readonly steps: readonly { readonly name: string; readonly took_ms: number }[];
  readonly engines: { readonly vector?: object; readonly text?: object };
  /** What would make it faster, in sentences. */
  readonly advice: readonly string[];
}

export interface SearchAnswer {
  readonly hits: readonly Hit[];
  /** false: fewer hits than exist could be found; incompleteReason says why. */
  readonly complete: boolean;
  readonly incompleteReason?: string;
  /** What answered. */
  readonly mode: 'hybrid' | 'text' | 'vector' | 'exact';
  /** An engine that was asked could not answer. */
  readonly degraded: boolean;
  readonly tookMs: number;
  readonly position: string;
  /** As the server sent it (docs/HTTP_API.md). */
  readonly explain?: SearchExplanation;
}

/** A search whose hits come by the values of a payload field. */
export interface SearchGroupsRequest extends Omit<SearchRequest, 'offset'> {
  /** Dotted path; a point is in the group of each text, number and boolean there. */
  readonly groupBy: string;
  /** How many hits of a group at most; default 3. */
  readonly groupSize?: number;
  /** How many groups at most; default 10. */
  readonly limit?: number;
}

export interface SearchGroupsAnswer extends Omit<SearchAnswer, 'hits'> {
  /** In the order of their best hits. */
  readonly groups: readonly { readonly value: string | number | boolean; readonly hits: readonly Hit[] }[];
}

/** A search near the mean of examples, each the id of a point or a vector; the points among them are no hits. */
export interface RecommendRequest extends Omit<SearchRequest, 'vector' | 'id' | 'text' | 'fusion' | 'candidates'> {
  readonly positive: readonly (PointId | AnyVectorInput)[];
  /** What hits are not to be like. */
  readonly negative?: readonly (PointId | AnyVectorInput)[];
  readonly strategy?: 'average_vector';
}

/** One change of an atomic batch; each names its collection. */
export type BatchOperation =
  | { readonly upsert: { readonly collection: string; readonly points: readonly PointInput[] } }
  | { readonly patch: { readonly collection: string; readonly points: readonly PointPatch[] } }
  | { readonly delete: { readonly collection: string; readonly ids: readonly PointId[] } }
  | { readonly createCollection: CollectionSettings & { readonly collection: string } }
  | { readonly deleteCollection: { readonly collection: string } }
  | { readonly putAlias: { readonly alias: string; readonly collection: string } }
  | { readonly deleteAlias: { readonly alias: string } };

export interface BatchAnswer extends WriteAnswer {
  /** One for each operation, as its own route answers, without the position. */
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

export interface ImportOptions extends WriteOptions {
  readonly onProgress?: (progress: ImportProgress) => void;
}
export interface ImportProgress {
  readonly lines: number;
  readonly imported: number;
  readonly failedCount: number;
  readonly position: string;
}
/** One look at an import that runs; the last one has its answer. */
export interface ImportStep extends ImportProgress {
  readonly answer: ImportAnswer | null;
}
export interface ImportAnswer {
  readonly imported: number;
  /** The first 1,000 refused lines, counted from 1. */
  readonly failed: readonly {
    readonly line: number;
    readonly error: { readonly type: string; readonly message: string; readonly details: unknown };
  }[];
  readonly failedCount: number;
  readonly position: string;
  readonly writeConcern: WriteAnswer['writeConcern'];
}

export interface HealthAnswer {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly reasons: readonly string[];
  /** The whole body as the server sent it. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ReadyAnswer {
  readonly status: 'ready' | 'starting' | 'draining' | 'stopping';
  readonly step: string;
  /** 0 … 1 within the step. */
  readonly progress: number;
  readonly etaMs: number | null;
  readonly message: string;
}

export interface VersionAnswer {
  readonly name: string;
  readonly version: string;
  readonly api: string;
  readonly node: string;
  /** Which build of the HNSW library runs. */
  readonly nativeBuild: string;
}
