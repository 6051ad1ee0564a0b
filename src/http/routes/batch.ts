/** /v1/batch: operations over several collections as one atomic unit. */

import type { FastifyRequest } from 'fastify';
import type { Engine } from '../../engine/engine.js';
import { inScope, type KeyScope } from '../../model/access-key.js';
import type { Limits } from '../../model/limits.js';
import type { Operation, OperationResult } from '../../model/operation.js';
import type { UncheckedCreate } from '../../wire/batch-body.js';
import { BatchAnswer, BatchBody } from '../../wire/http-bodies.js';
import { ruleOf, type VectorRule } from '../../wire/vector-rule.js';
import type { WriteRules } from '../../wire/write-bodies.js';
import { principalOf } from '../access/principal.js';
import { needOf, scopedOperations } from '../access/scoped-batch.js';
import { sendValue } from '../answer.js';
import { plainAsked } from '../asked.js';
import { noteTarget } from '../audit.js';
import { checkNewCollection, newCollection, writtenCollectionBody } from '../collection-body.js';
import { WriteHeaders, WriteQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { confirm, isIdempotent, startWrite, writeUnit } from '../writes.js';
import { aliasBody } from './aliases.js';
import { countsOf } from './point-writes.js';

const OPERATIONS_TOLD = 20;

export function batchRoutes(room: Room): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/batch',
      timed: true,
      operationId: 'batch',
      needs: 'write',
      looksAtScope: true,
      mayAdminister: true,
      master: true,
      summary: 'Run operations over several collections as one atomic unit',
      tag: 'points',
      // Deletes alone are done when memory is full; the engine, which sees what it is, refuses the others.
      work: 'free',
      query: WriteQuery,
      headers: WriteHeaders,
      body: BatchBody,
      answer: BatchAnswer,
      handle: async (request, reply) => {
        const write = await startWrite(room, request, 'batch');
        const read = await room.bodies.read(request, {
          kind: 'batch',
          rules: rulesInScope(room, write.engine, principalOf(request).scope),
          hashed: isIdempotent(write),
        });
        noteAdministration(request, read.operations);
        const asked = read.operations.map((operation) => checkCreate(operation, room.limits));
        plainAsked(request, { operations: asked.length, w: write.parameters.required, wait: write.parameters.wait });
        const operations = scopedOperations(principalOf(request), asked, write.engine);
        holdStrictly(room, request, operations);
        const receipt = await writeUnit(room, write, operations, read.hash, read.refused);
        const written = await confirm(room, reply, write, receipt);
        const results = receipt.results.map((result, i) => resultBody(write.engine, operations[i], result));
        return sendValue(request, reply, { results, ...written });
      },
    },
  ];
}

/** Each operation on points as its own route would be. @throws InvalidRequest, RateLimited */
function holdStrictly({ strict }: Room, request: FastifyRequest, operations: readonly Operation[]): void {
  const { timeout_ms: timeoutMs } = request.query as { readonly timeout_ms?: unknown };
  const counts = new Map<string, number>();
  for (const [i, operation] of operations.entries()) {
    if (needOf(operation) !== 'write' || !('collection' in operation)) continue;
    const { kind, collection } = operation;
    counts.set(collection, (counts.get(collection) ?? 0) + 1);
    const path = `operations[${i}].${kind}.points`;
    if (kind === 'upsert') strict.points(collection, operation.points.ids.length, path);
    if (kind === 'patch') strict.points(collection, operation.patches.length, path);
  }
  for (const [collection, count] of counts) {
    strict.timeout(collection, timeoutMs);
    strict.more(collection, 'write', count);
  }
}

/** Before anything of it can be refused. What is written of it are the operations that administer, the first of them where they are many. */
function noteAdministration(request: FastifyRequest, operations: readonly (Operation | UncheckedCreate)[]): void {
  const administering = operations.filter(({ kind }) => kind === 'unchecked_create' || needOf({ kind }) === 'admin');
  if (administering.length === 0) return;
  request.administers = true;
  const told = administering.slice(0, OPERATIONS_TOLD).map((operation) => {
    const kind = operation.kind === 'unchecked_create' ? 'create_collection' : operation.kind;
    const names = [
      ...('alias' in operation ? [operation.alias] : []),
      ...('collection' in operation ? [operation.collection] : []),
    ];
    return [kind, ...names].join(' ');
  });
  const rest = administering.length - told.length;
  noteTarget(request, { operations: [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ') });
}

/** Vectors for what is out of the scope are held against nothing, as those for names that nobody has: it is refused all the same, and what was
 *  wrong with them would tell that it is there, and its dimension. */
function rulesInScope(room: Room, engine: Engine, scope: KeyScope): WriteRules {
  const known = new Map<string, VectorRule>();
  for (const info of engine.collections()) if (inScope(scope, info.name)) known.set(info.name, ruleOf(info));
  for (const { alias, collection } of engine.aliases()) {
    const rule = known.get(collection);
    if (rule !== undefined) known.set(alias, rule);
  }
  const vectors = Object.fromEntries(known);
  return { pointsPerRequestMax: room.limits.pointsPerRequestMax, payloadBytesMax: room.limits.payloadBytesMax, vectors };
}

function checkCreate(operation: Operation | UncheckedCreate, limits: Limits): Operation {
  if (operation.kind !== 'unchecked_create') return operation;
  const spec = newCollection(checkNewCollection(operation.spec, operation.path), limits, operation.path);
  return { kind: 'create_collection', collection: operation.collection, spec };
}

/** What the operation's own route answers, without position. */
function resultBody(engine: Engine, operation: Operation | undefined, result: OperationResult): unknown {
  if (result.kind === 'delete_collection' || result.kind === 'delete_alias') return { deleted: true };
  if (result.kind === 'put_alias') return aliasBody(operation, result);
  if (result.kind !== 'create_collection' || operation === undefined || !('collection' in operation)) return countsOf(result);
  const { position: _position, ...info } = writtenCollectionBody(engine, operation.collection, result);
  return info;
}
