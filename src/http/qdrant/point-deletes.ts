/** The dialect's removal of points, by ids or by filter. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Filter } from '../../model/filter.js';
import { canonicalText } from '../../wire/canonical-hash.js';
import { DialectDeleteBody } from '../../wire/qdrant-parts.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { dialectCheck, readChecked } from './body.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { targetOf } from './point-target.js';
import { mustNameNoShard } from './shard-key.js';
import { beginUpdate, runUnits, runUpdate, type Update, type UpdateResult } from './update.js';

const checkDelete = dialectCheck(DialectDeleteBody);

export function pointDeleteRoute(room: Room): DialectRoute {
  return {
    method: 'POST',
    path: '/collections/:collection/points/delete',
    timed: true,
    operationId: 'qdrantDeletePoints',
    needs: 'write',
    master: true,
    summary: 'Delete points by id or by filter',
    tag: 'points',
    work: 'free',
    body: DialectDeleteBody,
    handle: async (request: FastifyRequest, reply: FastifyReply) => {
      const collection = collectionOf(request);
      const update = await beginUpdate(room, request, `delete ${collection}`);
      const body = await readChecked(room, request, checkDelete);
      mustNameNoShard(body);
      const target = targetOf(body, room.limits);
      const { required } = update.write.parameters;
      if ('filter' in target) {
        plainAsked(request, { w: required }, target.filter);
        return sendResult(request, reply, await deleteMatching(room, reply, update, collection, target.filter));
      }
      plainAsked(request, { w: required, points: target.ids.length });
      const result = await runUpdate(room, reply, update, [{ kind: 'delete', collection, ids: target.ids }]);
      return sendResult(request, reply, result);
    },
  };
}

/** In units of the engine: each is atomic, all together are not. */
export function deleteMatching(
  room: Room,
  reply: FastifyReply,
  update: Update,
  collection: string,
  filter: Filter,
): Promise<UpdateResult> {
  room.strict.deletes(collection, filter);
  const asked = ['delete_by_filter', collection, canonicalText(filter)];
  return runUnits(room, reply, update, asked, (options) => update.write.engine.deleteByFilter(collection, filter, options));
}
