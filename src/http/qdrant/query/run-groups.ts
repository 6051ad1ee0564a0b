/** Hits of a query by the values of a payload field.
 *
 *  What is near one vector is grouped by the engine, which looks on until the groups are full. Any other query is asked for more and more hits
 *  until they fill the groups, or there are no more. Must not know: bodies, answers. */

import type { Selection } from '../../../engine/engine.js';
import { type FacetScalar, isKey, scalarsAt } from '../../../model/facet.js';
import type { Payload } from '../../../model/point.js';
import { join } from '../../../wire/place.js';
import { averageVector } from './average.js';
import { type Order, searchOf } from './order-points.js';
import type { DialectHit, QueryContext } from './query-context.js';
import { runStage } from './run-stage.js';
import { stageVectors } from './stage-vectors.js';
import type { Stage } from './stages.js';

export interface Grouping {
  /** Dotted. */
  readonly path: string;
  /** How many groups, and how many hits of one, at most. */
  readonly limit: number;
  readonly groupSize: number;
}

export interface DialectGroup {
  readonly value: FacetScalar;
  /** Best first. */
  readonly hits: readonly DialectHit[];
}

/** More hits are asked for so many times as many at once. */
const GROWTH = 4;

/** @param hitsMax of all groups together  @returns groups in the order of their best hits @throws as runStage */
export async function runGroups(
  context: QueryContext,
  stage: Stage,
  grouping: Grouping,
  { shown, hitsMax }: { readonly shown: Selection; readonly hitsMax: number },
): Promise<readonly DialectGroup[]> {
  if (isNearOne(stage)) return engineGroups(context, stage, grouping, shown);
  const steps = grouping.path.split('.');
  const { budget } = context;
  const before = budget.bytes;
  for (let limit = grouping.limit * grouping.groupSize; ; limit = Math.min(hitsMax, limit * GROWTH)) {
    // The value of the field is in the payload.
    const hits = await runStage(context, { ...stage, limit }, { ...shown, withPayload: true });
    const { groups, isFull } = grouped(hits, steps, grouping);
    if (isFull || hits.length < limit || limit === hitsMax) return shown.withPayload ? groups : groups.map(withoutPayloads);
    // The next round reads them all again.
    budget.giveBack(budget.bytes - before);
  }
}

function isNearOne({ query, prefetch }: Stage): boolean {
  if (prefetch.length > 0) return false;
  if (query?.kind === 'nearest') return query.mmr === null;
  return query?.kind === 'recommend' && query.strategy === 'average_vector';
}

async function engineGroups(
  context: QueryContext,
  stage: Stage,
  { path, limit, groupSize }: Grouping,
  shown: Selection,
): Promise<readonly DialectGroup[]> {
  const { engine, collection, budget, positions } = context;
  const vectors = await stageVectors(context, stage);
  const { query, filter: own } = stage;
  const of = (input: Parameters<typeof vectors.of>[0]) => vectors.of(input);
  const target =
    query?.kind === 'recommend'
      ? averageVector(query.positive.map(of), query.negative.map(of), join(stage.path, 'query.recommend'))
      : query?.kind === 'nearest'
        ? of(query.to)
        : null;
  if (target === null) throw new Error('only what is near one vector is grouped by the engine');
  const without: Order['filter'] = vectors.ids.length === 0 ? null : { mustNot: [{ kind: 'has_id', ids: vectors.ids }] };
  const filter =
    own === null || without === null
      ? (own ?? without)
      : { must: [own, without].map((one) => ({ kind: 'filter', filter: one }) as const) };
  const { offset: _, ...search } = searchOf(context, { stage, filter, among: null }, target, limit);
  const request = { ...search, ...shown, groupBy: path, groupSize, keysOnly: true };
  let answer = await engine.searchGroups(collection.name, request);
  if (!answer.complete && !request.exact) answer = await engine.searchGroups(collection.name, { ...request, exact: true });
  await budget.add(answer.groups.flatMap(({ hits }) => hits));
  positions.push(answer.position);
  return answer.groups;
}

function grouped(
  hits: readonly DialectHit[],
  steps: readonly string[],
  { limit, groupSize }: Grouping,
): { readonly groups: readonly DialectGroup[]; readonly isFull: boolean } {
  const groups = new Map<FacetScalar, DialectHit[]>();
  for (const hit of hits) {
    for (const value of scalarsAt(payloadOf(hit), steps)) {
      if (!isKey(value)) continue;
      const group = groups.get(value);
      if (group === undefined && groups.size < limit) groups.set(value, [hit]);
      else if (group !== undefined && group.length < groupSize) group.push(hit);
    }
  }
  const isFull = groups.size === limit && [...groups.values()].every((group) => group.length === groupSize);
  return { groups: [...groups].map(([value, members]) => ({ value, hits: members })), isFull };
}

function payloadOf({ payload }: DialectHit): Payload {
  if (payload === null || payload.length === 0) return {};
  return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString()) as Payload;
}

function withoutPayloads({ value, hits }: DialectGroup): DialectGroup {
  return { value, hits: hits.map((hit) => ({ ...hit, payload: null })) };
}
