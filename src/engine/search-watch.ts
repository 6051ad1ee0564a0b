/** Watches over searching: tells each search as it ends, and gives the figures of the engines behind it.
 *
 *  Must not know: how a search is answered, metrics, HTTP. */

import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Catalogue } from './catalogue.js';
import type { SearchAnswer, SearchRequest } from './engine.js';
import type { EngineCalls } from './engine-calls.js';
import type { Fallback } from './fallback.js';
import type { IndexKeeper } from './index-keeper.js';
import type { EngineKind } from './index-messages.js';
import type { SearchEngineStatus, SearchStatus } from './search-status.js';

/** A search that came to its end. */
export interface EndedSearch {
  /** What it asked for. */
  readonly mode: SearchAnswer['mode'];
  readonly tookMs: number;
  /** What answered, when that is less than was asked for. */
  readonly degradedTo: SearchAnswer['mode'] | null;
  /** The type of its error, or null. */
  readonly error: string | null;
}

export interface SearchWatchParts {
  readonly calls: EngineCalls;
  readonly fallback: Fallback;
  readonly keeper: IndexKeeper;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  onEnded(search: EndedSearch): void;
}

export class SearchWatch {
  readonly #parts: SearchWatchParts;

  constructor(parts: SearchWatchParts) {
    this.#parts = parts;
  }

  /** Runs a search and tells how it ended. @throws what the search throws */
  async measured(request: SearchRequest, search: () => Promise<SearchAnswer>): Promise<SearchAnswer> {
    const { clock, onEnded } = this.#parts;
    const mode = modeAsked(request);
    const startMs = clock.monotonicMs();
    try {
      const answer = await search();
      const tookMs = clock.monotonicMs() - startMs;
      onEnded({ mode, tookMs, degradedTo: answer.degraded ? answer.mode : null, error: null });
      return answer;
    } catch (error) {
      const type = error instanceof SkeinError ? error.type : 'Internal';
      onEnded({ mode, tookMs: clock.monotonicMs() - startMs, degradedTo: null, error: type });
      throw error;
    }
  }

  status(): SearchStatus {
    return { vector: this.#engine('vector'), text: this.#engine('text'), fallback: this.#parts.fallback.status };
  }

  #engine(engine: EngineKind): SearchEngineStatus {
    const { calls, keeper, catalogue } = this.#parts;
    const { state, failures } = calls.breakers[engine];
    let collections = 0;
    let loading = 0;
    for (const entry of catalogue.all()) {
      const index = entry[engine];
      if (index === null) continue;
      collections += 1;
      if (!index.serving) loading += 1;
    }
    const latencyMs = calls.latencyMs(engine);
    return { breaker: state, failures, restarts: keeper.restarts(engine), collections, loading, latencyMs };
  }
}

function modeAsked({ vector, id, text, exact }: SearchRequest): SearchAnswer['mode'] {
  const near = vector !== undefined || id !== undefined;
  if (text !== undefined) return near ? 'hybrid' : 'text';
  return exact ? 'exact' : 'vector';
}
