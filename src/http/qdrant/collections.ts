/** The dialect's routes of one collection: make, look at, change, and its indexes of payload fields. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CollectionChange } from '../../model/operation.js';
import { CreateCollectionBody, FieldIndexBody, UpdateCollectionBody, VectorNameBody } from '../../wire/qdrant-collections.js';
import { setPosition } from '../answer.js';
import { noteTarget } from '../audit.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { dialectCheck, readChecked } from './body.js';
import { collectionInfo } from './collection-info.js';
import { collectionChange, newCollection, newVector } from './collection-settings.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { fieldChange, fieldPath, mustReadAlike } from './field-index.js';
import { beginRead } from './parameters.js';
import { beginCollectionUpdate, beginUpdate, runUpdate } from './update.js';

const PATH = '/collections/:collection';
const ADMIN = { needs: 'admin', master: true, tag: 'collections' } as const;
const checkCreate = dialectCheck(CreateCollectionBody);
const checkChange = dialectCheck(UpdateCollectionBody);
const checkVectorName = dialectCheck(VectorNameBody);
const checkIndex = dialectCheck(FieldIndexBody);

export function collectionRoutes(room: Room): DialectRoute[] {
  return [
    createRoute(room),
    infoRoute(room),
    changeRoute(room),
    indexRoute(room),
    dropIndexRoute(room),
    ...vectorNameRoutes(room),
  ];
}

function createRoute(room: Room): DialectRoute {
  return {
    ...ADMIN,
    method: 'PUT',
    path: PATH,
    operationId: 'qdrantCreateCollection',
    summary: 'Make a collection',
    body: CreateCollectionBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const update = await beginCollectionUpdate(room, request, `PUT ${collection}`);
      const spec = newCollection(await readChecked(room, request, checkCreate), room.limits);
      await runUpdate(room, reply, update, [{ kind: 'create_collection', collection, spec }]);
      return sendResult(request, reply, true);
    },
  };
}

function infoRoute(room: Room): DialectRoute {
  return {
    method: 'GET',
    path: PATH,
    operationId: 'qdrantGetCollection',
    needs: 'read',
    tag: 'collections',
    timed: true,
    summary: 'Look at a collection',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      await beginRead(room, request, engine, null);
      const info = engine.collection(collection);
      setPosition(reply, info.position);
      return sendResult(request, reply, await collectionInfo(engine, info, room.times.cancellation(request)));
    },
  };
}

function changeRoute(room: Room): DialectRoute {
  return {
    ...ADMIN,
    method: 'PATCH',
    path: PATH,
    operationId: 'qdrantUpdateCollection',
    summary: 'Change what may change of a collection',
    body: UpdateCollectionBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const update = await beginCollectionUpdate(room, request, `PATCH ${collection}`);
      const body = await readChecked(room, request, checkChange);
      const change = collectionChange(body, update.write.engine.collection(collection));
      if (change !== null) await runUpdate(room, reply, update, [{ kind: 'update_collection', collection, change }]);
      return sendResult(request, reply, true);
    },
  };
}

function indexRoute(room: Room): DialectRoute {
  return {
    ...ADMIN,
    method: 'PUT',
    path: `${PATH}/index`,
    operationId: 'qdrantCreateFieldIndex',
    summary: 'Index a payload field, in the place of what indexed it',
    body: FieldIndexBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const update = await beginUpdate(room, request, `PUT ${collection} index`);
      const body = await readChecked(room, request, checkIndex);
      noteTarget(request, { field: body.field_name });
      const fields = fieldChange(body.field_name, body.field_schema);
      mustReadAlike(fields, body.field_schema, update.write.engine.collection(collection).text);
      const change: CollectionChange = { fields };
      return sendResult(
        request,
        reply,
        await runUpdate(room, reply, update, [{ kind: 'update_collection', collection, change }]),
      );
    },
  };
}

function dropIndexRoute(room: Room): DialectRoute {
  return {
    ...ADMIN,
    method: 'DELETE',
    path: `${PATH}/index/:field`,
    operationId: 'qdrantDeleteFieldIndex',
    summary: 'Index a payload field no more',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const path = fieldPath((request.params as { field: string }).field);
      const update = await beginUpdate(room, request, `DELETE ${collection} index ${path}`);
      const change: CollectionChange = { fields: { path, declare: null } };
      return sendResult(
        request,
        reply,
        await runUpdate(room, reply, update, [{ kind: 'update_collection', collection, change }]),
      );
    },
  };
}

function vectorNameRoutes(room: Room): DialectRoute[] {
  const path = `${PATH}/vectors/:vector`;
  const run = async (request: FastifyRequest, reply: FastifyReply, changeOf: (name: string) => Promise<CollectionChange>) => {
    const collection = collectionOf(request);
    const { vector } = request.params as { vector: string };
    const update = await beginUpdate(room, request, `${request.method} ${collection} vectors ${vector}`);
    const change = await changeOf(vector);
    return sendResult(request, reply, await runUpdate(room, reply, update, [{ kind: 'update_collection', collection, change }]));
  };
  return [
    {
      ...ADMIN,
      method: 'PUT',
      path,
      operationId: 'qdrantCreateVectorName',
      summary: 'Declare a named vector',
      body: VectorNameBody,
      handle: (request, reply) =>
        run(request, reply, async (name) => newVector(name, await readChecked(room, request, checkVectorName), room.limits)),
    },
    {
      ...ADMIN,
      method: 'DELETE',
      path,
      operationId: 'qdrantDeleteVectorName',
      summary: 'Take a named vector away, with what points have under it',
      handle: (request, reply) => run(request, reply, (name) => Promise.resolve({ removeVectors: [name] })),
    },
  ];
}
