/** An engine in memory with exact search: what HTTP promises can be tried against it without a disk, and its answers can be made to fail.
 *  It keeps the contract of engine/engine.ts for what tests need; order, atomicity and durability are the real engine's to prove. */

import { changedSpec } from '../../src/engine/changed-spec.js';
import { newVectors } from '../../src/engine/declared-vectors.js';
import type {
  CollectionInfo,
  Engine,
  EngineStatus,
  FacetAnswer,
  FacetRequest,
  FoundPoint,
  GroupAnswer,
  GroupRequest,
  RankedAnswer,
  RecallAnswer,
  RecallRequest,
  ScrollRequest,
  SearchAnswer,
  SearchEngineStatus,
  SearchHit,
  SearchRequest,
  SearchStatus,
  Selection,
  Strictness,
  WaitLevel,
  WriteOptions,
  WriteReceipt,
} from '../../src/engine/engine.js';
import { mergePayload } from '../../src/engine/merge-payload.js';
import { aliasNotFound } from '../../src/model/alias.js';
import { type CollectionSpec, checkCollectionName, collectionNotFound, NOTHING_DECLARED } from '../../src/model/collection.js';
import { compareScores, passesThreshold, scorer } from '../../src/model/distance.js';
import { invalidRequest, SkeinError } from '../../src/model/errors.js';
import { FacetCounts, type FacetScalar, scalarsAt } from '../../src/model/facet.js';
import type { Filter } from '../../src/model/filter.js';
import type { CollectionAfter, NewCollection, Operation, OperationResult } from '../../src/model/operation.js';
import { comparePointIds, type Payload, type PointChange, type PointId } from '../../src/model/point.js';
import type { Position } from '../../src/model/position.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';
import { FakeChanges } from './fake-changes.js';
import { FakeKeys } from './fake-keys.js';
import { fakeProbes } from './fake-probes.js';

interface StoredPoint {
  readonly id: PointId;
  readonly version: number;
  readonly payload: Uint8Array;
  readonly vector: Float32Array;
}

interface StoredCollection {
  readonly name: string;
  spec: NewCollection;
  readonly points: Map<PointId, StoredPoint>;
}

const IDLE: SearchEngineStatus = {
  breaker: 'closed',
  failures: 0,
  failuresTotal: 0,
  restarts: 0,
  stalled: 0,
  collections: 0,
  loading: 0,
  latencyMs: null,
};
/** Nothing was searched, and nothing is wrong. */
export const QUIET_SEARCH: SearchStatus = {
  vector: IDLE,
  text: IDLE,
  fallback: { active: false, sinceMs: null, count: 0 },
  recall: { figures: [], shortfalls: [], skipped: 0, discarded: 0 },
  graphs: [],
};

/** Without the cancellation that every request has. */
function asAsked<Request extends { readonly cancellation?: unknown }>({
  cancellation: _cancellation,
  ...asked
}: Request): Request {
  return asked as Request;
}

export class FakeEngine implements Engine {
  readonly historyId = 'ab'.repeat(16);
  seq = 0;
  readonly keys = new FakeKeys(() => this.position());
  readonly changes = new FakeChanges();
  /** Thrown by the next calls of the named method, one each. */
  readonly failures = new Map<keyof Engine, Error[]>();
  /** Options of all writes, in their order. */
  readonly writes: { readonly operations: readonly Operation[]; readonly options: WriteOptions }[] = [];
  /** All searches, in their order. */
  readonly searches: SearchRequest[] = [];
  /** What it says of its searching. */
  searching: SearchStatus = QUIET_SEARCH;
  readonly probes = fakeProbes(() => this.status());
  readonly facets: FacetRequest[] = [];
  readonly groupSearches: GroupRequest[] = [];
  readonly recalls: RecallRequest[] = [];
  /** Each write waits for it. */
  gate: Promise<void> = Promise.resolve();
  readonly #collections = new Map<string, StoredCollection>();
  /** Alias → name. */
  #aliases: ReadonlyMap<string, string> = new Map();
  readonly #remembered = new Map<string, { body: string; receipt: WriteReceipt }>();

