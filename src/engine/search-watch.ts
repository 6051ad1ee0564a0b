/** Watches over searching: the engines behind it with their breakers, each search as it ends, and the figures of both.
 *
 *  Must not know: how a search is answered, metrics, HTTP. */

import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Position } from '../model/position.js';
import type { BreakerState } from '../resilience/circuit-breaker.js';
import type { Catalogue } from './catalogue.js';
import type { SearchAnswer, SearchRequest } from './engine.js';
import { EngineCalls } from './engine-calls.js';
import { Fallback } from './fallback.js';
import { graphFigures } from './graph-figures.js';
import type { VectorAsk } from './index-asks.js';
import { IndexHealthWatch } from './index-health-watch.js';
import type { IndexKeeper } from './index-keeper.js';
import { ENGINES, type EngineKind } from './index-messages.js';
import type { Reader } from './reader.js';
import { RecallMeasurement } from './recall-measurement.js';
import { RecallWatch } from './recall-watch.js';
import type { EndedSearch, SearchEngineStatus, SearchStatus, WatchSettings } from './search-status.js';

type Asked = Pick<SearchRequest, 'vector' | 'id' | 'examples' | 'text' | 'exact'>;

/** Nothing is looked after. */
export const UNWATCHED: WatchSettings = { recall: { share: 0, msPerS: 0 }, indexHealthIntervalMs: 0 };

export interface SearchWatchParts {
  readonly keeper: IndexKeeper;
  readonly reader: Reader;
  readonly catalogue: Catalogue;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly durableSeq: () => number;
  readonly positionAt: (seq: number) => Position;
  readonly watching: WatchSettings;
  onSearch(search: EndedSearch): void;
}

/** Who gives an index less time than this has himself to blame when it does not answer. */
const FAIR_TIMEOUT_MS = 1_000;

export class SearchWatch {
  readonly calls: EngineCalls;
  readonly fallback: Fallback;
  readonly recall: RecallWatch;
  readonly measurement: RecallMeasurement;
  readonly health: IndexHealthWatch;
  readonly #parts: SearchWatchParts;

  constructor(parts: SearchWatchParts) {
    this.#parts = parts;
    const { clock, limits, log, keeper, catalogue, watching } = parts;
    this.fallback = new Fallback(clock, log);
    this.calls = new EngineCalls({
      ...parts,
      breakerFailuresMax: limits.searchBreakerFailuresMax,
      breakerResetMs: limits.searchBreakerResetMs,
      // Half of what a hybrid search gives, which is a little less by the time the question is sent.
      fairTimeoutMs: Math.min(FAIR_TIMEOUT_MS, limits.searchEngineTimeoutMs / 2),
      onAnswer: (engine) => this.fallback.answered(engine),
      isThere: (uid) => catalogue.byUid(uid) !== undefined,
      onBreaker: (engine, state) => this.#onBreaker(engine, state),
    });
    const ask = (uid: number, question: VectorAsk, timeoutMs: number) => keeper.pool('vector').ask(uid, question, timeoutMs);
    this.measurement = new RecallMeasurement({ ...parts, calls: this.calls, ask, timeoutMs: limits.searchTimeoutMs });
    this.health = new IndexHealthWatch({
      intervalMs: watching.indexHealthIntervalMs,
      clock,
      log,
      entries: () => catalogue.all(),
      look: async (uid, question, timeoutMs) => (await keeper.pool('vector').ask(uid, question, timeoutMs)).health,
      renew: (uid) => keeper.pool('vector').renew(uid),
    });
    this.recall = new RecallWatch({
      settings: watching.recall,
      clock,
      random: Math.random,
      ask,
      nameOf: (uid) => catalogue.byUid(uid)?.row.name ?? null,
    });
  }

  #onBreaker(engine: EngineKind, state: BreakerState): void {
    this.#parts.log.warn('search_breaker', { engine, state });
    if (state === 'open') this.#parts.keeper.doubt(engine);
    if (state === 'closed') this.#parts.catalogue.trust(engine);
  }

  /** Runs a search and tells how it ended. @throws what the search throws */
  async measured<Answer extends Pick<SearchAnswer, 'degraded' | 'mode'>>(
    request: Asked,
    search: () => Promise<Answer>,
  ): Promise<Answer> {
    const { clock, onSearch } = this.#parts;
    const mode = modeAsked(request);
    const startMs = clock.monotonicMs();
    try {
      const answer = await search();
      const tookMs = clock.monotonicMs() - startMs;
      onSearch({ mode, tookMs, degradedTo: answer.degraded ? answer.mode : null, error: null });
      return answer;
    } catch (error) {
      const type = error instanceof SkeinError ? error.type : 'Internal';
      onSearch({ mode, tookMs: clock.monotonicMs() - startMs, degradedTo: null, error: type });
      throw error;
    }
  }

  /** Called a few times a second. */
  tick(): void {
    for (const engine of ENGINES) {
      if (!this.calls.breakers[engine].overdue) continue;
      for (const entry of this.#parts.catalogue.all()) {
        if (entry[engine]?.serving !== true) continue;
        this.calls.probe(engine, entry.row.uid);
        break;
      }
    }
  }

  status(): SearchStatus {
    const { fallback, recall } = this;
    return {
      vector: this.#engine('vector'),
      text: this.#engine('text'),
      fallback: fallback.status,
      recall: recall.status(),
      graphs: graphFigures(this.#parts.catalogue.all()),
    };
  }

  #engine(engine: EngineKind): SearchEngineStatus {
    const { keeper, catalogue } = this.#parts;
    const { state, failures, failuresTotal } = this.calls.breakers[engine];
    let collections = 0;
    let loading = 0;
    for (const entry of catalogue.all()) {
      const index = entry[engine];
      if (index === null) continue;
      collections += 1;
      if (!index.serving) loading += 1;
    }
    const latencyMs = this.calls.latencyMs(engine);
    const restarts = keeper.restarts(engine);
    return {
      breaker: state,
      failures,
      failuresTotal,
      restarts,
      stalled: keeper.stalled(engine),
      collections,
      loading,
      latencyMs,
    };
  }
}

function modeAsked({ vector, id, examples, text, exact }: Asked): SearchAnswer['mode'] {
  const near = (vector ?? id ?? examples) !== undefined;
  if (text !== undefined) return near ? 'hybrid' : 'text';
  return exact ? 'exact' : 'vector';
}
