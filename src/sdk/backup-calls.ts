/** The calls under /v1/backups. Errors are those of every call. A restore or a backup takes as long as the data is large: give it time.
 *
 *  Nothing here is repeated when it may have arrived. Must not know: sockets, when to retry. */

import type {
  BackupBody,
  BackupListBody,
  CreateBackupAnswerBody,
  DrillBody,
  RemoveBackupAnswerBody,
  RestoreBackupAnswerBody,
} from '../wire/http-bodies.js';
import type * as T from './backup-types.js';
import type { Caller } from './caller.js';
import { present } from './present.js';
import type { CallOptions } from './types.js';

/** Whatever is the newest. */
const LATEST = 'latest';

export class BackupCalls {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** What is kept, what is wrong with it, and how far back it leads; `target` is null where the server has no place for backups. */
  async list(options: CallOptions = {}): Promise<T.BackupList> {
    const call = { what: 'backups', method: 'GET', path: '/v1/backups', kind: 'read', ofNode: true, options } as const;
    const body = (await this.#caller.run(call)) as BackupListBody;
    return {
      ...{ target: body.target, active: body.active, running: body.running },
      ...{ backups: body.backups.map(backupFromWire), damaged: body.damaged },
      ...{ readAt: body.read_at ?? null, readFailure: body.read_failure ?? null },
      ...{
        restorableFrom: body.restorable_from ?? null,
        operationsSince: body.operations_since,
        lastVerifiedAt: body.last_verified_at,
      },
      ...{ failuresInRow: body.failures_in_row, lastFailure: body.last_failure },
      lastDrill: body.last_drill === null ? null : drillFromWire(body.last_drill),
    };
  }

  /** @returns null when nothing was written since the newest one @throws SkeinApiError BackupsOff, BackupTargetFailed */
  async create(how: { readonly kind?: 'full' | 'incremental' } = {}, options: CallOptions = {}): Promise<T.Backup | null> {
    const { backup } = await this.#do<CreateBackupAnswerBody>('', present(how, {}), options);
    return backup === null ? null : backupFromWire(backup);
  }

  /** Removes one, where nothing but what it holds itself is lost by it. @returns the ids of what is gone, this one as the last
   *  @throws SkeinApiError BackupNotFound, BackupNeeded */
  async remove(
    backup: string,
    /** Increments that lead nowhere without it go as well, where a newer full one leads to all behind them. */
    { increments = false }: { readonly increments?: boolean } = {},
    options: CallOptions = {},
  ): Promise<readonly string[]> {
    const path = `/v1/backups/${encodeURIComponent(backup)}${increments ? '?increments=true' : ''}`;
    const call = { what: `remove backup ${backup}`, method: 'DELETE', path, kind: 'write' } as const;
    const answer = await this.#caller.run({ ...call, options: { idempotencyKey: false, ...options } });
    return (answer as RemoveBackupAnswerBody).removed;
  }

  /** Brings the data of the master back. @throws SkeinApiError BackupNotFound, BackupDamaged, PositionLost */
  async restore(
    target: T.RestoreTarget = {},
    how: { readonly dryRun?: boolean } = {},
    options: CallOptions = {},
  ): Promise<T.Restore> {
    const { backup = LATEST, toPosition, toTime, ...others } = target;
    const { dryRun, ...otherHow } = how;
    const renamed = { to_position: toPosition, to_time: toTime, dry_run: dryRun };
    const body = present<{ to_position: string | number; to_time: string; dry_run: boolean }>(
      { ...others, ...otherHow },
      renamed,
    );
    const answer = await this.#do<RestoreBackupAnswerBody>(`/${encodeURIComponent(backup)}/restore`, body, options);
    return {
      ...{ dryRun: answer.dry_run, base: answer.base, increments: answer.increments, seq: answer.seq, time: answer.time },
      ...{ storedBytes: answer.stored_bytes, plainBytes: answer.plain_bytes, operationsLost: answer.operations_lost },
      restoredPosition: answer.restored_position ?? null,
      replacedPosition: answer.replaced_position ?? null,
    };
  }

  /** Restores a backup into a scratch folder and looks at it. @throws SkeinApiError BackupNotFound */
  async verify(backup: string = LATEST, options: CallOptions = {}): Promise<T.BackupDrill> {
    return drillFromWire(await this.#do<DrillBody>(`/${encodeURIComponent(backup)}/verify`, {}, options));
  }

  #do<Body>(path: string, body: object, options: CallOptions): Promise<Body> {
    return this.#caller.run({
      ...{ what: `backups${path}`, method: 'POST', path: `/v1/backups${path}`, kind: 'write', body },
      options: { idempotencyKey: false, ...options },
    }) as Promise<Body>;
  }
}

function backupFromWire(body: BackupBody): T.Backup {
  const { id, kind, created_at, from_seq, seq, position, time, bytes, verified_at } = body;
  return { id, kind, createdAt: created_at, fromSeq: from_seq, seq, position, time, bytes, verifiedAt: verified_at };
}

function drillFromWire({ started_at, took_ms, ...body }: DrillBody): T.BackupDrill {
  return { ...body, startedAt: started_at, tookMs: took_ms };
}
