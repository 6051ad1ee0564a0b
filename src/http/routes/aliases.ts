/** Routes of aliases: make or switch, list, remove. */

import type { FastifyRequest } from 'fastify';
import { inScope } from '../../model/access-key.js';
import { checkCollectionName } from '../../model/collection.js';
import type { Operation, OperationResult } from '../../model/operation.js';
import { bodyCheck } from '../../wire/check-body.js';
import { AliasBody, AliasListBody, DeleteAliasAnswer, PutAliasAnswer } from '../../wire/http-bodies.js';
import { principalOf } from '../access/principal.js';
import { scopedOperation } from '../access/scoped-batch.js';
import { sendValue, setPosition } from '../answer.js';
import { noteTarget } from '../audit.js';
import { beFresh } from '../fresh-reads.js';
import { freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { ReadQuery, WriteHeaders, WriteQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { confirm, startWrite, writeOperation } from '../writes.js';

type PutResult = Extract<OperationResult, { readonly kind: 'put_alias' }>;

const PATH = '/v1/aliases/:alias';
const checkAlias = bodyCheck(AliasBody);

export function aliasRoutes(room: Room): Route[] {
  return [putRoute(room), listRoute(room), deleteRoute(room)];
}

/** What a put answers, without position. */
export function aliasBody(operation: Operation | undefined, { collection, previous }: PutResult) {
  if (operation?.kind !== 'put_alias') throw new Error('the put of an alias belongs to another operation');
  return { alias: operation.alias, collection, created: previous === null, previous };
}

/** The checked name in the path. @throws InvalidCollectionName */
function aliasOf(request: FastifyRequest): string {
  return checkCollectionName((request.params as { alias?: string }).alias);
}

function putRoute(room: Room): Route {
  return {
    method: 'PUT',
    path: PATH,
    operationId: 'putAlias',
    needs: 'admin',
    looksAtScope: true,
    master: true,
    summary: 'Make a name stand for a collection, or switch it to another one, atomically',
    tag: 'collections',
    query: WriteQuery,
    headers: WriteHeaders,
    body: AliasBody,
    answer: PutAliasAnswer,
    handle: async (request, reply) => {
      const alias = aliasOf(request);
      const write = await startWrite(room, request, `put alias ${alias}`);
      const body = checkAlias(await room.bodies.read(request, { kind: 'plain' }));
      const collection = checkCollectionName(body.collection);
      noteTarget(request, { collection });
      const operation = scopedOperation(principalOf(request), { kind: 'put_alias', alias, collection }, write.engine);
      const receipt = await writeOperation(room, write, operation);
      const [result] = receipt.results;
      if (result?.kind !== 'put_alias') throw new Error('the put of an alias had no result');
      return sendValue(request, reply, { ...aliasBody(operation, result), ...(await confirm(room, reply, write, receipt)) });
    },
  };
}

function listRoute(room: Room): Route {
  return {
    method: 'GET',
    path: '/v1/aliases',
    operationId: 'listAliases',
    needs: 'read',
    looksAtScope: true,
    summary: 'List all aliases of collections that the key is for',
    tag: 'collections',
    query: ReadQuery,
    answer: AliasListBody,
    handle: async (request, reply) => {
      const engine = room.service.engine();
      const wanted = freshness(request, queryOf(request, READ_PARAMETERS), {}, room.limits);
      await beFresh(room, engine, wanted, 'durable', null);
      const { scope } = principalOf(request);
      const aliases = engine.aliases().filter(({ collection }) => inScope(scope, collection));
      setPosition(reply, engine.position());
      return sendValue(request, reply, { aliases });
    },
  };
}

function deleteRoute(room: Room): Route {
  return {
    method: 'DELETE',
    path: PATH,
    operationId: 'deleteAlias',
    needs: 'admin',
    looksAtScope: true,
    master: true,
    summary: 'Remove an alias; its collection stays',
    tag: 'collections',
    query: WriteQuery,
    headers: WriteHeaders,
    answer: DeleteAliasAnswer,
    handle: async (request, reply) => {
      const alias = aliasOf(request);
      const write = await startWrite(room, request, `delete alias ${alias}`);
      const operation = scopedOperation(principalOf(request), { kind: 'delete_alias', alias }, write.engine);
      const receipt = await writeOperation(room, write, operation);
      return sendValue(request, reply, { deleted: true, ...(await confirm(room, reply, write, receipt)) });
    },
  };
}
