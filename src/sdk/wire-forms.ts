/** Between the client's camelCase and the wire's snake_case: one function for each shape, so that payloads and ids stay untouched.
 *
 *  Invariant: absent stays absent; nothing is invented, and nothing that a program says is passed over: what the client does not know goes along,
 *  and the server refuses it by its name. Must not know: HTTP, how a body is encoded. */

import { STRICT_SETTINGS, type StrictMode, wholeStrictMode } from '../model/strict-mode.js';
import type {
  BatchOperationBody,
  CollectionChangeBody,
  CollectionInfoBody,
  ExampleBody,
  FacetBody,
  FilterBody,
  FoundPointBody,
  FusionBody,
  ImportAnswer as ImportAnswerBody,
  NewCollectionBody,
  PointBody,
  PointPatchBody,
  RecommendBody,
  ScrollBody,
  SearchAnswerBody,
  SearchBody,
  SearchGroupsAnswer as SearchGroupsAnswerBody,
  SearchGroupsBody,
  SearchHitBody,
  VectorBody,
} from '../wire/http-bodies.js';
import { strictFromBody, strictToBody } from '../wire/strict-forms.js';
import { filterToWire } from './filter-form.js';
import {
  anyVectorToWire,
  changedVectorsToWire,
  hnswToWire,
  newVectorsToWire,
  shownVectorsFromWire,
  vectorsFromWire,
  vectorsToWire,
} from './named-forms.js';
import { plainPayload } from './payload-form.js';
import { present } from './present.js';
import type {
  BatchOperation,
  ChosenPoints,
  CollectionChange,
  CollectionInfo,
  CollectionSettings,
  FacetRequest,
  Filter,
  FusionSettings,
  GraphHealth,
  Hit,
  ImportAnswer,
  PointInput,
  PointPatch,
  PointRecord,
  RecommendRequest,
  ScrollRequest,
  SearchAnswer,
  SearchGroupsAnswer,
  SearchGroupsRequest,
  SearchRequest,
  Selection,
  TextSettings,
  VectorInput,
  WriteAnswer,
} from './types.js';
import { vectorFrom } from './vector-form.js';

/** How vectors stand in a body: bytes in MessagePack, numbers in JSON. */
export type VectorForm = (vector: VectorInput) => VectorBody;

/** `version` and `score` are of points as they are read, and say nothing where one is written. */
const POINT_FIELDS = new Set(['id', 'vector', 'vectors', 'payload', 'ifVersion', 'expiresAt', 'version', 'score']);

function unknownOf(given: object, known: ReadonlySet<string>): object | null {
  let unknown: Record<string, unknown> | null = null;
  for (const name in given) {
    if (known.has(name)) continue;
    unknown ??= {};
    unknown[name] = (given as Record<string, unknown>)[name];
  }
  return unknown;
}

export function pointToWire(point: PointInput, form: VectorForm): PointBody {
  const { id, vector, vectors, payload, ifVersion, expiresAt } = point;
  const body: { -readonly [Key in keyof PointBody]: PointBody[Key] } = { ...unknownOf(point, POINT_FIELDS), id };
  if (vector !== undefined) body.vector = form(vector);
  if (vectors !== undefined) body.vectors = vectorsToWire(vectors, form);
  if (payload !== undefined) body.payload = plainPayload(payload);
  if (ifVersion !== undefined) body.if_version = ifVersion;
  if (expiresAt !== undefined) body.expires_at = expiresAt instanceof Date ? expiresAt.toISOString() : (expiresAt ?? 'never');
  return body;
}

export function patchToWire(patch: PointPatch, form: VectorForm): PointPatchBody {
  const { id, vector, vectors, unsetVectors, payload, unset, ifVersion, ...others } = patch;
  return present<PointPatchBody>(others, {
    id,
    vector: vector === undefined ? undefined : form(vector),
    vectors: vectors === undefined ? undefined : vectorsToWire(vectors, form),
    unset_vectors: unsetVectors === undefined ? undefined : [...unsetVectors],
    payload: payload === undefined ? undefined : plainPayload(payload),
    unset: unset === undefined ? undefined : [...unset],
    if_version: ifVersion,
  });
}

export function collectionToWire(settings: CollectionSettings): NewCollectionBody {
  const { hnsw, ttlMs, vectors, sparseVectors, strictMode, ...others } = settings;
  return present<NewCollectionBody>(indexingToWire(others), {
    hnsw: hnsw && hnswToWire(hnsw),
    ttl_ms: ttlMs,
    ...newVectorsToWire({ vectors, sparseVectors }),
    strict_mode: strictMode && { ...strictToWire(strictMode), enabled: strictMode.enabled },
  });
}

