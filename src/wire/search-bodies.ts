/** The bodies of search: one query or many, and facets. http-bodies.ts hands them on. */

import { type Static, Type } from 'typebox';
import { FIXED } from '../model/limits.js';
import type { PointId } from '../model/point.js';
import {
  closed,
  FieldPath,
  FilterBody,
  freshness,
  OWN_CHECK,
  PayloadBody,
  PointIdBody,
  Token,
  VectorBody,
  WithVector,
} from './body-parts.js';
import { ExplainBody, searchEngines } from './search-parts.js';
import { AnyVectorBody, NamedVectorsBody } from './vector-bodies.js';

const Using = Type.String({ minLength: 1, description: 'Name of the vectors that are searched; left out: the default ones.' });

export const SearchBody = Type.Object(
  {
    vector: Type.Optional(AnyVectorBody),
    using: Type.Optional(Using),
    id: Type.Optional(PointIdBody),
    ...searchEngines,
    filter: Type.Optional(FilterBody),
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 10 })),
    offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
    ef_search: Type.Optional(Type.Integer({ minimum: 1 })),
    exact: Type.Optional(Type.Boolean({ default: false })),
    score_threshold: Type.Optional(Type.Number({ description: 'Cuts in the better direction; the bound itself passes.' })),
    with_payload: Type.Optional(Type.Boolean({ default: true })),
    with_vector: WithVector,
    explain: Type.Optional(Type.Boolean({ default: false })),
    ...freshness,
  },
  {
    ...closed,
    description: 'At least one of vector, id and text, and not both vector and id. Search by id leaves that point out.',
  },
);
export type SearchBody = Static<typeof SearchBody>;

export const SearchBatchBody = Type.Object({ searches: Type.Array(SearchBody), ...freshness }, closed);
export type SearchBatchBody = Static<typeof SearchBatchBody>;

export const SearchHitBody = Type.Object({
  id: PointIdBody,
  score: Type.Number({
    description: 'cosine and dot: higher is nearer; euclid: the distance, lower is nearer. With a text: higher is better.',
  }),
  version: Type.Integer(),
  payload: Type.Optional(PayloadBody),
  vector: Type.Optional(VectorBody),
  vectors: Type.Optional(NamedVectorsBody),
});
export type SearchHitBody = Static<typeof SearchHitBody>;

export const SearchAnswerBody = Type.Object({
  hits: Type.Array(SearchHitBody),
  complete: Type.Boolean({ description: 'false: fewer hits than min(limit, matching points) could be found.' }),
  incomplete_reason: Type.Optional(Type.String()),
  mode: Type.Enum(['hybrid', 'text', 'vector', 'exact'], { description: 'What answered.' }),
  degraded: Type.Boolean({ description: 'true: an engine that was asked could not answer, and mode says which did.' }),
  took_ms: Type.Number(),
  position: Token,
  cached: Type.Optional(
    Type.Boolean({ description: 'true: kept from the same search at `position`; nothing of the collection has changed since.' }),
  ),
  explain: Type.Optional(ExplainBody),
});
export type SearchAnswerBody = Static<typeof SearchAnswerBody>;
export const SearchBatchAnswer = Type.Object({ results: Type.Array(SearchAnswerBody) });
export type SearchBatchAnswer = Static<typeof SearchBatchAnswer>;

const ScalarBody = Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] });

const { offset: _offset, limit: _limit, ...groupedSearch } = SearchBody.properties;
export const SearchGroupsBody = Type.Object(
  {
    group_by: FieldPath,
    group_size: Type.Optional(Type.Integer({ minimum: 1, maximum: FIXED.groupSizeMax, default: 3 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 10, description: 'How many groups.' })),
    ...groupedSearch,
  },
  {
    ...closed,
    description:
      'A search whose hits come by the values of a payload field. A point is in the group of each text, number and boolean there; points without any are in no group.',
  },
);
export type SearchGroupsBody = Static<typeof SearchGroupsBody>;

export type ExampleBody = PointId | AnyVectorBody;
const Examples = Type.Unsafe<readonly ExampleBody[]>({
  [OWN_CHECK]: true,
  type: 'array',
  items: { anyOf: [PointIdBody, AnyVectorBody] },
  maxItems: FIXED.examplesMax,
});

const { vector: _vector, id: _id, text: _text, fusion: _fusion, candidates: _candidates, ...nearSearch } = SearchBody.properties;
export const RecommendBody = Type.Object(
  {
    positive: Examples,
    negative: Type.Optional(Examples),
    strategy: Type.Optional(
      Type.Enum(['average_vector'], {
        default: 'average_vector',
        description:
          '2 · mean(positive) − mean(negative), or mean(positive) without negative ones; under cosine of vectors of length 1.',
      }),
    ),
    ...nearSearch,
  },
  {
    ...closed,
    description: 'Examples are ids of points or vectors, at least one positive. The points among them are no hits.',
  },
);
export type RecommendBody = Static<typeof RecommendBody>;

const { hits: _hits, cached: _cached, ...searchEnd } = SearchAnswerBody.properties;
export const SearchGroupsAnswer = Type.Object({
  groups: Type.Array(Type.Object({ value: ScalarBody, hits: Type.Array(SearchHitBody) }), {
    description: 'In the order of their best hits.',
  }),
  ...searchEnd,
  complete: Type.Boolean({ description: 'false: there may be more groups, or more hits in one, than could be found.' }),
});
export type SearchGroupsAnswer = Static<typeof SearchGroupsAnswer>;

export const FacetBody = Type.Object(
  {
    key: FieldPath,
    filter: Type.Optional(FilterBody),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: FIXED.facetValuesMax, default: 10 })),
    exact: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'false: of a field with a payload index, values of kinds that it does not hold may be left out.',
      }),
    ),
    ...freshness,
  },
  closed,
);
export type FacetBody = Static<typeof FacetBody>;

export const FacetAnswerBody = Type.Object({
  values: Type.Array(
    Type.Object({ value: ScalarBody, count: Type.Integer({ description: 'Points that have it, each once.' }) }),
    { description: 'Most frequent first; of equal counts booleans, then numbers by value, then texts by code units.' },
  ),
  exact: Type.Boolean({ description: 'false: there are values that were not counted.' }),
  position: Token,
});
export type FacetAnswerBody = Static<typeof FacetAnswerBody>;
