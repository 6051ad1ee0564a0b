/** The refusal of a backup that is not what it was: named, with the object that is wrong, and never used.
 *  Must not know: targets, restores. */

import type { DamagedBackup } from '../model/backup.js';
import { SkeinError } from '../model/errors.js';

export function backupDamaged({ id, object, problem }: DamagedBackup): SkeinError {
  return new SkeinError('BackupDamaged', `The backup ${id} is damaged: ${object}: ${problem}`, { backup: id, object, problem });
}
