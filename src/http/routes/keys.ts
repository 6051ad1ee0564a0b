/** Routes of access keys: make, list, give another secret, end. Secrets are made here, shown once, and kept nowhere.
 *
 *  A secret that counts from now on is always answered: without it the last administrator might be locked out, because replicas were slow.
 *  Whoever holds the key file, or a token, may leave the data without an admin key; others may not, because nobody could undo it. */

import type { FastifyRequest } from 'fastify';
import type { KeyOperation } from '../../engine/engine.js';
import { type AccessKey, isExpired, isScopePattern } from '../../model/access-key.js';
import { invalidRequest, SkeinError } from '../../model/errors.js';
import { parseInstant } from '../../model/instant.js';
import { isPrintable } from '../../model/printable.js';
import { bodyCheck } from '../../wire/check-body.js';
import { DeleteKeyAnswer, KeyListBody, KeySecretAnswer, NewKeyBody, RotateKeyBody } from '../../wire/http-bodies.js';
import { accessKeyText, newKeyId, newSecret, secretHash } from '../access/credential.js';
import { principalOf } from '../access/principal.js';
import { sendValue } from '../answer.js';
import { noteTarget } from '../audit.js';
import { queryOf } from '../parameters.js';
import { WriteQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { confirm, confirmIfPossible, startWrite } from '../writes.js';

const PATH = '/v1/keys';
const checkNew = bodyCheck(NewKeyBody);
const checkRotate = bodyCheck(RotateKeyBody);

/** When a key was last used by this node, as milliseconds since 1970. */
export type LastUsed = (id: string) => number | null;

export function keyRoutes(room: Room, lastUsed: LastUsed): Route[] {
  return [listRoute(room, lastUsed), createRoute(room, lastUsed), rotateRoute(room, lastUsed), deleteRoute(room)];
}

const ADMINISTER = { needs: 'admin', tag: 'keys' } as const;

function listRoute(room: Room, lastUsed: LastUsed): Route {
  return {
    ...ADMINISTER,
    method: 'GET',
    path: PATH,
    operationId: 'listKeys',
    summary: 'List all access keys, without their secrets',
    answer: KeyListBody,
    handle: (request, reply) => {
      queryOf(request, []);
      const nowMs = room.clock.wallMs();
      const keys = room.service.engine().keys.all();
      return sendValue(request, reply, { keys: keys.map((key) => keyBody(key, lastUsed(key.id), nowMs)) });
    },
  };
}

function createRoute(room: Room, lastUsed: LastUsed): Route {
  return {
    ...ADMINISTER,
    method: 'POST',
    path: PATH,
    operationId: 'createKey',
    master: true,
    summary: 'Make an access key; its secret is in this answer only',
    query: WriteQuery,
    body: NewKeyBody,
    answer: KeySecretAnswer,
    status: 201,
    handle: async (request, reply) => {
      mustNotRepeat(request);
      const write = await startWrite(room, request, 'create key');
      const body = checkNew(await room.bodies.read(request, { kind: 'plain' }));
      const id = newKeyId();
      const secret = newSecret();
      const key = { id, hash: secretHash(secret), ...settingsOf(body, room.clock.wallMs()) };
      noteTarget(request, { key: id, name: key.name, role: key.role, collections: key.scope?.join(',') ?? null });
      const receipt = await write.engine.keys.write({ kind: 'create_key', key, keepsAdmin: keepsAdmin(request) });
      const shown = shownKey(room, write.engine.keys.find(id), lastUsed);
      const written = await confirmIfPossible(room, reply, write, receipt);
      reply.header('cache-control', 'no-store');
      return sendValue(request, reply, { key: accessKeyText(id, secret), ...shown, ...written }, 201);
    },
  };
}

function rotateRoute(room: Room, lastUsed: LastUsed): Route {
  return {
    ...ADMINISTER,
    method: 'POST',
    path: `${PATH}/:key/rotate`,
    operationId: 'rotateKey',
    master: true,
    summary: 'Give an access key another secret; the one it has works for grace_ms more',
    query: WriteQuery,
    body: RotateKeyBody,
    answer: KeySecretAnswer,
    handle: async (request, reply) => {
      mustNotRepeat(request);
      const id = keyIdOf(request);
      const write = await startWrite(room, request, `rotate key ${id}`);
      const { grace_ms: graceMs } = checkRotate(await room.bodies.read(request, { kind: 'plain' }));
      const secret = newSecret();
      const receipt = await write.engine.keys.write({ kind: 'rotate_key', id, hash: secretHash(secret), graceMs });
      const shown = shownKey(room, write.engine.keys.find(id), lastUsed);
      const written = await confirmIfPossible(room, reply, write, receipt);
      reply.header('cache-control', 'no-store');
      return sendValue(request, reply, { key: accessKeyText(id, secret), ...shown, ...written });
    },
  };
}

function deleteRoute(room: Room): Route {
  return {
    ...ADMINISTER,
    method: 'DELETE',
    path: `${PATH}/:key`,
    operationId: 'deleteKey',
    master: true,
    summary: 'End an access key at once',
    query: WriteQuery,
    answer: DeleteKeyAnswer,
    handle: async (request, reply) => {
      const id = keyIdOf(request);
      const write = await startWrite(room, request, `delete key ${id}`);
      const operation: KeyOperation = { kind: 'delete_key', id, keepsAdmin: keepsAdmin(request) };
      const receipt = await write.engine.keys.write(operation);
      return sendValue(request, reply, { deleted: true, ...(await confirm(room, reply, write, receipt)) });
    },
  };
}

/** What a repeat would answer is not kept. */
function mustNotRepeat(request: FastifyRequest): void {
  if (request.headers['idempotency-key'] !== undefined)
    throw invalidRequest('idempotency-key', 'a secret is shown once, so this request has no repeat');
}

function keyIdOf(request: FastifyRequest): string {
  return (request.params as { key: string }).key;
}

function keepsAdmin(request: FastifyRequest): boolean {
  const { kind } = principalOf(request);
  return kind !== 'key_file' && kind !== 'token' && kind !== 'program';
}

/** @throws InvalidRequest */
function settingsOf(body: NewKeyBody, nowMs: number): Pick<AccessKey, 'name' | 'role' | 'scope' | 'rateLimit' | 'expiresAtMs'> {
  const { name, role, collections: scope = null, rate_limit: rate = null, expires_at: expires = null } = body;
  if (!isPrintable(name)) throw invalidRequest('name', 'must hold no control characters and no ends of lines');
  for (const [i, pattern] of (scope ?? []).entries()) {
    if (!isScopePattern(pattern))
      throw invalidRequest(`collections[${i}]`, 'must be the name of a collection, or the beginning of one with * behind it');
  }
  if (role === 'replicate' && scope !== null)
    throw invalidRequest('collections', 'the role replicate is about the node as a whole');
  const expiresAtMs = expires === null ? null : parseInstant(expires);
  if (expires !== null && (expiresAtMs === null || expiresAtMs <= nowMs))
    throw invalidRequest('expires_at', 'must be an instant in the future, such as 2030-01-31T00:00:00Z');
  const rateLimit = rate === null ? null : { perSecond: rate.requests_per_second, burst: rate.burst ?? rate.requests_per_second };
  return { name, role, scope, rateLimit, expiresAtMs: expiresAtMs === null ? null : Math.ceil(expiresAtMs) };
}

function shownKey(room: Room, key: AccessKey | undefined, lastUsed: LastUsed): KeyShown {
  if (key === undefined) throw new SkeinError('KeyNotFound', 'The access key was deleted meanwhile');
  return keyBody(key, lastUsed(key.id), room.clock.wallMs());
}

type KeyShown = ReturnType<typeof keyBody>;

function keyBody(key: AccessKey, lastUsedMs: number | null, nowMs: number) {
  const { rateLimit, previous } = key;
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    collections: key.scope,
    rate_limit: rateLimit === null ? null : { requests_per_second: rateLimit.perSecond, burst: rateLimit.burst },
    state: isExpired(key, nowMs) ? 'expired' : 'active',
    created_at: instant(key.createdAtMs),
    expires_at: instant(key.expiresAtMs),
    rotated_at: instant(key.rotatedAtMs),
    previous_until: previous === null || previous.untilMs <= nowMs ? null : instant(previous.untilMs),
    last_used_at: instant(lastUsedMs),
  };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
