/** The dialect's snapshots, which are backups here: each is of all collections, at the place that is configured for backups. Those that a
 *  collection lists are the same ones. One that goes takes the increments with it that lead nowhere without it, since snapshots know none. They
 *  are restored by the own API. Must not know: where backups lie. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BackupInfo } from '../../model/backup.js';
import { SkeinError } from '../../model/errors.js';
import { principalOf } from '../access/principal.js';
import { patiently } from '../request-times.js';
import type { Room } from '../room.js';
import { startedInstead } from '../routes/backups.js';
import { collectionOf } from '../routes/collections.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { queryMistake } from './mistakes.js';
import { dialectQuery } from './parameters.js';

const ABOUT = { needs: 'admin', tag: 'server' } as const;
/** `2026-11-20T08:30:00`: seconds, in UTC, without saying so. */
const SECONDS_LENGTH = 19;

export function snapshotRoutes(room: Room): DialectRoute[] {
  return ['', '/collections/:collection'].flatMap((of) => routesOf(room, `${of}/snapshots`, of === '' ? '' : 'Collection'));
}

function routesOf(room: Room, path: string, name: string): DialectRoute[] {
  return [
    {
      ...ABOUT,
      method: 'GET',
      path,
      operationId: `qdrantList${name}Snapshots`,
      summary: 'The backups, newest first',
      handle: async (request, reply) => {
        dialectQuery(request, []);
        mustBeOfAll(room, request);
        const { backups, readAtMs, readFailure } = await room.service.backups.list();
        if (readAtMs === null) throw new SkeinError('BackupTargetFailed', readFailure ?? 'The place of backups was not read yet');
        return sendResult(request, reply, backups.map(shown));
      },
    },
    {
      ...ABOUT,
      method: 'POST',
      path,
      operationId: `qdrantCreate${name}Snapshot`,
      mayOnlyBegin: true,
      summary: 'Make a full backup of all collections',
      handle: async (request, reply) => {
        const isWaited = waited(request);
        mustBeOfAll(room, request);
        if (isWaited) return sendResult(request, reply, await made(room, request));
        return startedInstead(room, request, reply, room.service.backups.create('full'), accepted(reply));
      },
    },
    {
      ...ABOUT,
      method: 'DELETE',
      path: `${path}/:snapshot`,
      operationId: `qdrantDelete${name}Snapshot`,
      mayOnlyBegin: true,
      summary: 'Remove a backup, with the increments that lead nowhere without it',
      handle: async (request, reply) => {
        const isWaited = waited(request);
        mustBeOfAll(room, request);
        const { snapshot } = request.params as { snapshot: string };
        const work = room.service.backups.remove(snapshot, true);
        if (!isWaited) return startedInstead(room, request, reply, work, accepted(reply));
        await patiently(request, work);
        return sendResult(request, reply, true);
      },
    },
  ];
}

/** @throws InvalidRequest (query_form) */
function waited(request: FastifyRequest): boolean {
  const { wait } = dialectQuery(request, ['wait', 'timeout']);
  if (wait !== undefined && wait !== 'true' && wait !== 'false') throw queryMistake('wait', 'must be true or false');
  return wait !== 'false';
}

/** A key that is for some collections may not touch what holds all of them. @throws Forbidden, CollectionNotFound */
function mustBeOfAll(room: Room, request: FastifyRequest): void {
  const { scope, role } = principalOf(request);
  if (scope !== null)
    throw new SkeinError('Forbidden', 'Backups are of all collections, and the key is for some only', {
      needed: 'admin',
      key_role: role,
    });
  if ('collection' in (request.params as object)) room.service.engine().collection(collectionOf(request));
}

async function made({ service: { backups } }: Room, request: FastifyRequest): Promise<object> {
  const backup = await patiently(request, backups.create('full'));
  if (backup !== null) return shown(backup);
  const [newest] = (await backups.list()).backups;
  if (newest === undefined) throw new SkeinError('BackupTargetFailed', 'Nothing was written yet that could be in a backup');
  return shown(newest);
}

function accepted(reply: FastifyReply): object {
  return { status: 'accepted', time: reply.elapsedTime / 1_000 };
}

function shown({ id, createdAtMs, bytes }: BackupInfo): object {
  return { name: id, creation_time: new Date(createdAtMs).toISOString().slice(0, SECONDS_LENGTH), size: bytes, checksum: null };
}
