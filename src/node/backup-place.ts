/** From the settings of a place to the target there, and whether it outlives the disk of the data. Must not know: who reads or writes it. */

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LateTarget } from '../backup/late-target.js';
import { nameOfPlace, openTarget } from '../backup/open-target.js';
import type { BackupTarget } from '../backup/target.js';
import type { BackupPlace } from '../config/backup-settings.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';

/** A place of backups, which may not be there yet. @param nodeId of the one that writes; null: nobody does */
export function placeOfBackups(place: BackupPlace, stallMs: number, clock: Clock, nodeId: () => string | null): BackupTarget {
  return new LateTarget(nameOfPlace(place), () => openTarget(place, { writer: nodeId(), stallMs, clock }));
}

/** One line in the log, where backups go to the disk that they are of: so was it meant, or a volume is not mounted, which looks like an empty
 *  folder. A place that cannot be seen says so when it is used. Not to be waited for: the disk of another machine may not answer.
 *  @returns whether it is so, as far as can be seen */
export async function warnOfOneDisk(dataDir: string, place: BackupPlace | null, log: Log): Promise<boolean> {
  if (place?.kind !== 'folder') return false;
  const device = async (path: string): Promise<number | null> => (await stat(path).catch(() => null))?.dev ?? null;
  const backups = (await device(place.folder)) ?? (await device(dirname(place.folder)));
  if (backups === null || backups !== (await device(dataDir))) return false;
  log.warn('backups_on_disk_of_data', {
    folder: place.folder,
    data_dir: dataDir,
    advice: 'backups that are lost with the data are none: another disk or machine; or is a volume not mounted there?',
  });
  return true;
}
