/** Routes of collections: make, list, look at, change, drop. */

import type { FastifyRequest } from 'fastify';
import type { WriteReceipt } from '../../engine/engine.js';
import { inScope } from '../../model/access-key.js';
import { checkCollectionName } from '../../model/collection.js';
import {
  CollectionChangeBody,
  CollectionInfoBody,
  CollectionListBody,
  DeleteCollectionAnswer,
  NewCollectionBody,
} from '../../wire/http-bodies.js';
import { principalOf } from '../access/principal.js';
import { sendValue, setPosition } from '../answer.js';
import {
  checkCollectionChange,
  checkNewCollection,
  collectionChange,
  collectionInfoBody,
  newCollection,
  writtenCollectionBody,
} from '../collection-body.js';
import { beFresh } from '../fresh-reads.js';
import { freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { ReadQuery, WriteQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { confirm, startWrite, type WriteRequest, type Written, writeOperation } from '../writes.js';

/** The checked name in the path. @throws InvalidCollectionName */
export function collectionOf(request: FastifyRequest): string {
  return checkCollectionName((request.params as { collection?: string }).collection);
}

export function collectionRoutes(room: Room): Route[] {
  return [createRoute(room), listRoute(room), infoRoute(room), changeRoute(room), dropRoute(room)];
}

const PATH = '/v1/collections/:collection';

function createRoute(room: Room): Route {
  return {
    method: 'PUT',
    path: PATH,
    operationId: 'createCollection',
    needs: 'admin',
    master: true,
    summary: 'Make a collection',
    tag: 'collections',
    query: WriteQuery,
    body: NewCollectionBody,
    answer: CollectionInfoBody,
    status: 201,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const write = await startWrite(room, request, `PUT ${collection}`);
      const spec = newCollection(checkNewCollection(await room.bodies.read(request, { kind: 'plain' })), room.limits);
      const receipt = await writeOperation(room, write, { kind: 'create_collection', collection, spec });
      const written = await confirm(room, reply, write, receipt);
      return sendValue(request, reply, writtenBody(write, collection, receipt, written), 201);
    },
  };
}

function listRoute(room: Room): Route {
  return {
    method: 'GET',
    path: '/v1/collections',
    operationId: 'listCollections',
    needs: 'read',
    looksAtScope: true,
    summary: 'List all collections that the key is for',
    tag: 'collections',
    query: ReadQuery,
    answer: CollectionListBody,
    handle: async (request, reply) => {
      const engine = room.service.engine();
      const wanted = freshness(request, queryOf(request, READ_PARAMETERS), {}, room.limits);
      await beFresh(room, engine, wanted, 'durable', null);
      const { scope } = principalOf(request);
      const shown = engine.collections().filter(({ name }) => inScope(scope, name));
      const collections = shown.map(collectionInfoBody);
      setPosition(reply, engine.position());
      return sendValue(request, reply, { collections });
    },
  };
}

function infoRoute(room: Room): Route {
  return {
    method: 'GET',
    path: PATH,
    operationId: 'getCollection',
    needs: 'read',
    summary: 'Look at a collection',
    tag: 'collections',
    query: ReadQuery,
    answer: CollectionInfoBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const wanted = freshness(request, queryOf(request, READ_PARAMETERS), {}, room.limits);
      await beFresh(room, engine, wanted, 'durable', null);
      const info = engine.collection(collection);
      setPosition(reply, info.position);
      return sendValue(request, reply, collectionInfoBody(info));
    },
  };
}

function changeRoute(room: Room): Route {
  return {
    method: 'PATCH',
    path: PATH,
    operationId: 'changeCollection',
    needs: 'admin',
    master: true,
    summary: 'Change ef_search, ttl_ms, or what is indexed beside the vectors',
    tag: 'collections',
    query: WriteQuery,
    body: CollectionChangeBody,
    answer: CollectionInfoBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const write = await startWrite(room, request, `PATCH ${collection}`);
      const change = collectionChange(checkCollectionChange(await room.bodies.read(request, { kind: 'plain' })), room.limits);
      const receipt = await writeOperation(room, write, { kind: 'update_collection', collection, change });
      const written = await confirm(room, reply, write, receipt);
      return sendValue(request, reply, writtenBody(write, collection, receipt, written));
    },
  };
}

function writtenBody(write: WriteRequest, collection: string, receipt: WriteReceipt, { position }: Written) {
  const [result] = receipt.results;
  if (result?.kind !== 'create_collection' && result?.kind !== 'update_collection')
    throw new Error('the write of a collection had no result');
  return { ...writtenCollectionBody(write.engine, collection, result), position };
}

function dropRoute(room: Room): Route {
  return {
    method: 'DELETE',
    path: PATH,
    operationId: 'deleteCollection',
    needs: 'admin',
    master: true,
    summary: 'Drop a collection with all its points',
    tag: 'collections',
    query: WriteQuery,
    answer: DeleteCollectionAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const write = await startWrite(room, request, `DELETE ${collection}`);
      const receipt = await writeOperation(room, write, { kind: 'delete_collection', collection });
      return sendValue(request, reply, { deleted: true, ...(await confirm(room, reply, write, receipt)) });
    },
  };
}
