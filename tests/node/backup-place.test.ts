/** What a server says of backups that lie on the disk of the data. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { BackupPlace } from '../../src/config/backup-settings.js';
import { type LogFields, silentLog } from '../../src/model/log.js';
import { warnOfOneDisk } from '../../src/node/backup-place.js';
import { suite } from '../support/suite.js';

const test = suite('node/backup-place');

/** The folders that one line each was written about. */
async function warned(dataDir: string, places: readonly (BackupPlace | null)[]): Promise<unknown[]> {
  const folders: unknown[] = [];
  const warn = (_event: string, fields: LogFields = {}): void => void folders.push(fields['folder']);
  for (const place of places) await warnOfOneDisk(dataDir, place, { ...silentLog, warn });
  return folders;
}

test('a folder on the disk of the data is warned of, made or not; none elsewhere, nor one that cannot be seen', async (t) => {
  const dataDir = t.folder();
  const beside = t.folder();
  const places = [beside, join(beside, 'new'), join(beside, 'no', 'parent'), '/proc'];
  assert.not.equal(statSync('/proc').dev, statSync(dataDir).dev);
  const folders = places.map((folder) => ({ kind: 'folder', folder }) as const);
  assert.equal(await warned(dataDir, [...folders, null]), [beside, join(beside, 'new')]);
});

test.run();
