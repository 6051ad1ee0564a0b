/** From the settings of a place to the target there. Must not know: who reads or writes it. */

import { LateTarget } from '../backup/late-target.js';
import { nameOfPlace, openTarget } from '../backup/open-target.js';
import type { BackupTarget } from '../backup/target.js';
import type { BackupPlace } from '../config/backup-settings.js';
import type { Clock } from '../model/clock.js';

/** A place of backups, which may not be there yet. @param nodeId of the one that writes; null: nobody does */
export function placeOfBackups(place: BackupPlace, stallMs: number, clock: Clock, nodeId: () => string | null): BackupTarget {
  return new LateTarget(nameOfPlace(place), () => openTarget(place, { writer: nodeId(), stallMs, clock }));
}
