/** A restore into a new folder, while no server runs on it: another copy of the data at a state of the past, ready to be served.
 *
 *    clusters in the place ─► plan ─► (dry run: said, and no more) ─► lock ─► prepared ─► another node, a new history ─► first store of the folder
 *
 *  The copy belongs to a cluster of its own unless it is to be the old one: then nothing else may serve as that cluster's master. The keys of
 *  that moment open it: nobody here knows which of them were revoked since, so all are told.
 *  Must not know: terminals, flags. */

import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Archive, clustersIn, isInsidePlace } from '../backup/archive.js';
import { type Foresight, foresee } from '../backup/foresight.js';
import { planRestore, type RestorePlan } from '../backup/plan.js';
import { prepareRestore, type RestoringOptions } from '../backup/restoring.js';
import type { BackupTarget } from '../backup/target.js';
import { accessKeysOf, makeRestored, mustTakeRestore } from '../engine/restored-store.js';
import { type AccessKey, isExpired } from '../model/access-key.js';
import type { RestoreWish } from '../model/backup.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import type { Limits } from '../model/limits.js';
import type { Position } from '../model/position.js';
import { lockFolder } from '../storage/folder-lock.js';
import { writeNodeState } from './node-state.js';

export interface OfflineRestoreOptions extends Pick<RestoringOptions, 'signal' | 'onStep'> {
  readonly target: BackupTarget;
  /** Whose backups; null: of the only cluster that has any there. */
  readonly clusterId: string | null;
  readonly wish: RestoreWish;
  /** Null: only say what would be done. */
  readonly into: { readonly dataDir: string; readonly keepClusterId: boolean } | null;
  readonly limits: Limits;
  readonly cacheBytes: number;
  readonly clock: Clock;
}

export interface OfflineRestore {
  readonly plan: RestorePlan;
  readonly foresight: Foresight;
  /** Null after a dry run. */
  readonly made: {
    readonly clusterId: string;
    readonly nodeId: string;
    readonly position: Position;
    readonly digest: string;
    /** That open the copy, also those that were revoked or rotated since; without what has expired by now. */
    readonly accessKeys: readonly AccessKey[];
  } | null;
}

/** @throws BackupNotFound · PositionLost · BackupDamaged · BackupTargetFailed · DiskLimitExceeded · StoreRefused (the folder is not new, or
 *  in use) · the signal's reason. After an error the folder holds no data. */
export async function restoreOffline(options: OfflineRestoreOptions): Promise<OfflineRestore> {
  const { target, wish, into } = options;
  const archive = new Archive(target, options.clusterId ?? (await onlyClusterIn(target)));
  const listing = await archive.list();
  if (listing.backups.length + listing.damaged.length === 0) throw await noBackupIn(target);
  const plan = planRestore(listing, wish);
  const foresight = await foresee(plan, archive);
  if (into === null) return { plan, foresight, made: null };
  const epoch = Math.max(...listing.backups.map(({ end }) => end.epoch)) + 1;
  return { plan, foresight, made: await make(plan, archive, { ...options, ...into, epoch }) };
}

type Making = OfflineRestoreOptions & { readonly dataDir: string; readonly keepClusterId: boolean; readonly epoch: number };

async function make(plan: RestorePlan, archive: Archive, options: Making): Promise<OfflineRestore['made']> {
  const { dataDir, keepClusterId, epoch, signal, onStep, limits, cacheBytes, clock } = options;
  mustTakeRestore(dataDir);
  const lock = lockFolder(dataDir);
  try {
    const leftovers = mustTakeRestore(dataDir);
    const scratch = join(dataDir, `restoring-${newId()}`);
    // Before what an earlier one left goes: the folder is never taken for a fresh one in between.
    await mkdir(scratch);
    for (const name of leftovers) await rm(join(dataDir, name), { recursive: true, force: true });
    const restore = await prepareRestore(plan, { archive, scratch, cacheBytes, limits, signal, onStep });
    try {
      const digest = Buffer.from(restore.reached.state.digest).toString('hex');
      const ids = { clusterId: keepClusterId ? archive.clusterId : newId(), nodeId: newId() };
      const carried = { voters: [], accessKeys: null };
      const { state } = await restore.finish({ ...ids, historyId: newId(), epoch, carried });
      const accessKeys = accessKeysOf(restore.storePath).filter((key) => !isExpired(key, clock.wallMs()));
      writeNodeState(dataDir, { role: 'master', masterUrl: null, highestEpoch: epoch });
      failpoint('restore.before_switch');
      makeRestored(dataDir, restore.storePath, { bootId: newId() });
      failpoint('restore.after_switch');
      return { ...ids, digest, accessKeys, position: { historyId: state.historyId, epoch: state.epoch, seq: state.seq } };
    } finally {
      await restore.discard();
    }
  } finally {
    lock.release();
  }
}

async function onlyClusterIn(target: BackupTarget): Promise<string> {
  const clusters = await clustersIn(target);
  const [first] = clusters;
  if (first === undefined) throw await noBackupIn(target);
  if (clusters.length === 1) return first;
  throw new SkeinError(
    'BackupNotFound',
    `There are backups of several clusters in ${target.name}; say which: ${clusters.join(', ')}`,
  );
}

async function noBackupIn(target: BackupTarget): Promise<SkeinError> {
  const advice = (await isInsidePlace(target))
    ? ': what lies there is of one cluster; the place of its backups is one level up'
    : '';
  return new SkeinError('BackupNotFound', `There is no backup in ${target.name}${advice}`);
}

function newId(): string {
  return randomBytes(16).toString('hex');
}
