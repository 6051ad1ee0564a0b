/** The refusal of a backup that is not what it was: named, with the object that is wrong, and never used.
 *  Must not know: targets, restores. */

import type { DamagedBackup } from '../model/backup.js';
import { SkeinError } from '../model/errors.js';
import type { BackupEnd } from './head.js';

/** As an archive knows it. */
export interface BrokenBackup extends DamagedBackup {
  /** Where it ended, when its head could still be read. */
  readonly end: BackupEnd | null;
}

export function backupDamaged({ id, object, problem }: DamagedBackup): SkeinError {
  return new SkeinError('BackupDamaged', `The backup ${id} is damaged: ${object}: ${problem}`, { backup: id, object, problem });
}
