/** One holder per data folder; tests/storage/killed-writer.test.ts has the part with several processes. */

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { lockFolder } from '../../src/storage/folder-lock.js';
import type { StoreRefused } from '../../src/storage/storage.js';
import { suite } from '../support/suite.js';

const test = suite('storage/folder-lock');

function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as StoreRefused).reason;
  }
  return 'nothing was thrown';
}

test('the folder is made, locked once, and free again after release', (t) => {
  const dataDir = `${t.folder()}/a/b`;
  const lock = lockFolder(dataDir);
  assert.is(statSync(`${dataDir}/LOCK`).size, 0);
  assert.is(
    reasonOf(() => lockFolder(dataDir)),
    'locked',
  );
  assert.is(
    reasonOf(() => lockFolder(`${dataDir}/../b/.`)),
    'locked',
  );
  lock.release();
  lock.release();
  lockFolder(dataDir).release();
});

test('a lock that its holder forgot outlives garbage collection', (t) => {
  const dataDir = t.folder();
  lockFolder(dataDir);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  assert.is(
    reasonOf(() => lockFolder(dataDir)),
    'locked',
  );
});

test('a file in place of the folder, and a LOCK that is something else, are refused', (t) => {
  const folder = t.folder();
  writeFileSync(`${folder}/file`, '');
  assert.is(
    reasonOf(() => lockFolder(`${folder}/file`)),
    'unwritable',
  );
  mkdirSync(`${folder}/data`);
  writeFileSync(`${folder}/data/LOCK`, 'somebody wrote a note here, which is long enough to be looked at. '.repeat(20));
  assert.is(
    reasonOf(() => lockFolder(`${folder}/data`)),
    'unwritable',
  );
  mkdirSync(`${folder}/other/LOCK`, { recursive: true });
  const user = `user ${process.getuid?.()}`;
  assert.throws(() => lockFolder(`${folder}/other`), `${folder}/other cannot be locked by ${user}`);
  assert.throws(() => lockFolder(`${folder}/other`), `(${folder}/other/LOCK: unable to open database file)`);
});

test.run();
