/** Between the client's camelCase and the wire's snake_case: one function for each shape, so that payloads and ids stay untouched.
 *
 *  Invariant: absent stays absent; nothing is invented. Must not know: HTTP, how a body is encoded. */

import { wholeStrictMode } from '../model/strict-mode.js';
import type {
  BatchOperationBody,
  CollectionChangeBody,
  CollectionInfoBody,
  ConditionBody,
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
import {
  anyVectorToWire,
  changedVectorsToWire,
  newVectorsToWire,
  shownVectorsFromWire,
  vectorsFromWire,
  vectorsToWire,
} from './named-forms.js';
import { plainPayload } from './payload-form.js';
import type {
  BatchOperation,
  CollectionChange,
  CollectionInfo,
  CollectionSettings,
  Condition,
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

type Given<Shape> = { -readonly [Key in keyof Shape]: Exclude<Shape[Key], undefined> };

/** Leaves out what is undefined, so that it does not travel as nil. */
function present<Shape extends object>(shape: { [Key in keyof Shape]: Shape[Key] | undefined }): Shape {
  const out: Partial<Given<Shape>> = {};
  for (const key of Object.keys(shape) as (keyof Shape)[]) {
    const value = shape[key];
    if (value !== undefined) out[key] = value as Given<Shape>[keyof Shape];
  }
  return out as Shape;
}

export function pointToWire(point: PointInput, form: VectorForm): PointBody {
  const { id, vector, vectors, payload, ifVersion, expiresAt } = point;
  const body: { -readonly [Key in keyof PointBody]: PointBody[Key] } = { id };
  if (vector !== undefined) body.vector = form(vector);
  if (vectors !== undefined) body.vectors = vectorsToWire(vectors, form);
  if (payload !== undefined) body.payload = plainPayload(payload);
  if (ifVersion !== undefined) body.if_version = ifVersion;
  if (expiresAt !== undefined) body.expires_at = expiresAt instanceof Date ? expiresAt.toISOString() : (expiresAt ?? 'never');
  return body;
}

export function patchToWire(patch: PointPatch, form: VectorForm): PointPatchBody {
  return present<PointPatchBody>({
    id: patch.id,
    vector: patch.vector === undefined ? undefined : form(patch.vector),
    vectors: patch.vectors === undefined ? undefined : vectorsToWire(patch.vectors, form),
    unset_vectors: patch.unsetVectors === undefined ? undefined : [...patch.unsetVectors],
    payload: patch.payload === undefined ? undefined : plainPayload(patch.payload),
    unset: patch.unset === undefined ? undefined : [...patch.unset],
    if_version: patch.ifVersion,
  });
}

export function collectionToWire(settings: CollectionSettings): NewCollectionBody {
  const { dimension, distance, hnsw, ttlMs, quantization, strictMode } = settings;
  return present<NewCollectionBody>({
    dimension,
    distance,
    hnsw: hnsw === undefined ? undefined : present({ m: hnsw.m, ef_construct: hnsw.efConstruct, ef_search: hnsw.efSearch }),
    ttl_ms: ttlMs,
    ...newVectorsToWire(settings),
    ...indexingToWire(settings),
    quantization,
    strict_mode: strictMode ? { ...strictToBody(strictMode), enabled: strictMode.enabled } : strictMode,
  });
}

export function collectionChangeToWire(change: CollectionChange): CollectionChangeBody {
  const { hnsw, ttlMs, quantization, strictMode } = change;
  return present<CollectionChangeBody>({
    hnsw: hnsw === undefined ? undefined : { ef_search: hnsw.efSearch },
    ttl_ms: ttlMs,
    ...changedVectorsToWire(change),
    ...indexingToWire(change),
    quantization,
    strict_mode: strictMode ? strictToBody(strictMode) : strictMode,
  });
}

type Indexing = Pick<CollectionChange, 'textFields' | 'text' | 'payloadIndexes'>;
type IndexingBody = Pick<CollectionChangeBody, 'text_fields' | 'text' | 'payload_indexes'>;

function indexingToWire({ textFields, text, payloadIndexes }: Indexing): IndexingBody {
  return present<IndexingBody>({
    text_fields: textFields === undefined ? undefined : [...textFields],
    text:
      text === undefined
        ? undefined
        : present({
            language: text.language,
            stop_words: text.stopWords,
            word_length: text.wordLength,
            k1: text.k1,
            b: text.b,
          }),
    payload_indexes: payloadIndexes === undefined ? undefined : [...payloadIndexes],
  });
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

export function selectionToWire({ withVector, withPayload }: Selection): SelectionBody {
  const names = typeof withVector === 'object' ? [...withVector] : withVector;
  return present<SelectionBody>({ with_vector: names, with_payload: withPayload });
}

export function scrollToWire(request: ScrollRequest): ScrollBody {
  return present<ScrollBody>({
    filter: request.filter === undefined ? undefined : filterToWire(request.filter),
    limit: request.limit,
    cursor: request.cursor,
    ...selectionToWire(request),
  });
}

export function facetToWire({ key, filter, limit, exact }: FacetRequest): FacetBody {
  return present<FacetBody>({ key, filter: filter === undefined ? undefined : filterToWire(filter), limit, exact });
}

export function searchToWire(request: SearchRequest, form: VectorForm): SearchBody {
  return present<SearchBody>({
    vector: request.vector === undefined ? undefined : anyVectorToWire(request.vector, form),
    using: request.using,
    id: request.id,
    text: request.text,
    filter: request.filter === undefined ? undefined : filterToWire(request.filter),
    fusion: request.fusion === undefined ? undefined : fusionToWire(request.fusion),
    candidates: request.candidates,
    cache: request.cache,
    timeout_ms: request.searchTimeoutMs,
    limit: request.limit,
    offset: request.offset,
    ef_search: request.efSearch,
    exact: request.exact,
    score_threshold: request.scoreThreshold,
    ...selectionToWire(request),
    explain: request.explain,
  });
}

function fusionToWire({ method, rrfK, weights }: FusionSettings): FusionBody {
  return present<FusionBody>({ method, rrf_k: rrfK, weights: weights === undefined ? undefined : present({ ...weights }) });
}

export function groupsToWire({ groupBy, groupSize, ...search }: SearchGroupsRequest, form: VectorForm): SearchGroupsBody {
  return present<SearchGroupsBody>({ ...searchToWire(search, form), group_by: groupBy, group_size: groupSize });
}

export function recommendToWire({ positive, negative, strategy, ...rest }: RecommendRequest, form: VectorForm): RecommendBody {
  const examples = (list: RecommendRequest['positive']): ExampleBody[] =>
    list.map((example) => (typeof example === 'object' ? anyVectorToWire(example, form) : example));
  return present<RecommendBody>({
    ...searchToWire(rest, form),
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

export function batchOperationToWire(operation: BatchOperation, form: VectorForm): BatchOperationBody {
  if ('upsert' in operation) {
    const { collection, points } = operation.upsert;
    return { upsert: { collection, points: points.map((point) => pointToWire(point, form)) } };
  }
  if ('patch' in operation) {
    const { collection, points } = operation.patch;
    return { patch: { collection, points: points.map((point) => patchToWire(point, form)) } };
  }
  if ('delete' in operation) return { delete: operation.delete };
  if ('createCollection' in operation) {
    const { collection, ...settings } = operation.createCollection;
    return { create_collection: { collection, ...collectionToWire(settings) } };
  }
  if ('deleteCollection' in operation) return { delete_collection: operation.deleteCollection };
  if ('putAlias' in operation) return { put_alias: operation.putAlias };
  return { delete_alias: operation.deleteAlias };
}

export function filterToWire(filter: Filter): FilterBody {
  const { must, should, mustNot, minShould } = filter;
  return present<FilterBody>({
    must: must?.map(conditionToWire),
    should: should?.map(conditionToWire),
    must_not: mustNot?.map(conditionToWire),
    min_should: minShould && { conditions: minShould.conditions.map(conditionToWire), min_count: minShould.minCount },
  });
}

function conditionToWire(condition: Condition): ConditionBody {
  if ('hasId' in condition) return { has_id: condition.hasId };
  if ('nested' in condition) return { nested: { key: condition.nested.key, filter: filterToWire(condition.nested.filter) } };
  if ('slice' in condition) return condition;
  if (!('key' in condition)) return filterToWire(condition);
  const { key } = condition;
  if ('geoRadius' in condition)
    return { key, geo_radius: { center: condition.geoRadius.center, radius_m: condition.geoRadius.radiusM } };
  if ('geoBox' in condition) {
    return { key, geo_box: { top_left: condition.geoBox.topLeft, bottom_right: condition.geoBox.bottomRight } };
  }
  if ('geoPolygon' in condition) return { key, geo_polygon: condition.geoPolygon };
  if ('isEmpty' in condition) return { key, is_empty: condition.isEmpty };
  if ('isNull' in condition) return { key, is_null: condition.isNull };
  if ('valuesCount' in condition) return { key, values_count: condition.valuesCount };
  if ('match' in condition && 'textAny' in condition.match) return { key, match: { text_any: condition.match.textAny } };
  if ('match' in condition) return { key, match: condition.match } as ConditionBody;
  if ('range' in condition) return { key, range: condition.range };
  return { key, exists: condition.exists };
}
