/** A disk of this node that is full, as the refusal that says so; that of a target is the target's failure.
 *  Must not know: what was to be written. */

import { SkeinError } from '../model/errors.js';
import { StorageFull } from '../storage/storage.js';
import { codeOf } from './folder-files.js';

/** @returns DiskLimitExceeded, or the error as it is */
export function asNoRoom(error: unknown): unknown {
  const code = codeOf(error);
  if (!(error instanceof StorageFull) && code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new SkeinError('DiskLimitExceeded', (error as Error).message, { reason: 'disk_full' }, error);
}
