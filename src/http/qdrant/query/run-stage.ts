/** Answers a stage: prefetches first, then its own order over what they found, else over all that its filters let pass.
 *
 *  Filters of a stage hold for all stages under it, and so do the points that stand for their own vectors, which are no hits. What prefetches
 *  found is ordered exactly. Must not know: bodies, answers. */

import type { Selection } from '../../../engine/engine.js';
import type { Condition, Filter } from '../../../model/filter.js';
import type { PointId } from '../../../model/point.js';
import { fuseByRank, fuseBySpread, type ScoredList } from './fuse.js';
import { bareHit, type Ordered, orderPoints } from './order-points.js';
import type { DialectHit, QueryContext } from './query-context.js';
import { stageVectors } from './stage-vectors.js';
import type { Stage } from './stages.js';

const NOTHING: Selection = { withPayload: false, withVector: false };

/** Best first. @param shown what is read of the points @throws as Engine.search, Engine.rank · PayloadTooLarge: all that the request holds together */
export async function runStage(context: QueryContext, stage: Stage, shown: Selection): Promise<readonly DialectHit[]> {
  const { hits, isShown } = await ordered(context, stage, [], shown);
  return isShown ? hits : withPoints(context, hits, shown);
}

/** @param above conditions of the stages above */
async function ordered(context: QueryContext, stage: Stage, above: readonly Condition[], shown: Selection): Promise<Ordered> {
  const vectors = await stageVectors(context, stage);
  const conditions = [...above, ...ownConditions(stage, vectors.ids)];
  if (stage.prefetch.length === 0)
    return orderPoints(context, { stage, vectors, filter: filterOf(conditions), among: null, shown });
  const lists = await Promise.all(stage.prefetch.map((one) => ordered(context, one, conditions, NOTHING)));
  const fused = fuse(stage, lists);
  if (fused !== null) return { ...fused, lowerIsBetter: false, isShown: false };
  const ids = [...new Set(lists.flatMap(({ hits }) => hits.map(({ id }) => id)))];
  // They have passed the filters; only that they still do is asked again.
  const among: Condition = { kind: 'has_id', ids };
  return orderPoints(context, { stage, vectors, filter: filterOf([...conditions, among]), among: ids, shown });
}

function ownConditions({ filter }: Stage, without: readonly PointId[]): Condition[] {
  const conditions: Condition[] = filter === null ? [] : [{ kind: 'filter', filter }];
  if (without.length > 0) conditions.push({ kind: 'filter', filter: { mustNot: [{ kind: 'has_id', ids: without }] } });
  return conditions;
}

function filterOf(conditions: readonly Condition[]): Filter | null {
  const [only] = conditions;
  if (only === undefined) return null;
  return conditions.length === 1 && only.kind === 'filter' ? only.filter : { must: conditions };
}

/** Null: the stage has an order of its own. */
function fuse(
  { query, limit, scoreThreshold }: Stage,
  lists: readonly ScoredList[],
): { readonly hits: readonly DialectHit[] } | null {
  if (query?.kind !== 'rrf' && query?.kind !== 'dbsf') return null;
  const fused = query.kind === 'rrf' ? fuseByRank(lists, query.k, query.weights) : fuseBySpread(lists);
  const passing = scoreThreshold === null ? fused : fused.filter(({ score }) => score > scoreThreshold);
  return { hits: passing.slice(0, limit).map(bareHit) };
}

/** The hits with what is to be shown of their points; those that have gone meanwhile are left out. */
async function withPoints(context: QueryContext, hits: readonly DialectHit[], shown: Selection): Promise<readonly DialectHit[]> {
  if (hits.length === 0) return hits;
  const { engine, collection, budget, positions } = context;
  const ids = hits.map(({ id }) => id);
  const { points, position } = await budget.hold(
    () => engine.get(collection.name, ids, shown),
    (answer) => answer.points,
  );
  positions.push(position);
  const found = new Map(points.map((point) => [point.id, point]));
  return hits.flatMap((hit) => {
    const point = found.get(hit.id);
    return point === undefined ? [] : [{ ...hit, ...point }];
  });
}
