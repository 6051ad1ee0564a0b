/** The strict modes of collections against requests: what one may ask, and how many operations a minute on this node.
 *
 *  An operation is one request, one search of a batch, or one operation of /v1/batch; an import is one. Rates are token buckets of a minute's
 *  worth, so that many may come at once. Without an enabled strict mode a check is a look into the catalogue.
 *  Must not know: bodies, how a mode is stored. max_points_count is the engine's, where the count is known for sure. */

import type { Engine, Strictness } from '../../engine/engine.js';
import type { Clock } from '../../model/clock.js';
import { SkeinError } from '../../model/errors.js';
import type { Filter } from '../../model/filter.js';
import { type StrictSetting, strictName, strictRefusal } from '../../model/strict-mode.js';
import { TokenBuckets } from '../../resilience/token-bucket.js';
import { join } from '../../wire/place.js';
import type { Work } from '../guards.js';
import { checkFilter } from './filter-checks.js';

const COLLECTIONS_MAX = 10_000;
const MINUTE_S = 60;

/** What a read asks of a collection; what is absent is not asked. */
export interface StrictlyAsked {
  readonly limit?: number;
  readonly efSearch?: number;
  readonly exact?: boolean;
  readonly timeoutMs?: number;
  readonly filter?: Filter;
  /** A path that is counted by value. */
  readonly facet?: string;
}

export class StrictGate {
  readonly #engine: () => Pick<Engine, 'strictness'>;
  readonly #clock: Clock;
  readonly #rates = new TokenBuckets(2 * COLLECTIONS_MAX);

  constructor(engine: () => Pick<Engine, 'strictness'>, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** @param timeoutMs as the query has it @throws InvalidRequest, RateLimited, Starting */
  begin(collection: string, work: Work, timeoutMs: unknown): void {
    const strict = this.#strict(collection);
    if (strict === null) return;
    this.timeout(collection, timeoutMs);
    this.#take(strict, work, 1);
  }

  /** @param timeoutMs as the query of a request has it that writes to several collections @throws InvalidRequest */
  timeout(collection: string, timeoutMs: unknown): void {
    const strict = this.#strict(collection);
    if (strict !== null && typeof timeoutMs === 'string') checkTimeout(strict, Number(timeoutMs), 'timeout_ms');
  }

  /** Further operations of a request that holds several. @throws InvalidRequest (more than a minute's worth), RateLimited */
  more(collection: string, work: Work, count: number): void {
    const strict = this.#strict(collection);
    if (strict !== null && count > 0) this.#take(strict, work, count);
  }

  /** @param path of what asks, in the body @throws InvalidRequest naming field and setting */
  read(collection: string, asked: StrictlyAsked, path = ''): void {
    const strict = this.#strict(collection);
    if (strict === null) return;
    const { mode, payloadIndexes } = strict;
    atMost('maxQueryLimit', mode.maxQueryLimit, asked.limit, join(path, 'limit'));
    atMost('searchMaxHnswEf', mode.searchMaxHnswEf, asked.efSearch, join(path, 'ef_search'));
    if (asked.timeoutMs !== undefined) checkTimeout(strict, asked.timeoutMs, join(path, 'timeout_ms'));
    if (asked.exact === true && mode.searchAllowExact === false)
      throw strictRefusal('searchAllowExact', { path: join(path, 'exact'), message: 'no exact search here', limit: false });
    checkFilter(strict, asked.filter, 'unindexedFilteringRetrieve', join(path, 'filter'));
    if (asked.facet === undefined || mode.unindexedFilteringRetrieve !== false) return;
    if (payloadIndexes.some((index) => index.path === asked.facet)) return;
    const message = `no payload index has '${asked.facet}'`;
    throw strictRefusal('unindexedFilteringRetrieve', { path: join(path, 'key'), message, limit: false });
  }

  /** @throws InvalidRequest (also more than a minute's worth), RateLimited */
  searches(collection: string, count: number): void {
    const strict = this.#strict(collection);
    if (strict === null) return;
    const { searchMaxBatchsize, readRateLimit } = strict.mode;
    atMost('searchMaxBatchsize', searchMaxBatchsize, count, 'searches');
    // One was taken when the request began: all of them are what must fit into a minute.
    atMost('readRateLimit', readRateLimit, count, '');
    this.more(collection, 'read', count - 1);
  }

  /** @throws InvalidRequest */
  points(collection: string, count: number, path = 'points'): void {
    atMost('upsertMaxBatchsize', this.pointsMax(collection), count, path);
  }

  /** How many points one write of an import may have; null: as many as the server allows. */
  pointsMax(collection: string): number | null {
    return this.#strict(collection)?.mode.upsertMaxBatchsize ?? null;
  }

  /** @throws InvalidRequest */
  deletes(collection: string, filter: Filter): void {
    const strict = this.#strict(collection);
    if (strict !== null) checkFilter(strict, filter, 'unindexedFilteringUpdate', 'filter');
  }

  #strict(collection: string): Strictness | null {
    return this.#engine().strictness(collection);
  }

  #take({ uid, mode }: Strictness, work: Work, count: number): void {
    const setting = work === 'write' || work === 'free' ? 'writeRateLimit' : 'readRateLimit';
    const perMinute = mode[setting];
    if (perMinute === null) return;
    atMost(setting, perMinute, count, '');
    const rate = { perSecond: perMinute / MINUTE_S, burst: perMinute };
    const nowMs = this.#clock.monotonicMs();
    const waitMs = this.#rates.of(`${uid} ${setting}`, rate, nowMs).take(rate, nowMs, count);
    if (waitMs === 0) return;
    throw new SkeinError('RateLimited', `The collection takes ${perMinute} such operations a minute (${strictName(setting)})`, {
      retry_after_ms: waitMs,
      limit: perMinute,
      strict_mode: strictName(setting),
    });
  }
}

function checkTimeout({ mode: { maxTimeout } }: Strictness, timeoutMs: number, path: string): void {
  if (maxTimeout === null || timeoutMs <= maxTimeout * 1_000) return;
  throw strictRefusal('maxTimeout', { path, message: `at most ${maxTimeout} seconds`, limit: maxTimeout });
}

function atMost(setting: StrictSetting, limit: number | null, asked: number | undefined, path: string): void {
  if (limit === null || asked === undefined || asked <= limit) return;
  throw strictRefusal(setting, { path, message: `${asked} is more than ${limit}`, limit });
}
