/** Backups as the routes see them; without a target unless a test says otherwise. */

import type { BackupService } from '../../src/http/http.js';
import { SkeinError } from '../../src/model/errors.js';

export function fakeBackups(over: Partial<BackupService> = {}): BackupService {
  const off = () => Promise.reject(new SkeinError('BackupsOff', 'There is no place for backups'));
  return { status: () => null, list: off, create: off, forecast: off, restore: off, drill: off, remove: off, ...over };
}
