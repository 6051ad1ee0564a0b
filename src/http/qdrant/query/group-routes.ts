/** Routes of queries by groups: the hits of a query by the values of a payload field, each group with a point of another collection that has
 *  its value as its id, if that is asked for. */

import type { FastifyRequest } from 'fastify';
import type { Engine, FoundPoint } from '../../../engine/engine.js';
import { FIXED } from '../../../model/limits.js';
import type { PointId } from '../../../model/point.js';
import type { AnswerWriter } from '../../../wire/answer-writer.js';
import type { Room } from '../../room.js';
import { collectionOf } from '../../routes/collections.js';
import type { DialectRoute } from '../dialect-route.js';
import { sendLongResult } from '../envelope.js';
import { countOf, type Form, formOf, textOf } from '../form.js';
import { formMistake, rangeMistake } from '../mistakes.js';
import { crossingPath } from '../payload-path.js';
import { isObject } from '../plain-object.js';
import { type AskedId, askedId, heldIds } from '../point-id.js';
import { type RecordForm, selectionOf, writeRecord } from '../record.js';
import { shownOf } from '../selection.js';
import { beginQueries, inScopeOf, otherCollection, tellPosition } from './begin-query.js';
import type { QueryContext } from './query-context.js';
import { ABOUT_QUERIES } from './query-routes.js';
import { type ReadRoot, readQueryRoot, readRecommendRoot, readSearchRoot } from './root-reading.js';
import { type DialectGroup, type Grouping, runGroups } from './run-groups.js';
import { writeHits } from './scored-points.js';

const GROUP_SIZE = 3;
const GROUP_FIELDS = ['group_by', 'group_size', 'with_lookup'] as const;
const KINDS: readonly { readonly path: string; readonly name: string; readonly read: ReadRoot }[] = [
  { path: 'query', name: 'Query', read: readQueryRoot },
  { path: 'search', name: 'Search', read: readSearchRoot },
  { path: 'recommend', name: 'Recommend', read: readRecommendRoot },
];

/** Where groups find the points that stand for them. */
interface Lookup {
  readonly collection: string;
  readonly form: RecordForm;
}

export function groupRoutes(room: Room): DialectRoute[] {
  return KINDS.map(({ path, name, read }) => ({
    ...ABOUT_QUERIES,
    path: `/collections/:collection/points/${path}/groups`,
    operationId: `qdrant${name}PointGroups`,
    summary: 'Find points as the route without groups does, by the values of a payload field',
    handle: async (request, reply) => {
      const { limits } = room;
      const body = await room.bodies.read(request, { kind: 'plain' });
      const query = read(body, '', limits, GROUP_FIELDS);
      const fields = formOf(body, '', Object.keys(body as object));
      const { searchLimitMax: hitsMax } = limits;
      const grouping = groupingOf(fields, query.stage.limit, hitsMax);
      const engine = room.service.engine();
      const lookup = lookupOf(request, engine, fields['with_lookup']);
      const scoped = inScopeOf(request, engine, query);
      const context = await beginQueries(room, request, collectionOf(request), [scoped]);
      const groups = await runGroups(context, scoped.stage, grouping, { shown: selectionOf(scoped.shown), hitsMax });
      const found = lookup === null ? null : await lookedUp(context, lookup, groups);
      tellPosition(reply, context);
      const form = { shown: query.shown, collection: context.collection };
      const points = [...groups.flatMap(({ hits }) => hits), ...(found?.values() ?? [])];
      return sendLongResult(room, request, reply, points, (out) =>
        writeGroups(out, groups, form, lookup === null ? null : { form: lookup.form, found }),
      );
    },
  }));
}

function groupingOf({ group_by: key, group_size: size = GROUP_SIZE }: Form, limit: number, hitsMax: number): Grouping {
  if (key === undefined) throw formMistake('group_by', 'is missing');
  const groupSize = countOf(size, 'group_size', 1, FIXED.groupSizeMax);
  if (limit * groupSize > hitsMax) throw rangeMistake('limit', `limit times group_size must be at most ${hitsMax}`);
  return { path: crossingPath(key, 'group_by'), limit, groupSize };
}

/** @throws InvalidRequest, Forbidden, CollectionNotFound */
function lookupOf(request: FastifyRequest, engine: Engine, value: unknown): Lookup | null {
  if (value === undefined) return null;
  const fields = isObject(value)
    ? formOf(value, 'with_lookup', ['collection', 'with_payload', 'with_vectors', 'with_vector'])
    : { collection: value };
  const collection = otherCollection(request, engine, textOf(fields.collection, 'with_lookup.collection'));
  return {
    collection,
    form: { shown: shownOf(fields, { withPayload: true }, 'with_lookup'), collection: engine.collection(collection) },
  };
}

/** By the value of the group. */
async function lookedUp(
  context: QueryContext,
  { collection, form }: Lookup,
  groups: readonly DialectGroup[],
): Promise<ReadonlyMap<DialectGroup['value'], FoundPoint>> {
  const { engine, budget, positions } = context;
  const asked = groups.flatMap(({ value }) => {
    const id = idOf(value);
    return id === null ? [] : [{ value, id }];
  });
  const ids = asked.map(({ id }) => id);
  const held = await heldIds(engine, collection, ids);
  const { points, position } = await budget.hold(
    () => engine.get(collection, [...new Set(held)], selectionOf(form.shown)),
    (answer) => answer.points,
  );
  positions.push(position);
  const found = new Map(points.map((point) => [point.id, point]));
  return new Map(
    asked.flatMap(({ value }, i) => {
      const point = found.get(held[i] as PointId);
      return point === undefined ? [] : [[value, point]];
    }),
  );
}

/** Null: no point can have such an id. */
function idOf(value: DialectGroup['value']): AskedId | null {
  if (typeof value === 'number') return value >= 0 ? { id: value, spelled: null } : null;
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > FIXED.idBytesMax) return null;
  return askedId(value, 'with_lookup');
}

function* writeGroups(
  out: AnswerWriter,
  groups: readonly DialectGroup[],
  form: RecordForm,
  lookup: { readonly form: RecordForm; readonly found: Awaited<ReturnType<typeof lookedUp>> | null } | null,
): Generator<void> {
  out.openObject(1);
  out.key('groups');
  out.openArray(groups.length);
  for (const { value, hits } of groups) {
    const point = lookup?.found?.get(value);
    out.openObject(point === undefined ? 2 : 3);
    out.key('id');
    out.value(value);
    out.key('hits');
    yield* writeHits(out, hits, form);
    if (point !== undefined && lookup !== null) {
      out.key('lookup');
      writeRecord(out, point, lookup.form);
    }
    out.closeObject();
  }
  out.closeArray();
  out.closeObject();
}
