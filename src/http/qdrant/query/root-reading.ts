/** Whole queries from their bodies: those of the query API, and the older ones for one kind of query each, which say the same in other words.
 *  `top` is another name of `limit`, `with_vectors` of `with_vector`. Must not know: how a query is answered, groups. */

import { join } from '../../../wire/place.js';
import { filterOf } from '../filter.js';
import { countOf, type Form, formOf, numberOf, textOf } from '../form.js';
import { formMistake, rangeMistake } from '../mistakes.js';
import { isObject } from '../plain-object.js';
import { type Shown, shownOf } from '../selection.js';
import { mustNameNoShard } from '../shard-key.js';
import { readPairs, recommendQuery } from './query-reading.js';
import { readLimit, readLookup, readParams, readStage, type StageLimits } from './stage-reading.js';
import type { Query, Stage } from './stages.js';
import { anyVector, vectorInput } from './vector-reading.js';

/** One query as it was asked: `limit` of the stage holds the offset too. */
export interface RootQuery {
  readonly stage: Stage;
  readonly offset: number;
  readonly shown: Shown;
}

/** Reads one query. @param more fields that stand beside those of the query, read elsewhere */
export type ReadRoot = (value: unknown, path: string, limits: StageLimits, more?: readonly string[]) => RootQuery;

const SHOWN_FIELDS = ['with_payload', 'with_vector', 'with_vectors', 'shard_key'];
const OFFSET_MAX = Number.MAX_SAFE_INTEGER;

export const readQueryRoot: ReadRoot = (value, path, limits, more = []) => {
  const beside = ['offset', ...SHOWN_FIELDS, ...more];
  const stage = readStage(value, path, limits, beside);
  return rooted(stage, formOf(value, path, [...Object.keys(value as object)]), limits);
};

const LEGACY_FIELDS = ['filter', 'params', 'score_threshold', 'limit', 'top', 'offset', ...SHOWN_FIELDS];

/** `{vector: [numbers] | {name, vector}, …}` */
export const readSearchRoot: ReadRoot = (value, path, limits, more = []) => {
  const fields = formOf(value, path, ['vector', ...LEGACY_FIELDS, ...more]);
  const { vector } = fields;
  if (vector === undefined) throw formMistake(join(path, 'vector'), 'is missing');
  const place = join(path, 'vector');
  const isNamed = isObject(vector) && 'name' in vector;
  const named = isNamed ? formOf(vector, place, ['name', 'vector']) : { vector };
  const query: Query = {
    kind: 'nearest',
    to: { vector: anyVector(named['vector'], isNamed ? join(place, 'vector') : place) },
    mmr: null,
  };
  return legacyRoot(fields, path, limits, query, isNamed ? textOf(named['name'], join(place, 'name')) : undefined);
};

/** `{positive, negative, strategy?, …}` */
export const readRecommendRoot: ReadRoot = (value, path, limits, more = []) => {
  const own = ['positive', 'negative', 'strategy', 'using', 'lookup_from'];
  const fields = formOf(value, path, [...own, ...LEGACY_FIELDS, ...more]);
  return legacyRoot(fields, path, limits, recommendQuery(fields, path));
};

/** `{target?, context?, …}`: without a target only the context counts. */
export const readDiscoverRoot: ReadRoot = (value, path, limits, more = []) => {
  const own = ['target', 'context', 'using', 'lookup_from'];
  const fields = formOf(value, path, [...own, ...LEGACY_FIELDS, ...more]);
  const { target, context } = fields;
  if (target === undefined && context === undefined) throw formMistake(path, 'must have target, context, or both');
  const pairs = readPairs(context ?? [], join(path, 'context'));
  const query: Query =
    target === undefined
      ? { kind: 'context', pairs }
      : { kind: 'discover', target: vectorInput(target, join(path, 'target')), pairs };
  return legacyRoot(fields, path, limits, query);
};

function legacyRoot(fields: Form, path: string, limits: StageLimits, query: Query, name?: string): RootQuery {
  const at = (field: string): string => join(path, field);
  const { filter, params, score_threshold: threshold, using } = fields;
  const limit = fields['limit'] ?? fields['top'];
  const stage: Stage = {
    path,
    prefetch: [],
    query,
    using: name ?? (using === undefined ? '' : vectorName(using, at('using'))),
    filter: filter === undefined ? null : filterOf(filter, at('filter')),
    ...readParams(params, at('params'), limits),
    scoreThreshold: threshold === undefined ? null : numberOf(threshold, at('score_threshold')),
    limit: readLimit(limit === undefined ? {} : { limit }, path, limits),
    lookupFrom: readLookup(fields['lookup_from'], at('lookup_from')),
  };
  return rooted(stage, fields, limits);
}

/** A name, or as older clients write it `{name}`. */
function vectorName(value: unknown, path: string): string {
  return isObject(value) ? textOf(formOf(value, path, ['name'])['name'], join(path, 'name')) : textOf(value, path);
}

function rooted(stage: Stage, fields: Form, { searchLimitMax }: StageLimits): RootQuery {
  const { path } = stage;
  mustNameNoShard({ shard_key: fields['shard_key'] });
  const offset = fields['offset'] === undefined ? 0 : countOf(fields['offset'], join(path, 'offset'), 0, OFFSET_MAX);
  const limit = stage.limit + offset;
  if (limit > searchLimitMax)
    throw rangeMistake(join(path, 'limit'), `limit and offset together must be at most ${searchLimitMax}`);
  return { stage: { ...stage, limit }, offset, shown: shownOf(fields, { withPayload: false }, path) };
}
