/** Routes of backups: what there is, one more, one less, the way back, and the proof that there is one. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BackupInfo, BackupList, DrillReport, RestoreForecast, RestoreReceipt, RestoreWish } from '../../model/backup.js';
import { invalidRequest, messageOf } from '../../model/errors.js';
import { parseInstant } from '../../model/instant.js';
import { decodeToken, encodeToken } from '../../model/position.js';
import {
  type BackupBody,
  type BackupListBody,
  BackupListBody as BackupListSchema,
  CreateBackupAnswerBody,
  CreateBackupBody,
  type DrillBody,
  RemoveBackupAnswerBody as RemoveAnswerSchema,
  type RemoveBackupAnswerBody,
  RemoveBackupQuery,
  RestoreBackupAnswerBody as RestoreAnswerSchema,
  type RestoreBackupAnswerBody,
  RestoreBackupBody,
  VerifyBackupAnswerBody,
  VerifyBackupBody,
} from '../../wire/backup-bodies.js';
import { bodyCheck } from '../../wire/check-body.js';
import { sendValue, setPosition } from '../answer.js';
import { noteTarget } from '../audit.js';
import { flag, queryOf } from '../parameters.js';
import { patiently } from '../request-times.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';

const checkCreate = bodyCheck(CreateBackupBody);
const checkRestore = bodyCheck(RestoreBackupBody);
const checkVerify = bodyCheck(VerifyBackupBody);
const ABOUT = { tag: 'server', needs: 'admin' } as const;
/** In the place of an id: whatever is the newest. */
const LATEST = 'latest';
const NOWHERE: BackupList = { backups: [], damaged: [], restorableFrom: null, readAtMs: null, readFailure: null };

export function backupRoutes(room: Room): Route[] {
  return [listRoute(room), createRoute(room), removeRoute(room), restoreRoute(room), verifyRoute(room)];
}

function listRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'GET',
    path: '/v1/backups',
    operationId: 'listBackups',
    summary: 'The backups of this cluster, newest first, and how making them goes',
    answer: BackupListSchema,
    handle: async (request, reply) => {
      queryOf(request, []);
      return sendValue(request, reply, await listBody(room));
    },
  };
}

async function listBody({ service: { backups } }: Room): Promise<BackupListBody> {
  const found = backups.status() === null ? NOWHERE : await backups.list();
  const status = backups.status();
  const { running = null, lastFailure = null, drill = null } = status ?? {};
  return {
    target: status?.target ?? null,
    active: status?.active ?? false,
    running: running && { kind: running.kind, since: instant(running.sinceMs) },
    backups: found.backups.map(backupBody),
    count: found.readAtMs === null && status !== null ? null : found.backups.length,
    read_at: instantOrNull(found.readAtMs),
    read_failure: found.readFailure,
    damaged: found.damaged.map(({ id, object, problem }) => ({ id, object, problem })),
    restorable_from: found.restorableFrom && {
      seq: found.restorableFrom.seq,
      time: instantOrNull(found.restorableFrom.timeMs),
    },
    operations_since: status?.stored?.operationsSince ?? null,
    last_verified_at: instantOrNull(status?.stored?.lastVerifiedAtMs ?? null),
    failures_in_row: status?.failuresInRow ?? 0,
    last_failure: lastFailure && { at: instant(lastFailure.atMs), message: lastFailure.message },
    last_drill: drill && drillBody(drill),
  };
}

function createRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'POST',
    path: '/v1/backups',
    operationId: 'createBackup',
    mayOnlyBegin: true,
    summary: 'Make a backup now; backup is null when nothing was written since the newest one',
    body: CreateBackupBody,
    answer: CreateBackupAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { kind = null, wait = true } = checkCreate(await room.bodies.read(request, { kind: 'plain' }));
      const made = room.service.backups.create(kind);
      if (!wait) return startedInstead(room, request, reply, made, { backup: null, started: true });
      const backup = await patiently(request, made);
      return sendValue(request, reply, { backup: backup && backupBody(backup) });
    },
  };
}

function removeRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'DELETE',
    path: '/v1/backups/:backup',
    operationId: 'removeBackup',
    summary: 'Remove a backup, where nothing but what it holds itself is lost by it',
    query: RemoveBackupQuery,
    answer: RemoveAnswerSchema,
    handle: async (request, reply) => {
      const query = queryOf(request, ['increments']);
      const withIncrements = flag(query, 'increments', false);
      const { backup } = request.params as { backup: string };
      noteTarget(request, { increments: query['increments'] === undefined ? null : String(withIncrements) });
      const removed = await patiently(request, room.service.backups.remove(backup, withIncrements));
      const answer: RemoveBackupAnswerBody = { removed: [...removed] };
      return sendValue(request, reply, answer);
    },
  };
}

function restoreRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'POST',
    path: '/v1/backups/:backup/restore',
    operationId: 'restoreBackup',
    mayOnlyBegin: true,
    summary: 'Bring the data of this master back to a backup, a position or an instant; reads go on meanwhile',
    body: RestoreBackupBody,
    answer: RestoreAnswerSchema,
    handle: async (request, reply) => {
      queryOf(request, []);
      const body = checkRestore(await room.bodies.read(request, { kind: 'plain' }));
      const { backups } = room.service;
      const wish = wishOf(idIn(request), body);
      noteTarget(request, {
        dry_run: body.dry_run === true ? 'true' : null,
        to_position: body.to_position === undefined ? null : String(body.to_position),
        to_time: body.to_time ?? null,
      });
      if (body.dry_run === true)
        return sendValue(request, reply, { dry_run: true, ...forecastBody(await backups.forecast(wish)) });
      if (body.wait === false) {
        const forecast = await backups.forecast(wish);
        return startedInstead(room, request, reply, backups.restore(wish), {
          dry_run: false,
          started: true,
          ...forecastBody(forecast),
        });
      }
      const restored = await patiently(request, backups.restore(wish));
      setPosition(reply, restored.position);
      return sendValue(request, reply, { dry_run: false, ...forecastBody(restored.forecast), ...receiptBody(restored) });
    },
  };
}

function verifyRoute(room: Room): Route {
  return {
    ...ABOUT,
    method: 'POST',
    path: '/v1/backups/:backup/verify',
    operationId: 'verifyBackup',
    mayOnlyBegin: true,
    summary: 'Restore a backup into a scratch folder, look at it as a node would, and remove it again',
    body: VerifyBackupBody,
    answer: VerifyBackupAnswerBody,
    handle: async (request, reply) => {
      queryOf(request, []);
      const { wait = true } = checkVerify(await room.bodies.read(request, { kind: 'plain' }));
      const drill = room.service.backups.drill(wishOf(idIn(request), {}));
      if (!wait) return startedInstead(room, request, reply, drill, { started: true });
      return sendValue(request, reply, drillBody(await patiently(request, drill)));
    },
  };
}

/** Nobody waits for it: how it ends is in the status, and in the log. */
export function startedInstead(room: Room, request: FastifyRequest, reply: FastifyReply, work: Promise<unknown>, answer: object) {
  work.catch((error: unknown) => room.log.warn('backup_request_failed', { request_id: request.id, error: messageOf(error) }));
  return sendValue(request, reply, answer, 202);
}

function idIn(request: FastifyRequest): string | null {
  const { backup } = request.params as { backup: string };
  return backup === LATEST ? null : backup;
}

/** @throws InvalidRequest */
function wishOf(backup: string | null, body: { readonly to_position?: string | number; readonly to_time?: string }): RestoreWish {
  const { to_position: at, to_time: time } = body;
  if (at !== undefined && time !== undefined)
    throw invalidRequest('to_time', 'to_position and to_time are both given: one of them');
  const timeMs = time === undefined ? null : parseInstant(time);
  if (time !== undefined && timeMs === null) throw invalidRequest('to_time', 'not an instant such as 2026-11-20T08:30:00Z');
  const position = typeof at === 'string' ? decodeToken(at, 'to_position') : null;
  return { backup, position, seq: typeof at === 'number' ? at : null, timeMs };
}

function backupBody({ id, kind, createdAtMs, fromSeq, end, timeMs, bytes, verifiedAtMs }: BackupInfo): BackupBody {
  return {
    ...{ id, kind, created_at: instant(createdAtMs), from_seq: fromSeq, seq: end.seq, position: encodeToken(end) },
    ...{ time: instantOrNull(timeMs), bytes, verified_at: instantOrNull(verifiedAtMs) },
  };
}

function forecastBody(forecast: RestoreForecast): Omit<RestoreBackupAnswerBody, 'dry_run'> {
  const { base, increments, seq, timeMs, storedBytes, plainBytes, operationsLost } = forecast;
  const bytes = { stored_bytes: storedBytes, plain_bytes: plainBytes };
  return { base, increments: [...increments], seq, time: instantOrNull(timeMs), ...bytes, operations_lost: operationsLost };
}

function receiptBody({ position, replaced }: RestoreReceipt) {
  return { restored_position: encodeToken(position), replaced_position: encodeToken(replaced) };
}

function drillBody({ ok, problem, backups, startedAtMs, tookMs, seq, points, recall }: DrillReport): DrillBody {
  return { ok, problem, backups: [...backups], started_at: instant(startedAtMs), took_ms: tookMs, seq, points, recall };
}

function instant(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function instantOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : instant(timeMs);
}