export function collectionChangeToWire(change: CollectionChange): CollectionChangeBody {
  const { hnsw, ttlMs, vectors, sparseVectors, strictMode, ...others } = change;
  return present<CollectionChangeBody>(indexingToWire(others), {
    hnsw: hnsw && hnswToWire(hnsw),
    ttl_ms: ttlMs,
    ...changedVectorsToWire({ vectors, sparseVectors }),
    strict_mode: strictMode && strictToWire(strictMode),
  });
}

type Indexing = Pick<CollectionChange, 'textFields' | 'text' | 'payloadIndexes'>;
type IndexingBody = Pick<CollectionChangeBody, 'text_fields' | 'text' | 'payload_indexes'>;

function indexingToWire({ textFields, text, payloadIndexes, ...others }: Indexing): object {
  return present<IndexingBody>(others, {
    text_fields: textFields && [...textFields],
    text: text && textToWire(text),
    payload_indexes: payloadIndexes && [...payloadIndexes],
  });
}

function textToWire({ stopWords, wordLength, ...others }: NonNullable<Indexing['text']>): NonNullable<IndexingBody['text']> {
  return present<NonNullable<IndexingBody['text']>>(others, { stop_words: stopWords, word_length: wordLength });
}

const STRICT_FIELDS: ReadonlySet<string> = new Set([...STRICT_SETTINGS, 'enabled']);

function strictToWire(mode: Partial<StrictMode>): ReturnType<typeof strictToBody> {
  return { ...unknownOf(mode, STRICT_FIELDS), ...strictToBody(mode) };
}

export function collectionFromWire(body: CollectionInfoBody): CollectionInfo {
  return {
    name: body.name,
    dimension: body.dimension,
    distance: body.distance,
    ...shownVectorsFromWire(body),
    hnsw: { m: body.hnsw.m, efConstruct: body.hnsw.ef_construct, efSearch: body.hnsw.ef_search },
    ttlMs: body.ttl_ms,
    pointsCount: body.points_count,
    status: body.status,
    progress: body.progress,
    memoryBytes: body.memory_bytes,
    diskBytes: body.disk_bytes,
    tombstoneRatio: body.tombstone_ratio,
    indexHealth: graphHealthFromWire(body.index_health),
    textFields: body.text_fields,
    text: textFromWire(body.text),
    payloadIndexes: body.payload_indexes,
    quantization: body.quantization,
    strictMode: body.strict_mode
      ? wholeStrictMode({ ...strictFromBody(body.strict_mode), enabled: body.strict_mode.enabled })
      : null,
    createdAt: body.created_at,
    position: body.position,
  };
}

/** @param body undefined: of a server that does not look at its graphs yet */
function graphHealthFromWire(body: CollectionInfoBody['index_health'] | undefined): GraphHealth | null {
  if (body === null || body === undefined) return null;
  const { checked_at: checkedAt, sampled, reachable, orphans, in_degree_min: inDegreeMin, in_degree_mean: inDegreeMean } = body;
  return { checkedAt, sampled, reachable, orphans, inDegreeMin, inDegreeMean };
}

function textFromWire(body: CollectionInfoBody['text']): TextSettings | null {
  // A server of before knows no texts.
  return body === null || body === undefined
    ? null
    : {
        language: body.language,
        stopWords: body.stop_words,
        ...(body.word_length && { wordLength: body.word_length }),
        k1: body.k1,
        b: body.b,
      };
}

interface SelectionBody {
  with_vector?: boolean | string[];
  with_payload?: boolean;
}

export function selectionToWire({ withVector, withPayload, ...others }: Selection): SelectionBody {
  const names = typeof withVector === 'object' ? [...withVector] : withVector;
  return present<SelectionBody>(others, { with_vector: names, with_payload: withPayload });
}

export function scrollToWire(request: ScrollRequest): ScrollBody {
  const { filter, ...others } = request;
  return present<ScrollBody>(selectionToWire(others), { filter: filter && filterToWire(filter) });
}

export function chosenToWire(which: ChosenPoints): object {
  // An array has a method of this name.
  const filter = Object.hasOwn(which, 'filter') ? (which as { readonly filter: Filter }).filter : undefined;
  return present<{ filter: FilterBody }>(which, { filter: filter && filterToWire(filter) });
}

export function facetToWire({ filter, ...others }: FacetRequest): FacetBody {
  return present<FacetBody>(others, { filter: filter && filterToWire(filter) });
}

