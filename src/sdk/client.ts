/** The client of a Skein server: one method for each call of the HTTP API (docs/HTTP_API.md), typed, binary vectors both ways.
 *
 *    const client = new SkeinClient({ url: 'http://127.0.0.1:7171' });
 *    await client.createCollection('films', { dimension: 384, distance: 'cosine' });
 *    await client.upsert('films', [{ id: 1, vector, payload: { title: 'Metropolis' } }]);
 *    const { hits } = await client.search('films', { vector, limit: 5 });
 *
 *  Every method throws SkeinApiError (the server refused), SkeinConnectionError (no answer), SkeinTimeoutError (no time left) or the
 *  reason of its signal. What is retryable has been retried by then. Must not know: bytes, sockets, when to retry. */

import { aliasPath, collectionPath as pathOf } from '../model/api-paths.js';
import type {
  AliasListBody,
  BatchAnswer as BatchAnswerBody,
  CollectionInfoBody,
  CollectionListBody,
  CountAnswer,
  DeleteAliasAnswer,
  DeleteAnswer as DeleteAnswerBody,
  DeleteCollectionAnswer,
  FacetAnswerBody,
  FoundPointBody,
  GetAnswer,
  PatchAnswer as PatchAnswerBody,
  PutAliasAnswer as PutAliasAnswerBody,
  RecallAnswerBody,
  ScrollAnswer,
  SearchAnswerBody,
  SearchBatchAnswer,
  SearchGroupsAnswer,
  UpsertAnswer as UpsertAnswerBody,
} from '../wire/http-bodies.js';
import { BackupCalls } from './backup-calls.js';
import type { Call } from './call.js';
import type { Caller } from './caller.js';
import type { Change, ChangesOptions, ChangesRequest } from './change-types.js';
import { followChanges } from './changes.js';
import { type ClientSettings, callerOf, readOptionsOf, type Shared, sharedBy } from './client-settings.js';
import { filterToWire } from './filter-form.js';
import { recallFromWire, recallToWire } from './health-forms.js';
import type { HealthDetails, RecallAnswer, RecallRequest } from './health-types.js';
import { importSteps } from './import-steps.js';
import { KeyCalls } from './key-calls.js';
import type { NodeView } from './nodes.js';
import { ReplicationCalls } from './replication-calls.js';
import { pagePoints } from './scroll-pages.js';
import { ServerCalls } from './server-calls.js';
import { Session } from './session.js';
import type * as T from './types.js';
import { vectorBytes, vectorNumbers } from './vector-form.js';
import { type WaitOptions, waitForPosition } from './wait-for.js';
import * as form from './wire-forms.js';

const PAGE_POINTS = 1_000;

/** A Skein server, or a cluster of them, as one object. Close it when no more is asked: `close`, or `end` to let running calls finish. */
export class SkeinClient {
  readonly #caller: Caller;
  readonly #settings: ClientSettings;
  readonly #shared: Shared;
  readonly #session: Session | null;
  readonly #vectorForm: form.VectorForm;
  /** Backups of the server, and the way back. */
  readonly backups: BackupCalls;
  /** Status of replication, and what operators may make a node do. */
  readonly replication: ReplicationCalls;
  /** Access keys: who may do what. */
  readonly keys: KeyCalls;
  /** The first node as a process: metrics, configuration, log, slow queries. */
  readonly server: ServerCalls;

