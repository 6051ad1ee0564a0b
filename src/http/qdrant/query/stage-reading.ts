/** Stages of a query from its body, bounded over the whole tree: how deep prefetches nest, how many there are, how many points they may find.
 *  Must not know: how a stage is answered. */

import type { Limits } from '../../../model/limits.js';
import { join } from '../../../wire/place.js';
import { filterOf } from '../filter.js';
import { countOf, type Form, flagOf, formOf, numberOf, textOf } from '../form.js';
import { formMistake, rangeMistake, wrongInput } from '../mistakes.js';
import { readQuery } from './query-reading.js';
import { type Query, type Stage, stagesOf } from './stages.js';

const STAGE_FIELDS = ['prefetch', 'query', 'using', 'filter', 'params', 'score_threshold', 'limit', 'lookup_from'] as const;
const LIMIT = 10;
const PREFETCH_DEPTH_MAX = 16;
const STAGES_MAX = 64;
/** Points that the prefetches of one query find together. */
const CANDIDATES_MAX = 50_000;

export type StageLimits = Pick<Limits, 'searchLimitMax' | 'efSearchMax'>;

/** @param fields of the stage among those of the body  @param more fields that the body has beside  @throws InvalidRequest, InvalidFilter */
export function readStage(value: unknown, path: string, limits: StageLimits, more: readonly string[] = []): Stage {
  const stage = stageAt(value, path, { limits, more, depth: 0 });
  const below = stagesOf(stage).slice(1);
  if (below.length >= STAGES_MAX) throw rangeMistake(join(path, 'prefetch'), `more than ${STAGES_MAX - 1} prefetches`);
  const candidates = below.reduce((sum, { limit }) => sum + limit, 0);
  if (candidates > CANDIDATES_MAX)
    throw rangeMistake(join(path, 'prefetch'), `more than ${CANDIDATES_MAX} points with all limits together`);
  return stage;
}

interface StageContext {
  readonly limits: StageLimits;
  readonly more: readonly string[];
  readonly depth: number;
}

function stageAt(value: unknown, path: string, { limits, more, depth }: StageContext): Stage {
  const fields = formOf(value, path, [...STAGE_FIELDS, ...more]);
  if (depth > PREFETCH_DEPTH_MAX) throw rangeMistake(path, `prefetches nest at most ${PREFETCH_DEPTH_MAX} deep`);
  const { prefetch = [], query, filter, params, score_threshold: threshold } = fields;
  const at = (field: string): string => join(path, field);
  const given = Array.isArray(prefetch) ? (prefetch as unknown[]) : [prefetch];
  const below = given.map((one, i) =>
    stageAt(one, Array.isArray(prefetch) ? at(`prefetch[${i}]`) : at('prefetch'), { limits, more: [], depth: depth + 1 }),
  );
  const ordered = query === undefined ? null : readQuery(query, at('query'), limits.searchLimitMax);
  checkPrefetch(ordered, below, at('query'));
  return {
    path,
    prefetch: below,
    query: ordered,
    using: fields['using'] === undefined ? '' : textOf(fields['using'], at('using')),
    filter: filter === undefined ? null : filterOf(filter, at('filter')),
    ...readParams(params, at('params'), limits),
    scoreThreshold: threshold === undefined ? null : numberOf(threshold, at('score_threshold')),
    limit: readLimit(fields, path, limits),
    lookupFrom: readLookup(fields['lookup_from'], at('lookup_from')),
  };
}

function checkPrefetch(query: Query | null, below: readonly Stage[], path: string): void {
  const fused = query?.kind === 'rrf' || query?.kind === 'dbsf';
  if (below.length === 0 && fused) throw wrongInput('fusion needs prefetches to fuse', path);
  if (below.length > 0 && query === null) throw wrongInput('prefetches need a query that orders what they find', path);
  if (query?.kind === 'rrf' && query.weights !== null && query.weights.length !== below.length)
    throw wrongInput(`rrf has ${query.weights.length} weights for ${below.length} prefetches`, path);
}

/** @throws InvalidRequest */
export function readLimit({ limit = LIMIT }: Form, path: string, { searchLimitMax }: StageLimits): number {
  return countOf(limit, join(path, 'limit'), 1, searchLimitMax);
}

/** What of quantization and of the walk through a graph is said changes nothing that is found. @throws InvalidRequest */
export function readParams(value: unknown, path: string, { efSearchMax }: StageLimits): Pick<Stage, 'efSearch' | 'exact'> {
  if (value === undefined) return { efSearch: null, exact: false };
  const {
    hnsw_ef: ef,
    exact,
    indexed_only: indexedOnly,
  } = formOf(value, path, ['hnsw_ef', 'exact', 'indexed_only', 'quantization', 'acorn']);
  if (indexedOnly !== undefined) flagOf(indexedOnly, join(path, 'indexed_only'));
  return {
    efSearch: ef === undefined ? null : Math.max(1, countOf(ef, join(path, 'hnsw_ef'), 0, efSearchMax)),
    exact: exact === undefined ? false : flagOf(exact, join(path, 'exact')),
  };
}

/** @throws InvalidRequest */
export function readLookup(value: unknown, path: string): Stage['lookupFrom'] {
  if (value === undefined) return null;
  const { collection, vector } = formOf(value, path, ['collection', 'vector', 'shard_key']);
  if (collection === undefined) throw formMistake(join(path, 'collection'), 'is missing');
  return {
    collection: textOf(collection, join(path, 'collection')),
    vector: vector === undefined ? null : textOf(vector, join(path, 'vector')),
  };
}
