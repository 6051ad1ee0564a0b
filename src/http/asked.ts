/** What a request asked for and what came of it, for whoever wants to know afterwards: kept as ways to tell it, which nobody pays for
 *  unless it is told. Shapes hold no values: keys, kinds and counts only. Must not know: who asks, when a request is slow. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GroupAnswer, SearchAnswer, SearchRequest, Selection } from '../engine/engine.js';
import type { ErrorType } from '../model/errors.js';
import type { Condition, Filter } from '../model/filter.js';
import type { QueryFacts } from '../model/slow-query.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** @param withContent texts and values too */
    asked: ((withContent: boolean) => QueryFacts) | null;
    found: (() => QueryFacts) | null;
    /** Type of the error that it was answered with. */
    refusal: ErrorType | null;
  }
}

const SHAPE_LENGTH_MAX = 1_000;
const CONTENT_LENGTH_MAX = 4_000;

/** Before any request: so that all requests have one shape. */
export function addAsked(app: FastifyInstance): void {
  for (const name of ['asked', 'found', 'refusal']) app.decorateRequest(name, null);
}

/** @param more what a kind of search has beside */
export function searchAsked(request: FastifyRequest, search: Omit<SearchRequest, 'offset'>, more: QueryFacts = {}): void {
  request.asked = (withContent) => ({ ...searchShape(search, withContent), ...more });
}

export function searchesAsked(request: FastifyRequest, searches: readonly SearchRequest[]): void {
  request.asked = (withContent) => {
    const [first] = searches;
    return { searches: searches.length, ...(first === undefined ? {} : { first: searchShape(first, withContent) }) };
  };
}

/** Of several answers the one that took longest. */
export function searchFound(request: FastifyRequest, answers: readonly (SearchAnswer | GroupAnswer)[]): void {
  request.found = () => {
    const [slowest] = [...answers].sort((a, b) => b.tookMs - a.tookMs);
    return slowest === undefined ? {} : foundBy(slowest);
  };
}

/** What any other request asked for. @param filter undefined: it has none */
export function plainAsked(request: FastifyRequest, facts: QueryFacts, filter?: Filter): void {
  request.asked = (withContent) => ({ ...facts, ...filterFacts(filter, withContent) });
}

function searchShape(search: Omit<SearchRequest, 'offset'> & { readonly offset?: number }, withContent: boolean): QueryFacts {
  const { using, vector, id, examples, text, filter, limit, offset, efSearch, exact, explain, scoreThreshold } = search;
  return {
    ...(vector === undefined ? {} : { vector: vector instanceof Float32Array ? vector.length : vector.indices.length }),
    ...(using === undefined ? {} : { using }),
    ...(id === undefined ? {} : { id: true }),
    ...(examples === undefined ? {} : { examples: examples.positive.length + examples.negative.length }),
    ...(text === undefined ? {} : { text: withContent ? text.slice(0, CONTENT_LENGTH_MAX) : `${text.length} characters` }),
    limit,
    ...(offset === undefined || offset === 0 ? {} : { offset }),
    ...(efSearch === undefined ? {} : { ef_search: efSearch }),
    ...(exact ? { exact } : {}),
    ...(explain ? { explain } : {}),
    ...(scoreThreshold === undefined ? {} : { score_threshold: true }),
    with_payload: search.withPayload,
    with_vector: vectorFact(search.withVector),
    ...filterFacts(filter, withContent),
  };
}

/** Names are told by their number. */
export function vectorFact(withVector: Selection['withVector']): boolean | number {
  return typeof withVector === 'boolean' ? withVector : withVector.length;
}

function foundBy(answer: SearchAnswer | GroupAnswer): QueryFacts {
  const { work } = answer;
  return {
    ...('hits' in answer ? { hits: answer.hits.length } : { groups: answer.groups.length }),
    mode: answer.mode,
    complete: answer.complete,
    ...(answer.degraded ? { degraded: true } : {}),
    ...('cached' in answer ? { cached: true } : {}),
    took_ms: answer.tookMs,
    ...(work === undefined ? {} : { plan: work.plan, reason: work.reason, estimated: work.estimated, matches: work.matches }),
    ...(work === undefined ? {} : { visited: work.visited, rejected: work.rejected }),
  };
}

function filterFacts(filter: Filter | undefined, withContent: boolean): QueryFacts {
  if (filter === undefined) return {};
  const shape = { filter: shortened(filterShape(filter), SHAPE_LENGTH_MAX) };
  return withContent ? { ...shape, filter_content: shortened(JSON.stringify(filter), CONTENT_LENGTH_MAX) } : shape;
}

function shortened(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
}

/** `must(match price, range age) must_not(has_id 3)`: which conditions on which keys, and how many values they list. */
export function filterShape({ must, should, mustNot, minShould }: Filter): string {
  const parts = [
    ...(must === undefined ? [] : [`must(${must.map(conditionShape).join(', ')})`]),
    ...(should === undefined ? [] : [`should(${should.map(conditionShape).join(', ')})`]),
    ...(mustNot === undefined ? [] : [`must_not(${mustNot.map(conditionShape).join(', ')})`]),
    ...(minShould === undefined
      ? []
      : [`min_should ${minShould.minCount}(${minShould.conditions.map(conditionShape).join(', ')})`]),
  ];
  return parts.length === 0 ? 'everything' : parts.join(' ');
}

function conditionShape(condition: Condition): string {
  switch (condition.kind) {
    case 'filter':
      return `(${filterShape(condition.filter)})`;
    case 'match_value':
      return `match ${condition.key}`;
    case 'match_any':
      return `match any ${condition.values.length} ${condition.key}`;
    case 'match_except':
      return `match except ${condition.values.length} ${condition.key}`;
    case 'match_text':
      return `match ${condition.words === 'any' ? 'text any' : (condition.words ?? 'text')} ${condition.key}`;
    case 'match_prefix':
      return `match prefix ${condition.key}`;
    case 'range':
    case 'values_count':
      return `${condition.kind} ${condition.key} ${Object.keys(condition.bounds).join(' ')}`;
    case 'nested':
      return `nested ${condition.key}(${filterShape(condition.filter)})`;
    case 'has_vector':
      return condition.kind;
    case 'slice':
      return `slice ${condition.total}`;
    case 'has_id':
      return `has_id ${condition.ids.length}`;
    case 'geo_radius':
    case 'geo_box':
    case 'geo_polygon':
    case 'exists':
    case 'is_null':
    case 'is_empty':
      return `${condition.kind} ${condition.key}`;
  }
}