  failNext(method: keyof Engine, error: Error): void {
    this.failures.set(method, [...(this.failures.get(method) ?? []), error]);
  }

  #mayFail(method: keyof Engine): void {
    const error = this.failures.get(method)?.shift();
    if (error !== undefined) throw error;
  }

  async write(operations: readonly Operation[], options: WriteOptions): Promise<WriteReceipt> {
    this.writes.push({ operations, options });
    await this.gate;
    this.#mayFail('write');
    const key = options.idempotency === undefined ? null : hex(options.idempotency.scope);
    const known = key === null ? undefined : this.#remembered.get(key);
    if (known !== undefined) {
      if (known.body !== hex(options.idempotency?.body)) throw new SkeinError('IdempotencyConflict', 'another body had this key');
      return { ...known.receipt, repeated: true };
    }
    const before = new Map([...this.#collections].map(([name, kept]) => [name, { ...kept, points: new Map(kept.points) }]));
    const aliasesBefore = this.#aliases;
    const results: OperationResult[] = [];
    this.seq++;
    try {
      for (const operation of operations) {
        this.#check(operation);
        results.push(this.#apply(operation));
      }
    } catch (error) {
      this.seq--;
      this.#aliases = aliasesBefore;
      this.#collections.clear();
      for (const [name, kept] of before) this.#collections.set(name, kept);
      throw error;
    }
    const receipt: WriteReceipt = { results, seq: this.seq, position: this.position(), repeated: false };
    if (key !== null) this.#remembered.set(key, { body: hex(options.idempotency?.body), receipt });
    return receipt;
  }

  async deleteByFilter(name: string, filter: Filter, options: WriteOptions): Promise<WriteReceipt> {
    const ids = this.#matching(name, filter).map((point) => point.id);
    return this.write([{ kind: 'delete', collection: name, ids, earlier: { deleted: 0, units: 0 } }], options);
  }

  async patchByFilter(name: string, filter: Filter, change: PointChange, options: WriteOptions): Promise<WriteReceipt> {
    const patches = this.#matching(name, filter).map(({ id }) => ({ ...change, id }));
    return this.write([{ kind: 'patch', collection: name, patches, earlier: { patched: 0, units: 0 } }], options);
  }

  collections(): CollectionInfo[] {
    return [...this.#collections.keys()].map((name) => this.collection(name));
  }

  aliases() {
    return [...this.#aliases].map(([alias, collection]) => ({ alias, collection })).sort((a, b) => (a.alias < b.alias ? -1 : 1));
  }

  findCollection(name: string): CollectionInfo | null {
    return this.#collections.has(this.#aliases.get(name) ?? name) ? this.collection(name) : null;
  }

  strictness(name: string): Strictness | null {
    const info = this.findCollection(name);
    const mode = info?.strictMode ?? null;
    return info === null || mode?.enabled !== true ? null : { uid: info.uid, mode, payloadIndexes: info.payloadIndexes };
  }

  collection(name: string): CollectionInfo {
    this.#mayFail('collection');
    const { spec, points, name: own } = this.#named(name);
    const still = {
      status: 'ready',
      progress: 1,
      memoryBytes: 0,
      diskBytes: 0,
      tombstoneRatio: 0,
      indexHealth: null,
      uid: 1,
    } as const;
    return { ...specOf({ spec }), ...still, name: own, pointsCount: points.size, position: this.position() };
  }

  async get(name: string, ids: readonly PointId[], selection: Selection) {
    this.#mayFail('get');
    const { points } = this.#named(name);
    const found = ids.flatMap((id) => points.get(id) ?? []);
    const missing = ids.filter((id) => !points.has(id));
    return { points: found.map((point) => shown(point, selection)), missing, position: this.position() };
  }

  async scroll(name: string, request: ScrollRequest) {
    const { after } = request;
    const rest = this.#matching(name, request.filter ?? {})
      .filter((point) => after === null || comparePointIds(point.id, after) > 0)
      .sort((a, b) => comparePointIds(a.id, b.id));
    const page = rest.slice(0, request.limit);
    const next = rest.length > page.length ? (page.at(-1)?.id ?? null) : null;
    return { points: page.map((point) => shown(point, request)), next, position: this.position() };
  }

  async fieldCount(name: string, path: string) {
    return this.#matching(name, { must: [{ kind: 'exists', key: path, exists: true }] }).length;
  }

  async count(name: string, filter?: Filter) {
    return { count: this.#matching(name, filter ?? {}).length, position: this.position() };
  }

  async measureRecall(name: string, request: RecallRequest): Promise<RecallAnswer> {
    this.recalls.push(request);
    this.#mayFail('measureRecall');
    const { spec } = this.#named(name);
    const figures = { recall: 0.5, sampled: request.sample, limit: request.limit, worst: 0.25, tookMs: 1 };
    return {
      ...figures,
      efSearch: request.efSearch ?? spec.hnsw.efSearch,
      position: this.position(),
      ...(request.filter === undefined
        ? {}
        : { byFilterClass: [{ filterClass: 'below_1', recall: 0.5, sampled: request.sample }] }),
    };
  }

  /** Tests of it have a real engine. */
  rank(): Promise<RankedAnswer> {
    return Promise.reject(new Error('the fake engine ranks nothing'));
  }

  async facet(name: string, request: FacetRequest): Promise<FacetAnswer> {
    this.facets.push(asAsked(request));
    this.#mayFail('facet');
    const counts = new FacetCounts(request.limit);
    const points = this.#matching(name, request.filter ?? {});
    const values = points.flatMap(({ payload }) => [...scalarsAt(payloadOf(payload), request.path.split('.'))]);
    for (const value of new Set(values)) counts.add(value, values.filter((other) => other === value).length);
    return { values: counts.values(), exact: true, position: this.position() };
  }

  async search(name: string, request: SearchRequest): Promise<SearchAnswer> {
    this.searches.push(asAsked(request));
    this.#mayFail('search');
    return this.#searchOne(this.#named(name), request);
  }

  async searchGroups(name: string, request: GroupRequest): Promise<GroupAnswer> {
    this.groupSearches.push(asAsked(request));
    this.#mayFail('searchGroups');
    const all = this.#searchOne(this.#named(name), { ...request, offset: 0, limit: 10_000, withPayload: true });
    const { hits, ...rest } = all;
    const groups = new Map<FacetScalar, SearchHit[]>();
    for (const hit of hits) {
      for (const value of scalarsAt(payloadOf(hit.payload ?? new Uint8Array()), request.groupBy.split('.')))
        groups.set(value, [...(groups.get(value) ?? []), request.withPayload ? hit : { ...hit, payload: null }]);
    }
    const best = [...groups].slice(0, request.limit);
    return { ...rest, groups: best.map(([value, found]) => ({ value, hits: found.slice(0, request.groupSize) })) };
  }

  position(): Position {
    return { historyId: this.historyId, epoch: 1, seq: this.seq };
  }

  async waitFor(position: Position, _level: WaitLevel, _collection: string | null, _maxWaitMs: number): Promise<void> {
    this.#mayFail('waitFor');
    if (position.historyId !== this.historyId || position.seq > this.seq)
      throw new SkeinError('PositionLost', 'not of this history');
  }

  status(): EngineStatus {
    return {
      position: this.position(),
      indexedSeq: this.seq,
      collections: this.#collections.size,
      points: [...this.#collections.values()].reduce((sum, { points }) => sum + points.size, 0),
      writeQueue: { requests: 0, bytes: 0 },
      commits: { count: this.seq, units: this.seq, lastMs: 0 },
      index: {
        building: 0,
        lagBytes: 0,
        waitingBytes: 0,
        searchesWaiting: 0,
        searchesMax: 1_000,
        rebuilds: 0,
        taken: { vector: 0, text: 0 },
      },
      search: this.searching,
      log: { minSeq: 1, bytes: 0 },
      storage: {
        databaseBytes: 0,
        walBytes: 0,
        walCheckpoints: { count: 0, totalMs: 0, lastMs: 0 },
        diskFreeBytes: 1e9,
        diskTotalBytes: 1e10,
        full: false,
        readOnly: false,
      },
      queryCache: { hits: 0, misses: 0, entries: 0, bytes: 0 },
      nativeBuild: 'none',
    };
  }

  #named(name: string): StoredCollection {
    const found = this.#collections.get(this.#aliases.get(name) ?? checkCollectionName(name));
    if (found === undefined) throw collectionNotFound(name, this.#collections.keys());
    return found;
  }

  #matching(name: string, filter: Filter): StoredPoint[] {
    const test = compileFilter(filter);
    return [...this.#named(name).points.values()].filter((point) => test(point.id, payloadOf(point.payload)));
  }

  #check(operation: Operation): void {
    if (operation.kind === 'delete_alias') {
      if (!this.#aliases.has(operation.alias)) throw aliasNotFound(operation.alias, this.#aliases.keys());
      return;
    }
    if (operation.kind === 'create_collection') {
      const { collection } = operation;
      if (!this.#collections.has(collection) && !this.#aliases.has(collection)) return;
      throw new SkeinError('CollectionAlreadyExists', 'it exists');
    }
    if (operation.kind === 'put_alias' && this.#collections.has(operation.alias))
      throw new SkeinError('CollectionAlreadyExists', 'a collection has this name');
    const { points, spec } = this.#named(operation.collection);
    if (operation.kind === 'upsert') {
      const { ids, dimension, ifVersions } = operation.points;
      if (ids.length > 0 && dimension !== spec.dimension) throw new SkeinError('DimensionMismatch', 'another dimension');
      for (const [i, id] of ids.entries()) {
        const expected = ifVersions?.[i] ?? Number.NaN;
        const actual = points.get(id)?.version ?? 0;
        if (!Number.isNaN(expected) && expected !== actual)
          throw new SkeinError('VersionConflict', 'another version', { id, expected, actual });
      }
    } else if (operation.kind === 'patch') {
      for (const { id } of operation.patches) if (!points.has(id)) throw new SkeinError('PointNotFound', 'no such point', { id });
    }
  }

  #apply(operation: Operation): OperationResult {
    if (operation.kind === 'put_alias' || operation.kind === 'delete_alias') return this.#applyAlias(operation);
    const { kind, collection: name } = operation;
    if (kind === 'create_collection') {
      const created = { name, spec: operation.spec, points: new Map() };
      this.#collections.set(name, created);
      return { kind, collection: collectionAfter(created) };
    }
    const collection = this.#named(name);
    const { points } = collection;
    switch (kind) {
      case 'upsert': {
        const { ids, dimension, vectors, payloadBytes, payloadEnds } = operation.points;
        for (const [i, id] of ids.entries()) {
          const payload = payloadBytes.slice(payloadEnds[i - 1] ?? 0, payloadEnds[i]);
          points.set(id, { id, version: this.seq, payload, vector: vectors.slice(i * dimension, (i + 1) * dimension) });
        }
        return { kind, upserted: ids.length };
      }
      case 'patch':
        for (const { id, vector, payload, unset } of operation.patches) {
          const before = points.get(id) as StoredPoint;
          const merged = mergePayload(payloadOf(before.payload), payloadOf(payload ?? new Uint8Array()), unset ?? []);
          points.set(id, {
            id,
            version: this.seq,
            payload: Buffer.from(JSON.stringify(merged)),
            vector: vector?.slice() ?? before.vector,
          });
        }
        return { kind, patched: operation.patches.length };
      case 'delete': {
        const gone = operation.ids.filter((id) => points.delete(id));
        return { kind, deleted: gone.length, ...(operation.earlier && { units: operation.earlier.units + 1 }) };
      }
      case 'update_collection': {
        collection.spec = changedSpec(specOf(collection), operation.change);
        return { kind, collection: collectionAfter(collection) };
      }
      case 'delete_collection':
        this.#collections.delete(collection.name);
        this.#aliases = new Map([...this.#aliases].filter(([, own]) => own !== collection.name));
        return { kind };
    }
  }

  #applyAlias(operation: Operation & { readonly alias: string }): OperationResult {
    const aliases = new Map(this.#aliases);
    const previous = aliases.get(operation.alias) ?? null;
    aliases.delete(operation.alias);
    if (operation.kind === 'delete_alias') {
      this.#aliases = aliases;
      return { kind: 'delete_alias' };
    }
    const collection = this.#named(operation.collection).name;
    this.#aliases = aliases.set(operation.alias, collection);
    return { kind: 'put_alias', collection, previous };
  }

  #searchOne({ spec, points }: StoredCollection, request: SearchRequest): SearchAnswer {
    const { id, text, limit, offset, scoreThreshold } = request;
    if (text !== undefined && spec.text === undefined) throw invalidRequest('text', 'no text_fields here');
    const dimension = spec.dimension ?? 0;
    const distance = spec.distance ?? 'cosine';
    const near = request.examples?.positive[0] ?? request.vector ?? id ?? new Float32Array(dimension);
    if (typeof near === 'object' && !(near instanceof Float32Array)) throw invalidRequest('vector', 'no sparse vectors here');
    const query = near instanceof Float32Array ? near : points.get(near)?.vector;
    if (query === undefined) throw new SkeinError('PointNotFound', 'no such point', { id });
    if (query.length !== dimension) {
      throw new SkeinError('DimensionMismatch', 'another dimension', {
        expected: dimension,
        got: query.length,
        point_id: null,
      });
    }
    const score = scorer(distance, query);
    const hits: SearchHit[] = [];
    const passes = compileFilter(request.filter ?? {});
    for (const point of points.values()) {
      if (point.id === id || !passes(point.id, payloadOf(point.payload))) continue;
      const reached = score(point.vector);
      if (scoreThreshold === undefined || passesThreshold(distance, reached, scoreThreshold)) {
        hits.push({ ...shown(point, request), score: reached });
      }
    }
    hits.sort((a, b) => compareScores(distance, a.score, b.score));
    const explain = {
      plan: 'flat',
      reason: 'few points',
      cardinality: { estimated: points.size, actual: points.size },
      visited: points.size,
      rejected: 0,
      steps: [{ name: 'scan', tookMs: 0.25 }],
      engines: { vector: {} },
      advice: [],
    };
    const answer = {
      hits: hits.slice(offset, offset + limit),
      complete: true,
      mode: 'exact',
      degraded: false,
      tookMs: 0.25,
      position: this.position(),
    } as const;
    return request.explain ? { ...answer, explain } : answer;
  }
}

function shown(point: StoredPoint, { withPayload, withVector }: Selection): FoundPoint {
  const { id, version, payload, vector } = point;
  return { id, version, payload: withPayload ? payload : null, vector: withVector === true ? vector : null };
}

function payloadOf(bytes: Uint8Array): Payload {
  return bytes.length === 0 ? {} : (JSON.parse(Buffer.from(bytes).toString()) as Payload);
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}

function specOf({ spec }: Pick<StoredCollection, 'spec'>): CollectionSpec {
  return { ...NOTHING_DECLARED, ...spec, ...newVectors(spec), createdAtMs: 0 };
}

function collectionAfter({ name, spec, points }: StoredCollection): CollectionAfter {
  return { uid: 1, name, spec: specOf({ spec }), pointsCount: points.size, dataBytes: 0 };
}
