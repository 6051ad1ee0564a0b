/** Tools that change data: points put in or replaced, and removed. Each call is one atomic unit with an idempotency key of its own, so that a
 *  try that is repeated after a lost connection does nothing twice. */

import { Type } from 'typebox';
import { collectionPath } from '../../model/api-paths.js';
import { invalidRequest } from '../../model/errors.js';
import { type AskServer, type ToolAnswer, tool } from '../tool.js';
import { CollectionName, closed, FilterInput, Id, Ids, POINTS_MAX, Vector, writing } from '../tool-inputs.js';

const PointInput = Type.Object(
  {
    id: Id,
    vector: Vector,
    payload: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'Any JSON object, at most 1 MiB.' })),
    if_version: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Refuse unless the stored point has this version; 0: unless there is none.' }),
    ),
    expires_at: Type.Optional(Type.String({ description: 'ISO 8601: when the point goes away by itself.' })),
  },
  closed,
);

export const upsertTool = tool(
  {
    name: 'upsert',
    title: 'Insert or replace points',
    description:
      'Stores points in a collection, all or none. A point whose id is there is replaced as a whole, payload included.',
  },
  'replaces',
  Type.Object(
    { collection: CollectionName, points: Type.Array(PointInput, { minItems: 1, maxItems: POINTS_MAX }), ...writing },
    closed,
  ),
  ({ collection, points, ...how }, ask) =>
    write(
      { what: `upsert into ${collection}`, method: 'PUT', path: collectionPath(collection, '/points'), body: { points } },
      how,
      ask,
    ),
);

export const deleteTool = tool(
  {
    name: 'delete',
    title: 'Delete points',
    description:
      'Removes points of a collection, by their ids or all that a filter matches. deleted counts those that were there.',
  },
  'removes',
  Type.Object(
    { collection: CollectionName, ids: Type.Optional(Ids), filter: Type.Optional(FilterInput), ...writing },
    { ...closed, description: 'Either ids or a filter.' },
  ),
  async ({ collection, ids, filter, ...how }, ask) => {
    if ((ids === undefined) === (filter === undefined)) throw invalidRequest('', 'give either ids or a filter');
    const body = ids === undefined ? { filter } : { ids };
    const path = collectionPath(collection, '/points/delete');
    return write({ what: `delete from ${collection}`, method: 'POST', path, body }, how, ask);
  },
);

async function write(
  call: { readonly what: string; readonly method: 'PUT' | 'POST'; readonly path: string; readonly body: unknown },
  how: { readonly w?: number | 'majority'; readonly wait?: 'indexed' | 'durable' },
  ask: AskServer,
): Promise<ToolAnswer> {
  return { object: (await ask({ ...call, kind: 'write' }, how)) as ToolAnswer['object'] };
}
