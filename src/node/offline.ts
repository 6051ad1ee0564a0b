/** What can be done with a data folder while no server runs on it. Takes the folder's lock, so it never looks at a moving store. */

import type { BackupPlace } from '../config/backup-settings.js';
import { systemClock } from '../model/clock.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { inspectDataFolder } from '../storage/data-folder.js';
import { lockFolder } from '../storage/folder-lock.js';
import { verifyInChild } from '../storage/verify-in-child.js';
import type { VerifyProgress, VerifyReport } from '../storage/verify-report.js';
import { placeOfBackups } from './backup-place.js';
import { type OfflineRestore, type OfflineRestoreOptions, restoreOffline } from './offline-restore.js';

export type { VerifyProgress, VerifyReport };

const CACHE_BYTES = 16 * 1024 * 1024;

/** Restores from a place of backups into a new folder. @throws as restoreOffline */
export function offlineRestoreFrom(
  place: BackupPlace,
  {
    stallMs,
    ...options
  }: Omit<OfflineRestoreOptions, 'target' | 'limits' | 'cacheBytes' | 'clock'> & { readonly stallMs: number },
): Promise<OfflineRestore> {
  const target = placeOfBackups(place, stallMs, systemClock, () => null);
  return restoreOffline({ ...options, target, limits: DEFAULT_LIMITS, cacheBytes: CACHE_BYTES, clock: systemClock });
}

/** Checks everything: pages, every row's checksum, the log's chain, digests and counts against rows, the manifest.
 *  Changes nothing. Cost: reads the whole store once, about a second for 400 MB.
 *  @throws StoreRefused (locked) when a server runs on the folder */
export async function verifyDataFolder(
  dataDir: string,
  onProgress: (progress: VerifyProgress) => void = () => {},
): Promise<VerifyReport> {
  // Looked at before it is locked: a folder that is not there is not made.
  if (inspectDataFolder(dataDir).kind === 'fresh') return verifyInChild(dataDir, 'full', onProgress);
  const lock = lockFolder(dataDir);
  try {
    return await verifyInChild(dataDir, 'full', onProgress);
  } finally {
    lock.release();
  }
}