export function searchToWire(request: SearchRequest, form: VectorForm): SearchBody {
  const { vector, filter, fusion, searchTimeoutMs, efSearch, scoreThreshold, ...others } = request;
  return present<SearchBody>(selectionToWire(others), {
    vector: vector === undefined ? undefined : anyVectorToWire(vector, form),
    filter: filter && filterToWire(filter),
    fusion: fusion && fusionToWire(fusion),
    timeout_ms: searchTimeoutMs,
    ef_search: efSearch,
    score_threshold: scoreThreshold,
  });
}

function fusionToWire({ rrfK, weights, ...others }: FusionSettings): FusionBody {
  return present<FusionBody>(others, {
    rrf_k: rrfK,
    weights: weights && present<NonNullable<FusionBody['weights']>>(weights, {}),
  });
}

export function groupsToWire({ groupBy, groupSize, ...search }: SearchGroupsRequest, form: VectorForm): SearchGroupsBody {
  return present<SearchGroupsBody>(searchToWire(search, form), { group_by: groupBy, group_size: groupSize });
}

export function recommendToWire({ positive, negative, strategy, ...rest }: RecommendRequest, form: VectorForm): RecommendBody {
  const examples = (list: RecommendRequest['positive']): ExampleBody[] =>
    list.map((example) => (typeof example === 'object' ? anyVectorToWire(example, form) : example));
  return present<RecommendBody>(searchToWire(rest, form), {
    positive: examples(positive),
    negative: negative && examples(negative),
    strategy,
  });
}

export function groupsFromWire(body: SearchGroupsAnswerBody): SearchGroupsAnswer {
  const groups = body.groups.map(({ value, hits }) => ({ value, hits: hits.map(hitFromWire) }));
  return { groups, ...searchEndFromWire(body) };
}

export function searchFromWire(body: SearchAnswerBody): SearchAnswer {
  return { hits: body.hits.map(hitFromWire), ...searchEndFromWire(body) };
}

function hitFromWire(hit: SearchHitBody): Hit {
  return { ...pointFromWire(hit), score: hit.score };
}

/** What every answer of a search says beside its hits. */
function searchEndFromWire(body: Omit<SearchAnswerBody, 'hits'>): Omit<SearchAnswer, 'hits'> {
  const { complete, mode, degraded, position } = body;
  return {
    complete,
    ...(body.incomplete_reason === undefined ? {} : { incompleteReason: body.incomplete_reason }),
    mode,
    degraded,
    tookMs: body.took_ms,
    position,
    ...(body.explain === undefined ? {} : { explain: body.explain }),
  };
}

export function pointFromWire(body: FoundPointBody): PointRecord {
  const { id, version, payload, vector, vectors, expires_at: expiresAt } = body;
  const point: { -readonly [Key in keyof PointRecord]: PointRecord[Key] } = { id, version };
  if (payload !== undefined) point.payload = payload;
  if (vector !== undefined) point.vector = vectorFrom(vector);
  if (vectors !== undefined) point.vectors = vectorsFromWire(vectors);
  if (expiresAt !== undefined) point.expiresAt = expiresAt;
  return point;
}

export function writeFromWire(body: {
  readonly seq: number;
  readonly position: string;
  readonly write_concern: WriteAnswer['writeConcern'];
}): WriteAnswer {
  return { seq: body.seq, position: body.position, writeConcern: body.write_concern };
}

export function importFromWire(body: ImportAnswerBody): ImportAnswer {
  const { imported, failed, position } = body;
  return { imported, failed, failedCount: body.failed_count, position, writeConcern: body.write_concern };
}

type KeyOf<Union> = Union extends unknown ? keyof Union : never;
/** Of one operation all that any of them may have: one that has two of them is the server's to refuse. */
type AnyOperation = {
  readonly [Key in KeyOf<BatchOperation>]?: Extract<BatchOperation, Readonly<Record<Key, unknown>>>[Key];
};

export function batchOperationToWire(operation: BatchOperation, form: VectorForm): BatchOperationBody {
  const { upsert, patch, createCollection, deleteCollection, putAlias, deleteAlias, ...others } = operation as AnyOperation;
  return present<Readonly<Record<string, unknown>>>(others, {
    upsert: upsert && { ...upsert, points: upsert.points.map((point) => pointToWire(point, form)) },
    patch: patch && { ...patch, points: patch.points.map((point) => patchToWire(point, form)) },
    create_collection: createCollection && collectionToWire(createCollection),
    delete_collection: deleteCollection,
    put_alias: putAlias,
    delete_alias: deleteAlias,
  }) as BatchOperationBody;
}