  /** @param shared of the client that a session came from (`session`) */
  constructor(settings: ClientSettings, shared: Shared | null = null) {
    this.#settings = settings;
    this.#shared = shared ?? sharedBy(settings);
    this.#session = settings.session === false ? null : new Session(shared?.position ?? null);
    this.#vectorForm = settings.encoding === 'json' ? vectorNumbers : vectorBytes;
    this.#caller = callerOf(settings, this.#shared, this.#session);
    this.backups = new BackupCalls(this.#caller);
    this.replication = new ReplicationCalls(this.#caller);
    this.keys = new KeyCalls(this.#caller);
    this.server = new ServerCalls(this.#caller);
  }

  /** The nodes as this client sees them. */
  get nodes(): readonly NodeView[] {
    return this.#shared.cluster.nodes.view(performance.now());
  }

  /** The newest position seen; null without a session, or before the first answer. */
  get position(): string | null {
    return this.#session?.position ?? null;
  }

  /** A client over the same connections that remembers positions of its own: for the requests of one user, or to go on where another program was.
   *  It is closed with this one, and needs no closing itself. @param position to begin with, such as the `position` of another client */
  session(position: string | null = null): SkeinClient {
    return new SkeinClient({ ...this.#settings, session: true }, { ...this.#shared, position });
  }

  /** Resolves when a node, or with `nodes: 'all'` each one, has reached a position, such as the one that a write answered with.
   *  @throws SkeinTimeoutError · SkeinApiError PositionLost */
  waitFor(position: string, options: WaitOptions = {}): Promise<void> {
    return waitForPosition(this.#caller, this.#shared.cluster.given, position, options);
  }

  /** Stop asking for what was seen. A read that ends as PositionLost does so by itself, once it has said so. */
  forgetPosition(): void {
    this.#session?.forget();
  }

  /** No call begins any more; those that run end, bounded by their timeouts, and then the client closes. */
  async end(): Promise<void> {
    if (this.#shared.position !== undefined) return;
    await this.#shared.closing.drain();
    this.close();
  }

  /** Ends idle connections; running calls are cut off, also those that wait to try again. A session closes nothing.
   *  @param reason what they and all later calls throw; left out: a SkeinConnectionError with the code CLOSED */
  close(reason?: Error): void {
    if (this.#shared.position !== undefined) return;
    this.#shared.closing.close(reason);
    this.#shared.transport.close();
  }

  /** A call as it stands on the wire: its body and answer are those of docs/HTTP_API.md. Bounded and repeated as every other. */
  send(call: Call): Promise<unknown> {
    return this.#caller.run(call);
  }

  /** Every collection with its settings, size and state, by name. */
  async collections(options: T.ReadOptions = {}): Promise<readonly T.CollectionInfo[]> {
    const body = await this.#get<CollectionListBody>('list collections', '/v1/collections', options);
    return body.collections.map(form.collectionFromWire);
  }

  /** What a collection declares, holds and takes; also by an alias. @throws SkeinApiError CollectionNotFound */
  async collection(name: string, options: T.ReadOptions = {}): Promise<T.CollectionInfo> {
    return form.collectionFromWire(await this.#get<CollectionInfoBody>(`collection ${name}`, pathOf(name), options));
  }

  /** Durable when it resolves. @throws SkeinApiError CollectionAlreadyExists */
  async createCollection(name: string, settings: T.CollectionSettings, options: T.WriteOptions = {}): Promise<T.CollectionInfo> {
    const body = form.collectionToWire(settings);
    return form.collectionFromWire(
      await this.#write<CollectionInfoBody>('PUT', `create collection ${name}`, pathOf(name), options, body),
    );
  }

  /** Changes what it names and leaves the rest. What has to be built first serves when this resolves, unless `wait` is 'durable'. */
  async updateCollection(name: string, change: T.CollectionChange, options: T.WriteOptions = {}): Promise<T.CollectionInfo> {
    const body = form.collectionChangeToWire(change);
    return form.collectionFromWire(
      await this.#write<CollectionInfoBody>('PATCH', `change collection ${name}`, pathOf(name), options, body),
    );
  }

  /** With all its points and aliases. @throws SkeinApiError CollectionNotFound */
  async deleteCollection(name: string, options: T.WriteOptions = {}): Promise<T.WriteAnswer> {
    return form.writeFromWire(
      await this.#write<DeleteCollectionAnswer>('DELETE', `delete collection ${name}`, pathOf(name), options),
    );
  }

  /** Every alias with its collection, by alias. */
  async aliases(options: T.ReadOptions = {}): Promise<readonly T.Alias[]> {
    return (await this.#get<AliasListBody>('list aliases', '/v1/aliases', options)).aliases;
  }

  /** From now on the alias stands for the collection; the switch is atomic. */
  async putAlias(alias: string, collection: string, options: T.WriteOptions = {}): Promise<T.PutAliasAnswer> {
    const answer = await this.#write<PutAliasAnswerBody>('PUT', `put alias ${alias}`, aliasPath(alias), options, { collection });
    const { collection: own, created, previous } = answer;
    return { ...form.writeFromWire(answer), alias: answer.alias, collection: own, created, previous };
  }

  /** The collection stays. @throws SkeinApiError AliasNotFound */
  async deleteAlias(alias: string, options: T.WriteOptions = {}): Promise<T.WriteAnswer> {
    return form.writeFromWire(await this.#write<DeleteAliasAnswer>('DELETE', `delete alias ${alias}`, aliasPath(alias), options));
  }

  /** Inserts or replaces whole points, all or none. Durable, and found by the next search, when it resolves. @throws SkeinApiError VersionConflict */
  async upsert(collection: string, points: readonly T.PointInput[], options: T.WriteOptions = {}): Promise<T.UpsertAnswer> {
    const body = { points: points.map((point) => form.pointToWire(point, this.#vectorForm)) };
    const answer = await this.#write<UpsertAnswerBody>(
      'PUT',
      `upsert into ${collection}`,
      pathOf(collection, '/points'),
      options,
      body,
    );
    return { ...form.writeFromWire(answer), upserted: answer.upserted };
  }

  /** Changes parts of points, all or none; an absent id is PointNotFound. */
  async patch(collection: string, patches: readonly T.PointPatch[], options: T.WriteOptions = {}): Promise<T.PatchAnswer> {
    const body = { points: patches.map((patch) => form.patchToWire(patch, this.#vectorForm)) };
    const answer = await this.#write<PatchAnswerBody>(
      'PATCH',
      `patch in ${collection}`,
      pathOf(collection, '/points'),
      options,
      body,
    );
    return { ...form.writeFromWire(answer), patched: answer.patched };
  }

  /** By ids all or none; by a filter in units of up to 10,000 points. Ids that are not there are passed over. */
  async delete(collection: string, which: T.ChosenPoints, options: T.WriteOptions = {}): Promise<T.DeleteAnswer> {
    const body = form.chosenToWire(which);
    const answer = await this.#write<DeleteAnswerBody>(
      'POST',
      `delete from ${collection}`,
      pathOf(collection, '/points/delete'),
      options,
      body,
    );
    const units = answer.units === undefined ? {} : { units: answer.units };
    return { ...form.writeFromWire(answer), deleted: answer.deleted, ...units };
  }

  /** One point, with payload and vectors. @throws SkeinApiError PointNotFound */
  async get(collection: string, id: T.PointId, options: T.ReadOptions = {}): Promise<T.PointRecord> {
    const path = pathOf(collection, `/points/${encodeURIComponent(id)}${typeof id === 'string' ? '?id_type=string' : ''}`);
    return form.pointFromWire(await this.#get<FoundPointBody>(`point ${JSON.stringify(id)} of ${collection}`, path, options));
  }

  /** Points that exist, and the ids of those that do not. */
  async getMany(
    collection: string,
    ids: readonly T.PointId[],
    selection: T.Selection = {},
    options: T.ReadOptions = {},
  ): Promise<{ readonly points: readonly T.PointRecord[]; readonly missing: readonly T.PointId[] }> {
    const body = { ids, ...form.selectionToWire(selection) };
    const answer = await this.#read<GetAnswer>(`points of ${collection}`, pathOf(collection, '/points/get'), options, body);
    return { points: answer.points.map(form.pointFromWire), missing: answer.missing };
  }

  /** One page of points in the order of ids; `nextCursor` leads to the next. `scrollAll` goes through all of them. */
  async scroll(collection: string, request: T.ScrollRequest = {}, options: T.ReadOptions = {}): Promise<T.ScrollPage> {
    const path = pathOf(collection, '/points/scroll');
    const answer = await this.#read<ScrollAnswer>(`scroll ${collection}`, path, options, form.scrollToWire(request));
    return { points: answer.points.map(form.pointFromWire), nextCursor: answer.next_cursor };
  }

  /** Every point, page by page, in scroll order; `limit` is the size of a page. Points written meanwhile may or may not be among them. */
  async *scrollAll(
    collection: string,
    request: Omit<T.ScrollRequest, 'cursor'> = {},
    options: T.ReadOptions = {},
  ): AsyncGenerator<T.PointRecord, void, undefined> {
    const pageAt = (cursor: string | null, more: T.ReadOptions): Promise<T.ScrollPage> =>
      this.scroll(collection, { limit: PAGE_POINTS, ...request, ...(cursor !== null && { cursor }) }, more);
    yield* pagePoints(pageAt, options);
  }

  /** How many points pass the filter; without one, how many there are. Exact. */
  async count(collection: string, filter?: T.Filter, options: T.ReadOptions = {}): Promise<number> {
    const body = filter === undefined ? {} : { filter: filterToWire(filter) };
    return (await this.#read<CountAnswer>(`count ${collection}`, pathOf(collection, '/points/count'), options, body)).count;
  }

  /** How many points have each value of a payload field. */
  async facet(collection: string, request: T.FacetRequest, options: T.ReadOptions = {}): Promise<T.FacetAnswer> {
    const path = pathOf(collection, '/points/facet');
    return this.#read<FacetAnswerBody>(`facet ${collection}`, path, options, form.facetToWire(request));
  }

  /** The points nearest to a vector or to another point, those with certain words, or both at once; best first. */
  async search(collection: string, request: T.SearchRequest, options: T.ReadOptions = {}): Promise<T.SearchAnswer> {
    const path = pathOf(collection, '/points/search');
    return form.searchFromWire(
      await this.#read<SearchAnswerBody>(`search ${collection}`, path, options, form.searchToWire(request, this.#vectorForm)),
    );
  }

  /** The best hits by the values of a payload field. */
  async searchGroups(
    collection: string,
    request: T.SearchGroupsRequest,
    options: T.ReadOptions = {},
  ): Promise<T.SearchGroupsAnswer> {
    const path = pathOf(collection, '/points/search/groups');
    const body = form.groupsToWire(request, this.#vectorForm);
    return form.groupsFromWire(await this.#read<SearchGroupsAnswer>(`search groups of ${collection}`, path, options, body));
  }

  /** Points that are like some examples, and unlike others. */
  async recommend(collection: string, request: T.RecommendRequest, options: T.ReadOptions = {}): Promise<T.SearchAnswer> {
    const path = pathOf(collection, '/points/recommend');
    const body = form.recommendToWire(request, this.#vectorForm);
    return form.searchFromWire(await this.#read<SearchAnswerBody>(`recommend from ${collection}`, path, options, body));
  }

  /** @returns answers in the order of the requests */
  async searchBatch(
    collection: string,
    requests: readonly T.SearchRequest[],
    options: T.ReadOptions = {},
  ): Promise<readonly T.SearchAnswer[]> {
    const body = { searches: requests.map((request) => form.searchToWire(request, this.#vectorForm)) };
    const answer = await this.#read<SearchBatchAnswer>(
      `search ${collection}`,
      pathOf(collection, '/points/search/batch'),
      options,
      body,
    );
    return answer.results.map(form.searchFromWire);
  }

  /** How much of the true nearest points searches find, over a sample of stored points. One at a time for each collection of a node. */
  async measureRecall(collection: string, request: RecallRequest = {}, options: T.ReadOptions = {}): Promise<RecallAnswer> {
    const path = pathOf(collection, '/recall');
    return recallFromWire(await this.#read<RecallAnswerBody>(`recall of ${collection}`, path, options, recallToWire(request)));
  }

  /** Streams any number of points; the server commits chunk by chunk and refuses bad points one by one. Not retried.
   *  Without timeoutMs it takes as long as it takes. `upsert` with several calls under way is faster; this needs no batches. */
  async importPoints(
    collection: string,
    points: AsyncIterable<T.PointInput> | Iterable<T.PointInput>,
    options: T.ImportOptions = {},
  ): Promise<T.ImportAnswer> {
    const { onProgress, ...rest } = options;
    for await (const { answer, ...progress } of this.importSteps(collection, points, rest)) {
      if (answer !== null) return answer;
      onProgress?.(progress);
    }
    throw new Error('an import ends with its answer, or throws');
  }

  /** The same, step by step: `for await (const { imported, answer } of client.importSteps(…))`. The last step has the answer. */
  async *importSteps(
    collection: string,
    points: AsyncIterable<T.PointInput> | Iterable<T.PointInput>,
    options: Omit<T.ImportOptions, 'onProgress'> = {},
  ): AsyncGenerator<T.ImportStep, void, undefined> {
    const asked = { collection, path: pathOf(collection, '/points/import'), options };
    for await (const step of importSteps(this.#caller, asked, points)) {
      if (step.answer !== null) this.#session?.saw(step.answer.position);
      yield step;
    }
  }

  /** What happens to the data, in the order of the log, for as long as it is iterated over; every change once, over connections that break and
   *  nodes that fail. `token` of a change is where another feed goes on.
   *  @throws SkeinApiError PositionLost (what was told is not true any more), ChangesGone: begin again with `from: 'snapshot'` */
  changes(request: ChangesRequest = {}, options: ChangesOptions = {}): AsyncGenerator<Change, void, undefined> {
    return followChanges({ settings: this.#settings, shared: this.#shared, session: this.#session }, request, options);
  }

  /** Changes over any collections as one atomic unit. */
  async batch(operations: readonly T.BatchOperation[], options: T.WriteOptions = {}): Promise<T.BatchAnswer> {
    const body = { operations: operations.map((operation) => form.batchOperationToWire(operation, this.#vectorForm)) };
    const answer = await this.#write<BatchAnswerBody>('POST', 'batch', '/v1/batch', options, body);
    return { ...form.writeFromWire(answer), results: answer.results as readonly Record<string, unknown>[] };
  }

  /** An unhealthy server is an answer, not an error. */
  health(options: T.CallOptions = {}): Promise<T.HealthAnswer> {
    return this.server.health(options);
  }

  /** Every part of the server with how it is; an unhealthy server is an answer. @throws SkeinApiError while it starts or stops */
  healthDetails(options: T.CallOptions = {}): Promise<HealthDetails> {
    return this.server.healthDetails(options);
  }

  /** Whether it may serve, and how far its start is; a starting server is an answer, not an error. */
  ready(options: T.CallOptions = {}): Promise<T.ReadyAnswer> {
    return this.server.ready(options);
  }

  /** Name and version of the server, of its API and of Node. */
  version(options: T.CallOptions = {}): Promise<T.VersionAnswer> {
    return this.server.version(options);
  }

  #get<Body>(what: string, path: string, options: T.ReadOptions): Promise<Body> {
    return this.#data<Body>({ what, method: 'GET', path, kind: 'read', options });
  }

  #read<Body>(what: string, path: string, options: T.ReadOptions, body: unknown): Promise<Body> {
    return this.#data<Body>({ what, method: 'POST', path, kind: 'read', options, body });
  }

  async #data<Body>(call: Call): Promise<Body> {
    return (await this.#caller.run({ ...call, options: readOptionsOf(this.#settings, call.options) })) as Body;
  }

  #write<Body>(method: Call['method'], what: string, path: string, options: T.WriteOptions, body?: unknown): Promise<Body> {
    return this.#caller.run({ what, method, path, kind: 'write', options, body }) as Promise<Body>;
  }
}
