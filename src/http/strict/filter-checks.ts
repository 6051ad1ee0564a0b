/** Filters against the strict mode of a collection: how many conditions, how many values in one, and whether payload indexes answer them.
 *  Pure. An index answers what it answers exactly (payload-index/field-answer.ts); a text condition is answered by none.
 *  Must not know: indexes themselves, requests. */

import type { Strictness } from '../../engine/engine.js';
import type { PayloadIndexType } from '../../model/collection.js';
import type { Condition, Filter, MatchValue } from '../../model/filter.js';
import { strictRefusal } from '../../model/strict-mode.js';

export type FilterUse = 'unindexedFilteringRetrieve' | 'unindexedFilteringUpdate';

/** Any: a declared field, whatever its type. */
type Serving = readonly PayloadIndexType[] | 'any';

const NUMBERS: Serving = ['integer', 'float'];

/** @param path of the filter @throws InvalidRequest */
export function checkFilter(
  { mode, payloadIndexes }: Strictness,
  filter: Filter | undefined,
  use: FilterUse,
  path: string,
): void {
  if (filter === undefined) return;
  const leaves = leavesOf(filter, '');
  const { filterMaxConditions: conditionsMax, conditionMaxSize: sizeMax } = mode;
  if (conditionsMax !== null && leaves.length > conditionsMax)
    throw strictRefusal('filterMaxConditions', { path, message: `at most ${conditionsMax} conditions`, limit: conditionsMax });
  for (const { condition, key } of leaves) {
    if (sizeMax !== null && sizeOf(condition) > sizeMax)
      throw strictRefusal('conditionMaxSize', {
        path,
        message: `at most ${sizeMax} values in the condition of ${key}`,
        limit: sizeMax,
      });
    if (mode[use] === false && !isIndexed(condition, key, payloadIndexes))
      throw strictRefusal(use, { path, message: `no payload index answers the condition of '${key}'`, limit: false });
  }
}

interface Leaf {
  readonly condition: Exclude<Condition, { kind: 'filter' | 'nested' }>;
  /** From the point on. */
  readonly key: string;
}

function leavesOf({ must = [], should = [], mustNot = [], minShould }: Filter, prefix: string): Leaf[] {
  const conditions = [...must, ...should, ...mustNot, ...(minShould?.conditions ?? [])];
  return conditions.flatMap((condition): Leaf[] => {
    if (condition.kind === 'filter') return leavesOf(condition.filter, prefix);
    if (condition.kind === 'nested') return leavesOf(condition.filter, `${prefix}${condition.key}.`);
    return [{ condition, key: 'key' in condition ? prefix + condition.key : condition.kind }];
  });
}

function sizeOf(condition: Leaf['condition']): number {
  if (condition.kind === 'has_id') return condition.ids.length;
  if (condition.kind === 'geo_polygon') return condition.exterior.length + condition.interiors.flat().length;
  return condition.kind === 'match_any' || condition.kind === 'match_except' ? condition.values.length : 1;
}

function isIndexed(condition: Leaf['condition'], key: string, indexes: Strictness['payloadIndexes']): boolean {
  if (condition.kind === 'has_id') return true;
  if (condition.kind === 'slice' || condition.kind === 'has_vector') return false;
  const type = indexes.find(({ path }) => path === key)?.type;
  return type !== undefined && servings(condition).every((serving) => serving === 'any' || serving.includes(type));
}

function servings(condition: Exclude<Leaf['condition'], { kind: 'has_id' | 'has_vector' | 'slice' }>): Serving[] {
  switch (condition.kind) {
    case 'match_value':
      return [servingOf(condition.value)];
    case 'match_any':
    case 'match_except':
      return condition.values.map(servingOf);
    case 'match_text':
      return [[]];
    case 'match_prefix':
      return [['keyword']];
    case 'range':
      return [condition.time ? ['datetime'] : NUMBERS];
    case 'geo_radius':
    case 'geo_box':
    case 'geo_polygon':
      return [['geo']];
    case 'exists':
    case 'is_null':
    case 'is_empty':
    case 'values_count':
      return ['any'];
  }
}

/** Booleans are known of every declared field. */
function servingOf(value: MatchValue): Serving {
  if (typeof value === 'boolean') return 'any';
  return typeof value === 'string' ? ['keyword'] : NUMBERS;
}
